/// The text forms of addresses, read byte by byte so that only the strict forms pass.
enum AddressText {
    typealias Text = Substring.UTF8View

    /// Four decimal numbers up to 255 without leading zeros: a leading zero reads as octal elsewhere.
    static func ipv4(_ text: Text) -> IPAddress? {
        var number: UInt32 = 0
        var parts = 0
        for part in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard parts < 4, let value = decimal(part), value <= 255 else { return nil }
            number = number << 8 | value
            parts += 1
        }
        return parts == 4 ? IPAddress(ipv4: number) : nil
    }

    /// RFC 4291, section 2.2: eight groups, at most one `::` for one or more of them, the last two perhaps dotted.
    static func ipv6(_ text: Text) -> IPAddress? {
        guard let gap = doubleColon(text) else {
            guard let groups = groups(text, mayBeEmpty: false), groups.count == 8 else { return nil }
            return address(groups)
        }
        let before = text[..<gap]
        let after = text[text.index(gap, offsetBy: 2)...]
        guard let head = groups(before, mayBeEmpty: true, endsAddress: false),
            let tail = groups(after, mayBeEmpty: true), head.count + tail.count <= 7
        else { return nil }
        return address(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    /// A decimal number of one to three digits without a leading zero.
    static func decimal(_ text: Text) -> UInt32? {
        guard (1...3).contains(text.count), text.count == 1 || text.first != UInt8(ascii: "0") else {
            return nil
        }
        var value: UInt32 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func doubleColon(_ text: Text) -> Text.Index? {
        zip(text.indices, text.indices.dropFirst()).first { index, next in
            text[index] == UInt8(ascii: ":") && text[next] == UInt8(ascii: ":")
        }?.0
    }

    private static func groups(_ text: Text, mayBeEmpty: Bool, endsAddress: Bool = true) -> [UInt16]? {
        if text.isEmpty { return mayBeEmpty ? [] : nil }
        var result: [UInt16] = []
        for part in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            guard result.count < 8 else { return nil }
            if endsAddress, part.endIndex == text.endIndex, part.contains(UInt8(ascii: ".")) {
                guard let dotted = ipv4(part) else { return nil }
                result.append(UInt16(truncatingIfNeeded: dotted.low >> 16))
                result.append(UInt16(truncatingIfNeeded: dotted.low))
            } else if let group = hexadecimal(part) {
                result.append(group)
            } else {
                return nil
            }
        }
        return result
    }

    private static func hexadecimal(_ text: Text) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func address(_ groups: [UInt16]) -> IPAddress? {
        guard groups.count == 8 else { return nil }
        return IPAddress(
            high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }
}
