/// Texts of `application/x-www-form-urlencoded`, in the strictest of its readings: letters, digits and `*-._` stay, all
/// else is percent-encoded. A space is `%20`, which readers of forms and plain percent-decoders take alike; `+` only the
/// former do.
enum FormEncoding {
    static func encoded(_ text: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        append(text, to: &result)
        return result
    }

    static func encoded(_ text: String) -> String { String(decoding: encoded(text.utf8), as: UTF8.self) }

    /// One more `NAME=VALUE`.
    static func append(_ name: String, _ value: some Sequence<UInt8>, to form: inout [UInt8]) {
        if !form.isEmpty { form.append(UInt8(ascii: "&")) }
        append(name.utf8, to: &form)
        form.append(UInt8(ascii: "="))
        append(value, to: &form)
    }

    /// What `append` wrote, read back.
    static func fields(_ form: [UInt8]) -> [(name: String, value: String)] {
        form.split(separator: UInt8(ascii: "&")).map { field in
            let name = field.prefix { $0 != UInt8(ascii: "=") }
            return (decoded(name), decoded(field[name.endIndex...].dropFirst()))
        }
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                result.append(byte)
                continue
            }
            result.append(value)
            rest.removeFirst(2)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func append(_ text: some Sequence<UInt8>, to form: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                form.append(byte)
            default: form += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
