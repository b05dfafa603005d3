import Events
import HTTPTypes
import JSON

/// The CloudEvents HTTP protocol binding, version 1.0.
enum CloudEvents {
    /// Section 3.2.
    static let structuredType = "application/cloudevents+json; charset=utf-8"
    /// Section 3.3.
    static let batchType = "application/cloudevents-batch+json; charset=utf-8"

    /// The attributes of binary content mode as header fields (section 3.1.3); `datacontenttype` is `Content-Type`'s.
    static func binaryHeaders(of event: EventView) -> [HeaderField] {
        let tape = event.tape
        var fields: [HeaderField] = []
        for (key, value) in tape.members(tape.root) {
            guard value != event.data, !tape.equals(key, "datacontenttype"), let name = tape.text(key),
                let text = tape.scalarText(value)
            else { continue }
            fields.append(HeaderField("ce-\(name)", percentEncoded(text)))
        }
        return fields
    }

    /// Section 3.1.3.2: spaces, double quotes, percent signs and all that is not visible ASCII.
    static func percentEncoded(_ text: String) -> String {
        let isPlain: (UInt8) -> Bool = { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "%") }
        if text.utf8.allSatisfy(isPlain) { return text }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
