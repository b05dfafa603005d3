/// Base 64 with the standard alphabet (RFC 4648, section 4).
package enum Base64 {
    package enum Padding: Sendable {
        /// `=` fills the last group, as section 3.2 wants.
        case required
        /// The last group may also stand without its `=`.
        case optional
    }

    /// With padding, in one line.
    package static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: encodedBytes(bytes), as: UTF8.self)
    }

    /// With padding, as ASCII bytes.
    package static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let remaining = bytes.count - index
            var group = UInt32(bytes[index]) << 16
            if remaining > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if remaining > 2 { group |= UInt32(bytes[index + 2]) }
            result.append(digit(group >> 18))
            result.append(digit(group >> 12))
            result.append(remaining > 1 ? digit(group >> 6) : pad)
            result.append(remaining > 2 ? digit(group) : pad)
            index += 3
        }
        return result
    }

    /// Nil for anything but the one encoding of some bytes: no white space, no other alphabet, no stray bits (section
    /// 3.5).
    package static func decode(_ text: some StringProtocol, padding: Padding = .required) -> [UInt8]? {
        var digits = Array(text.utf8)
        defer { cleanse(&digits) }
        return decode(ascii: digits[...], padding: padding)
    }

    /// As `decode`, from ASCII bytes.
    package static func decode(ascii digits: ArraySlice<UInt8>, padding: Padding = .required) -> [UInt8]? {
        let pads = digits.reversed().prefix { $0 == pad }.count
        guard pads <= 2 else { return nil }
        let count = digits.count - pads
        guard count % 4 != 1, pads == 0 && padding == .optional || (count + pads).isMultiple(of: 4) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var held = 0
        for byte in digits.prefix(count) {
            guard let value = value(byte) else { return nil }
            bits = bits << 6 | value
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
        }
        guard bits & (1 << UInt32(held) - 1) == 0 else { return nil }
        return result
    }

    private static let pad = UInt8(ascii: "=")

    private static func digit(_ bits: UInt32) -> UInt8 {
        let value = UInt8(bits & 0x3f)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
