/// A text in every way in which something that is written could hold it: so that a search for what must not be there does
/// not overlook it.
package struct EncodedForms: Sendable {
    /// How it is encoded, and the bytes that are then there, whatever stands before and behind it.
    package let all: [(name: String, bytes: [UInt8])]

    /// - Parameter text: lower-case ASCII, eight characters or more, so that no form is there by chance.
    package init(_ text: String) {
        precondition(text.utf8.count >= 8 && text.utf8.allSatisfy { $0 < 0x80 } && text == text.lowercased())
        let bytes = Array(text.utf8)
        let hex = bytes.map { byte in Self.hexadecimal(byte) }
        var forms: [(name: String, text: String)] = [
            ("plain", text), ("upper case", text.uppercased()),
            ("hexadecimal", hex.joined()), ("upper-case hexadecimal", hex.joined().uppercased()),
            ("percent-encoded", hex.map { "%" + $0 }.joined()),
            ("upper-case percent-encoded", hex.map { "%" + $0.uppercased() }.joined()),
            ("JSON escapes", hex.map { "\\u00" + $0 }.joined()),
            ("upper-case JSON escapes", hex.map { "\\u00" + $0.uppercased() }.joined()),
            ("character references", bytes.map { "&#\($0);" }.joined()),
        ]
        for shift in 0..<3 {
            let form = Self.base64(bytes, behind: shift)
            let other = form.replacing("+", with: "-").replacing("/", with: "_")
            forms.append(("Base64 from byte \(shift)", form))
            if other != form { forms.append(("Base64url from byte \(shift)", other)) }
        }
        all =
            forms.map { ($0.name, Array($0.text.utf8)) } + [
                ("UTF-16LE", bytes.flatMap { [$0, 0] }), ("UTF-16BE", bytes.flatMap { [0, $0] }),
            ]
    }

    /// The names of the forms that are there.
    package func found(in bytes: [UInt8]) -> [String] {
        all.filter { Self.contains(bytes, $0.bytes) }.map(\.name)
    }

    package func found(in text: String) -> [String] { found(in: Array(text.utf8)) }

    private static func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe wanted.withUnsafeBufferPointer { wanted in
                let last = bytes.count - wanted.count
                var position = 0
                while position <= last {
                    if unsafe bytes[position] == first,
                        unsafe bytes[position..<(position + wanted.count)].elementsEqual(wanted)
                    {
                        return true
                    }
                    position += 1
                }
                return false
            }
        }
    }

    /// Two digits, lower case.
    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// The characters that depend on nothing but the text where so many bytes stand before it.
    private static func base64(_ bytes: [UInt8], behind shift: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let whole = [UInt8](repeating: 0, count: shift) + bytes
        let bits = whole.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        // From the first whole group of six bits behind what stands before it to the last whole one.
        let start = (shift * 8 + 5) / 6 * 6
        return String(
            stride(from: start, through: bits.count - 6, by: 6).map { place in
                alphabet[Int(bits[place..<(place + 6)].reduce(0) { $0 << 1 | $1 })]
            })
    }
}
