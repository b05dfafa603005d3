/// A sequence that is the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SeededRandom {
    /// What visitors type.
    private static let pieces = [
        "a", "Ann", " ", "\"", "\\", "\u{0}", "\u{1f}", "\n", "\r\n", "\t", "</script>", "'; DROP TABLE", "é",
        "e\u{301}",
        "日本", "👩‍👩‍👧", "\u{202e}", "\u{feff}", "\u{2028}", "{}", "[", ",", ":", "gatehouse/", "@0:1", "%00", "\u{7f}",
    ]

    mutating func text() -> String {
        (0..<Int.random(in: 0...6, using: &self)).map { _ in Self.pieces.randomElement(using: &self)! }.joined()
    }

    mutating func bytes(_ maximum: Int = 40) -> [UInt8] {
        (0..<Int.random(in: 0...maximum, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func number() -> Int64 {
        switch Int.random(in: 0...3, using: &self) {
        case 0: 0
        case 1: Int64.random(in: 0...9, using: &self)
        case 2: Int64.random(in: 0...2_000_000_000_000, using: &self)
        default: Int64.random(in: 0...Int64.max, using: &self)
        }
    }

    mutating func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &self) < part }

    mutating func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &self) ? value : nil }
}
