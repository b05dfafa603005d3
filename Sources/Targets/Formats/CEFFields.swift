/// A CEF extension in the making: `key=value key=value`, values already escaped.
struct CEFFields {
    private struct Field {
        let key: StaticString
        var value: [UInt8]
        /// What a custom key's companion `…Label` says; words of our own, with nothing to escape.
        let label: StaticString?

        /// Bytes with `=` and the space that separates it from its neighbour.
        var size: Int {
            let labelSize = label.map { key.utf8CodeUnitCount + 7 + $0.utf8CodeUnitCount } ?? 0
            return key.utf8CodeUnitCount + 2 + value.count + labelSize
        }
    }

    private var fields: [Field] = []

    /// Adds a field; one without a value is left out, its label too.
    mutating func add(_ key: StaticString, _ text: (some StringProtocol)?, label: StaticString? = nil) {
        guard let text else { return }
        let value = CEFText.value(text)
        if !value.isEmpty { fields.append(Field(key: key, value: value, label: label)) }
    }

    func append(to line: inout [UInt8]) {
        for (position, field) in fields.enumerated() {
            if position > 0 { line.append(UInt8(ascii: " ")) }
            Self.append(field.key, to: &line)
            line.append(UInt8(ascii: "="))
            line.append(contentsOf: field.value)
            guard let label = field.label else { continue }
            line.append(UInt8(ascii: " "))
            Self.append(field.key, to: &line)
            Self.append("Label=", to: &line)
            Self.append(label, to: &line)
        }
    }

    /// Makes the extension fit so many bytes: the longest values are shortened to one common length, and fields are left
    /// out, the last first, where even short values do not fit.
    mutating func shorten(to limit: Int) throws(RenderingError) {
        let shortest = 16
        while size(cappedAt: shortest) > limit, !fields.isEmpty { fields.removeLast() }
        guard !fields.isEmpty else {
            throw RenderingError("not even the first field fits in \(max(limit, 0)) bytes: raise max_bytes")
        }
        guard size(cappedAt: .max) > limit else { return }
        var (fitting, excessive) = (shortest, max(limit, shortest + 1))
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            if size(cappedAt: middle) <= limit { fitting = middle } else { excessive = middle }
        }
        for position in fields.indices {
            CEFText.shorten(&fields[position].value, to: fitting)
        }
        fields.removeAll { $0.value.isEmpty }
    }

    private func size(cappedAt cap: Int) -> Int {
        fields.reduce(0) { $0 + $1.size - max(0, $1.value.count - cap) }
    }

    private static func append(_ text: StaticString, to line: inout [UInt8]) {
        text.withUTF8Buffer { unsafe line.append(contentsOf: $0) }
    }
}

/// Escaping of CEF's two contexts. A visitor types these texts: whatever they are, they stay inside their field.
enum CEFText {
    /// A header field: `\` and `|` are escaped; it is one line.
    static func appendHeader(_ text: String, to line: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "|"): line += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F: line.append(UInt8(ascii: " "))
            default: line.append(byte)
            }
        }
    }

    /// An extension value: `\`, `=` and line ends are escaped, never `|`; other control characters become spaces, and no
    /// white space stands at either end.
    static func value(_ text: some StringProtocol) -> [UInt8] {
        isPlain(text.utf8) ? Array(text.utf8) : escaped(text)
    }

    /// Most values need nothing: visible ASCII without `\` and `=`, and no space at either end.
    private static func isPlain(_ text: some Collection<UInt8>) -> Bool {
        var last = UInt8(ascii: " ")
        for byte in text {
            guard 0x20...0x7E ~= byte, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "=") else { return false }
            last = byte
        }
        return last != UInt8(ascii: " ") && text.first != UInt8(ascii: " ")
    }

    private static func escaped(_ text: some StringProtocol) -> [UInt8] {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return [] }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count + 8)
        for scalar in scalars[first...last] {
            switch scalar {
            case "\\": result += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case "=": result += [UInt8(ascii: "\\"), UInt8(ascii: "=")]
            case "\n": result += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case "\r": result += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case _ where isControl(scalar): result.append(UInt8(ascii: " "))
            default: result.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return result
    }

    /// Cuts an escaped value at a whole character and outside of an escape, and takes away white space at the new end.
    static func shorten(_ value: inout [UInt8], to limit: Int) {
        guard value.count > limit else { return }
        var end = 0
        while true {
            let width = value[end] == UInt8(ascii: "\\") ? 2 : UTF8Text.width(value[end])
            guard end + width <= limit else { break }
            end += width
        }
        while end > 0, value[end - 1] == UInt8(ascii: " ") { end -= 1 }
        value.removeSubrange(end...)
    }

    /// Line and paragraph separators end a line for some readers.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        isControl(scalar) || scalar.properties.isWhitespace
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
}
