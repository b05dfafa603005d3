/// A JSON number (RFC 8259, section 6) taken apart: digits times a power of ten.
struct DecimalDigits {
    let isNegative: Bool
    /// Values 0 to 9; neither the first nor the last is 0, and zero has none.
    let digits: [UInt8]
    /// The power of ten that the digits, read as a whole number, are multiplied by; beyond a thousand million it is only
    /// as good as its sign.
    let exponent: Int

    /// Nil for what is no JSON number (`07`, `+7`, `7.`).
    init?(_ bytes: some Collection<UInt8>) {
        var rest = bytes[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }

        let whole = rest.prefix { Self.isDigit($0) }
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        rest = rest.dropFirst(whole.count)
        var digits = Array(whole)
        var exponent = 0
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { Self.isDigit($0) }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count + 1)
            digits += fraction
            exponent = -fraction.count
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.power(rest.dropFirst()) else { return nil }
            exponent += power
        } else if !rest.isEmpty {
            return nil
        }

        digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        self.isNegative = isNegative && !digits.isEmpty
        self.digits = digits.map { $0 - UInt8(ascii: "0") }
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    static let largestExponent = 1_000_000_000

    private static func power(_ bytes: some Collection<UInt8>) -> Int? {
        var rest = bytes[...]
        let sign = rest.first
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        var value = 0
        for byte in rest {
            guard isDigit(byte) else { return nil }
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), largestExponent)
        }
        return sign == UInt8(ascii: "-") ? -value : value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// The value of a JSON number as text that is the same for equal values: `7`, `7.0` and `70e-1` give `7e0`. Exact,
/// whatever the number of digits.
enum DecimalNumber {
    private static let longest = 400

    /// Nil for what is no JSON number, or is too long or too large to compare.
    static func canonical(_ bytes: some Collection<UInt8>) -> [UInt8]? {
        guard bytes.count <= longest, let number = DecimalDigits(bytes),
            abs(number.exponent) < DecimalDigits.largestExponent - longest
        else { return nil }
        guard !number.digits.isEmpty else { return Array("0e0".utf8) }
        let sign = number.isNegative ? [UInt8(ascii: "-")] : []
        return sign + number.digits.map { $0 + UInt8(ascii: "0") } + Array("e\(number.exponent)".utf8)
    }
}
