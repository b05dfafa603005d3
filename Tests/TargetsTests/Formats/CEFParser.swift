/// A strict reader of one CEF line, written from the specification (Implementing ArcSight CEF, revision 25) and from
/// nothing of the writer's.
struct CEFLine {
    var header: [String] = []
    var fields: [String: String] = [:]
    var order: [String] = []

    struct Malformed: Error {
        var reason: String
    }

    init(_ line: String) throws(Malformed) {
        var characters = Array(line.unicodeScalars)
        guard line.hasPrefix("CEF:0|") else { throw Malformed(reason: "does not begin with CEF:0|") }
        for scalar in characters {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            if isControl || scalar.value == 0x2028 || scalar.value == 0x2029 {
                throw Malformed(reason: "control character \(scalar.value)")
            }
        }
        if characters.last?.properties.isWhitespace == true { throw Malformed(reason: "trailing white space") }
        characters.removeFirst(4)
        let rest = try Self.readHeader(characters, &header)
        try readExtension(rest)
    }

    /// Seven fields, each ended by `|`; only `\` and `|` are escaped.
    private static func readHeader(
        _ characters: [Unicode.Scalar], _ header: inout [String]
    ) throws(Malformed) -> ArraySlice<Unicode.Scalar> {
        var field = String.UnicodeScalarView()
        var position = 0
        while position < characters.count, header.count < 7 {
            switch characters[position] {
            case "\\":
                guard position + 1 < characters.count, "\\|".unicodeScalars.contains(characters[position + 1]) else {
                    throw Malformed(reason: "escape in header")
                }
                field.append(characters[position + 1])
                position += 1
            case "|":
                header.append(String(field))
                field.removeAll()
            default: field.append(characters[position])
            }
            position += 1
        }
        guard header.count == 7 else { throw Malformed(reason: "only \(header.count) header fields") }
        return characters[position...]
    }

    /// `key=value`: a key is what stands, alphanumeric, between a space and an unescaped `=`.
    private mutating func readExtension(_ characters: ArraySlice<Unicode.Scalar>) throws(Malformed) {
        var starts: [(key: String, keyStart: Int, valueStart: Int)] = []
        var position = characters.startIndex
        while position < characters.endIndex {
            if characters[position] == "\\" {
                guard position + 1 < characters.endIndex, "\\=nr".unicodeScalars.contains(characters[position + 1])
                else {
                    throw Malformed(reason: "escape in extension")
                }
                position += 2
                continue
            }
            if characters[position] == "=" {
                var keyStart = position
                while keyStart > characters.startIndex,
                    characters[keyStart - 1].properties.isAlphabetic || ("0"..."9").contains(characters[keyStart - 1])
                {
                    keyStart -= 1
                }
                guard keyStart < position, keyStart == characters.startIndex || characters[keyStart - 1] == " " else {
                    throw Malformed(reason: "a bare = that follows no key")
                }
                var key = String.UnicodeScalarView()
                key.append(contentsOf: characters[keyStart..<position])
                starts.append((String(key), keyStart, position + 1))
            }
            position += 1
        }
        guard characters.isEmpty || starts.first?.keyStart == characters.startIndex else {
            throw Malformed(reason: "text before the first key")
        }
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].keyStart - 1 : characters.endIndex
            let value = characters[start.valueStart..<end]
            guard !value.isEmpty else { throw Malformed(reason: "\(start.key) is empty") }
            if value.last == " " { throw Malformed(reason: "\(start.key) ends in a space") }
            guard fields.updateValue(Self.unescaped(value), forKey: start.key) == nil else {
                throw Malformed(reason: "\(start.key) stands there twice")
            }
            order.append(start.key)
        }
    }

    private static func unescaped(_ value: ArraySlice<Unicode.Scalar>) -> String {
        var result = String.UnicodeScalarView()
        var position = value.startIndex
        while position < value.endIndex {
            if value[position] == "\\" {
                position += 1
                switch value[position] {
                case "n": result.append("\n")
                case "r": result.append("\r")
                default: result.append(value[position])
                }
            } else {
                result.append(value[position])
            }
            position += 1
        }
        return String(result)
    }
}
