import Addresses
import JSON

/// Texts that a reader takes only in one form: a sender may write anything there, and what is no such thing must not make
/// a whole record unreadable.
enum TypedText {
    /// An IPv4 or IPv6 address without a zone, as it is; nil for any other text.
    /// - Parameter isIPv4: of which kind; nil: either.
    static func address(_ text: String, isIPv4: Bool? = nil) -> String? {
        // Only IPv6 has colons.
        if let isIPv4, text.utf8.contains(UInt8(ascii: ":")) == isIPv4 { return nil }
        return text.utf8.count <= 39 && IPAddress(text) != nil ? text : nil
    }

    /// Six bytes in hexadecimal, however the sender parts them: `00:00:5e:00:53:23`, `00-00-5e-00-53-23`, `0000.5e00.5323`
    /// or `00005e005323`, as the first of these. Nil for any other text.
    static func hardwareAddress(_ text: String, separator: UInt8 = UInt8(ascii: ":")) -> String? {
        let digitsOfGroup =
            switch text.utf8.count {
            case 17: 2
            case 14: 4
            case 12: 12
            default: 0
            }
        guard digitsOfGroup > 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(17)
        for (place, byte) in text.utf8.enumerated() {
            if place % (digitsOfGroup + 1) == digitsOfGroup {
                guard byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else {
                    return nil
                }
            } else {
                guard isHexDigit(byte) else { return nil }
                if result.count % 3 == 2 { result.append(separator) }
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// As the Elastic Common Schema wants it: `00-00-5E-00-53-23` (RFC 7042).
    static func hyphenatedAddress(_ text: String) -> String? {
        hardwareAddress(text, separator: UInt8(ascii: "-"))?.uppercased()
    }

    /// The form OCSF's type `email_t` has: one `@`, a name of ASCII before it, a domain with a dot behind it.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(isNameByte) else { return false }
        let labels = parts[1].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return labels.count == 2 && !labels[0].isEmpty && !labels[1].isEmpty
            && parts[1].allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "a")...UInt8(ascii: "f"):
            true
        default: false
        }
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
