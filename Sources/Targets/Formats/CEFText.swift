/// Escaping of CEF's two contexts. A visitor types these texts: whatever they are, they stay inside their field.
enum CEFText {
    /// A header field: `\` and `|` are escaped; it is one line.
    static func appendHeader(_ text: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "|"): line += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F: line.append(UInt8(ascii: " "))
            default: line.append(byte)
            }
        }
    }
}

/// CEF extension values: `\`, `=` and line ends are escaped, never `|`; other control characters become spaces, and no
/// white space stands at either end.
struct CEFSyntax: PairSyntax {
    static let separator = UInt8(ascii: " ")
    static let labelSuffix: StaticString = "Label"
    static let truncated: (key: StaticString, label: StaticString?) = ("flexString1", "Truncated")
    static let plain = PlainBytes { byte in byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "=") }

    static func append(_ byte: UInt8, to line: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "="):
            line.append(UInt8(ascii: "\\"))
            line.append(byte)
        case UInt8(ascii: "\n"):
            line.append(UInt8(ascii: "\\"))
            line.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"):
            line.append(UInt8(ascii: "\\"))
            line.append(UInt8(ascii: "r"))
        default: line.append(UInt8(ascii: " "))
        }
    }

    static func width(_ line: [UInt8], _ position: Int) -> Int {
        line[position] == UInt8(ascii: "\\") ? 2 : UTF8Text.width(line[position])
    }
}

/// LEEF has no escapes: what would end a value becomes a space. No white space stands at either end.
struct LEEFSyntax: PairSyntax {
    static let separator = UInt8(ascii: "^")
    static let labelSuffix: StaticString = ""
    static let truncated: (key: StaticString, label: StaticString?) = ("truncated", nil)
    static let plain = PlainBytes { byte in byte != UInt8(ascii: "^") && byte != UInt8(ascii: "|") }

    static func append(_ byte: UInt8, to line: inout [UInt8]) {
        line.append(UInt8(ascii: " "))
    }

    static func width(_ line: [UInt8], _ position: Int) -> Int { UTF8Text.width(line[position]) }
}

/// Bytes of visible ASCII and the space that stand in a value as they are: a bit each.
struct PlainBytes: Sendable {
    private var bits: (UInt64, UInt64) = (0, 0)

    init(_ isPlain: (UInt8) -> Bool) {
        for byte in UInt8(0x20)...0x7E where isPlain(byte) {
            if byte < 64 { bits.0 |= 1 << byte } else { bits.1 |= 1 << (byte - 64) }
        }
    }

    subscript(_ byte: UInt8) -> Bool {
        byte < 0x80 && (byte < 64 ? bits.0 : bits.1) >> (byte & 63) & 1 == 1
    }
}

enum UTF8Text {
    /// Bytes of the character that begins with this byte.
    static func width(_ lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    /// Whether the character, of well-formed UTF-8, ends a line or does nothing that is seen: control characters, and the
    /// separators of lines and paragraphs.
    static func isControl(_ text: ArraySlice<UInt8>, _ position: Int) -> Bool {
        switch text[position] {
        case 0..<0x20, 0x7F: true
        case 0xC2: text[position + 1] < 0xA0
        case 0xE2: text[position + 1] == 0x80 && (text[position + 2] == 0xA8 || text[position + 2] == 0xA9)
        default: false
        }
    }

    /// Whether the character is white space (Unicode's White_Space) or a control character.
    static func isBlank(_ text: ArraySlice<UInt8>, _ position: Int) -> Bool {
        if isControl(text, position) { return true }
        switch text[position] {
        case 0x20: return true
        case 0xC2: return text[position + 1] == 0xA0
        case 0xE1: return text[position + 1] == 0x9A && text[position + 2] == 0x80
        case 0xE2:
            let last = text[position + 2]
            return text[position + 1] == 0x80
                ? last <= 0x8A || last == 0xAF : text[position + 1] == 0x81 && last == 0x9F
        case 0xE3: return text[position + 1] == 0x80 && text[position + 2] == 0x80
        default: return false
        }
    }

    /// Without blank characters at either end.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (start, end) = (text.startIndex, text.endIndex)
        while start < end, isBlank(text, start) { start += width(text[start]) }
        while end > start {
            var last = end - 1
            while last > start, text[last] & 0xC0 == 0x80 { last -= 1 }
            guard isBlank(text, last) else { break }
            end = last
        }
        return text[start..<end]
    }
}
