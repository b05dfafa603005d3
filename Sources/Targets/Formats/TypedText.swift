import Addresses
import JSON

/// Texts that a reader takes only in one form: a sender may write anything there, and what is no such thing must not make
/// a whole record unreadable.
enum TypedText {
    /// IPv4 or IPv6, without a zone.
    static func isAddress(_ text: String) -> Bool {
        text.utf8.count <= 39 && IPAddress(text) != nil
    }

    /// Six bytes in hexadecimal, with `:` or `-` between them.
    static func isHardwareAddress(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 17
            && bytes.indices.allSatisfy { place in
                place % 3 == 2
                    ? bytes[place] == UInt8(ascii: ":") || bytes[place] == UInt8(ascii: "-")
                    : Unicode.Scalar(bytes[place]).properties.isASCIIHexDigit
            }
    }

    /// As the Elastic Common Schema wants it: `00-00-5E-00-53-23` (RFC 7042).
    static func hyphenated(_ hardwareAddress: String) -> String {
        String(
            decoding: hardwareAddress.uppercased().utf8.map { $0 == UInt8(ascii: ":") ? UInt8(ascii: "-") : $0 },
            as: UTF8.self)
    }

    /// The form OCSF's type `email_t` has: one `@`, a name of ASCII before it, a domain with a dot behind it.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(isNameByte) else { return false }
        let labels = parts[1].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return labels.count == 2 && !labels[0].isEmpty && !labels[1].isEmpty
            && parts[1].allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~.".utf8.contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
