/// Every value of a rule set, each once for its path, found by its bytes. An event's value is looked up here once;
/// predicates then compare numbers.
struct LiteralTable: Sendable {
    /// How the bytes are to be read.
    enum Form: UInt8, Sendable {
        case text, exact, number, moment
    }

    private struct Entry: Sendable {
        let path: Int32
        let form: Form
        let start: Int
        let end: Int
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// The first entry of a hash; entries of the same hash follow by `next`.
    private var first: [UInt64: Int32] = [:]
    private var next: [Int32] = []

    var count: Int { entries.count }

    func path(of literal: Int32) -> Int32 { entries[Int(literal)].path }

    mutating func insert(_ key: LiteralKey, path: Int32) -> Int32 {
        let (form, value) = Self.stored(key)
        if let known = find(form, path: path, in: value, 0..<value.count) { return known }
        let literal = Int32(entries.count)
        entries.append(Entry(path: path, form: form, start: bytes.count, end: bytes.count + value.count))
        bytes += value
        let hash = Self.hash(form, path, value, 0..<value.count)
        next.append(first.updateValue(literal, forKey: hash) ?? -1)
        return literal
    }

    func find(_ form: Form, path: Int32, in value: [UInt8], _ range: Range<Int>) -> Int32? {
        var candidate = first[Self.hash(form, path, value, range)] ?? -1
        while candidate >= 0 {
            let entry = entries[Int(candidate)]
            if entry.path == path, entry.form == form, entry.end - entry.start == range.count,
                bytes[entry.start..<entry.end].elementsEqual(value[range])
            {
                return candidate
            }
            candidate = next[Int(candidate)]
        }
        return nil
    }

    private static func stored(_ key: LiteralKey) -> (form: Form, bytes: [UInt8]) {
        switch key {
        case .text(let text): (.text, text)
        case .exact(let text): (.exact, text)
        case .number(let number): (.number, number)
        case .moment(let milliseconds): (.moment, moment(milliseconds))
        }
    }

    static func moment(_ milliseconds: Int64) -> [UInt8] {
        let bits = UInt64(bitPattern: milliseconds)
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }

    /// FNV-1a. Values that collide are told apart by their bytes, and only rules make entries.
    private static func hash(_ form: Form, _ path: Int32, _ value: [UInt8], _ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        hash = (hash ^ UInt64(form.rawValue)) &* 0x100_0000_01B3
        hash = (hash ^ UInt64(UInt32(bitPattern: path))) &* 0x100_0000_01B3
        for byte in value[range] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
