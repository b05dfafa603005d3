/// The value of a JSON number (RFC 8259, section 6) as text that is the same for equal values: `7`, `7.0` and `70e-1`
/// give `7e0`. Exact, whatever the number of digits.
enum DecimalNumber {
    private static let longest = 400

    /// Nil for what is no JSON number (`07`, `+7`, `7.`), or is too long or too large to compare.
    static func canonical(_ bytes: some Collection<UInt8>) -> [UInt8]? {
        guard bytes.count <= longest else { return nil }
        var rest = bytes[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }

        let whole = rest.prefix { isDigit($0) }
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        rest = rest.dropFirst(whole.count)
        var digits = Array(whole)
        var exponent = 0
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { isDigit($0) }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count + 1)
            digits += fraction
            exponent = -fraction.count
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            let sign = rest.first
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
            let power = rest.prefix { isDigit($0) }
            guard !power.isEmpty, power.count <= 9, let value = Int(String(decoding: power, as: UTF8.self)) else {
                return nil
            }
            rest = rest.dropFirst(power.count)
            exponent += sign == UInt8(ascii: "-") ? -value : value
        }
        guard rest.isEmpty else { return nil }

        digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        guard !digits.isEmpty else { return Array("0e0".utf8) }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        return (isNegative ? [UInt8(ascii: "-")] : []) + digits + Array("e\(exponent)".utf8)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
