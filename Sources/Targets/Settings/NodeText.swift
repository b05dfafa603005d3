internal import JSON
internal import YAML

/// A scalar that stands in the configuration itself and may be a secret.
package struct ConcealedValue: Sendable, Hashable {
    var text: String
    var isPlain: Bool
}

/// A YAML node as JSON, and back. A scalar is a text behind a letter that says what it is: `p` one without quotes, `q` one
/// with them, `c` one that is left out. References stand as they are written.
struct NodeText {
    let tape: JSONTape
    /// The file the node stood in: paths are relative to it.
    let file: String
    /// Values left out, by place.
    let concealed: [String: ConcealedValue]

    // MARK: writing

    /// - Parameter concealed: takes what is left out.
    static func write(
        _ node: YAMLNode, at path: [String], _ concealed: inout [String: ConcealedValue], to writer: inout JSONWriter
    ) {
        switch node.content {
        case .scalar(let scalar): write(scalar, path, &concealed, &writer)
        case .sequence(let elements):
            writer.beginArray()
            for (index, element) in elements.enumerated() {
                write(element, at: path + [String(index)], &concealed, to: &writer)
            }
            writer.endArray()
        case .mapping(let entries):
            writer.beginObject()
            for entry in entries {
                writer.key((entry.key.scalar?.isPlain ?? true ? "p" : "q") + entry.name)
                write(entry.value, at: path + [entry.name], &concealed, to: &writer)
            }
            writer.endObject()
        }
    }

    private static func write(
        _ scalar: YAMLScalar, _ path: [String], _ concealed: inout [String: ConcealedValue], _ writer: inout JSONWriter
    ) {
        if scalar.reference == nil, !scalar.isNull, SecretPlaces.isSecret(path, scalar.text) {
            concealed[place(path)] = ConcealedValue(text: scalar.text, isPlain: scalar.isPlain)
            return writer.string("c")
        }
        // Resolving takes one `$` off.
        let written = scalar.reference ?? scalar.text.replacing("${", with: "$${")
        writer.string((scalar.isPlain ? "p" : "q") + written)
    }

    private static func place(_ path: [String]) -> String { path.joined(separator: "\u{1f}") }

    // MARK: reading

    /// Nil when something that was left out is not there.
    func node(_ index: JSONIndex, at path: [String]) -> YAMLNode? {
        let location = SourceLocation(file: file)
        switch tape.kind(index) {
        case .object:
            var entries: [YAMLEntry] = []
            for (key, value) in tape.members(index) {
                guard let (text, isPlain) = marked(key), let value = node(value, at: path + [text]) else { return nil }
                let scalar = YAMLScalar(text: text, isPlain: isPlain)
                entries.append(YAMLEntry(key: YAMLNode(location: location, content: .scalar(scalar)), value: value))
            }
            return YAMLNode(location: location, content: .mapping(entries))
        case .array:
            var elements: [YAMLNode] = []
            for (position, element) in tape.elements(index).enumerated() {
                guard let node = node(element, at: path + [String(position)]) else { return nil }
                elements.append(node)
            }
            return YAMLNode(location: location, content: .sequence(elements))
        default:
            return scalar(index, path).map { YAMLNode(location: location, content: .scalar($0)) }
        }
    }

    private func scalar(_ index: JSONIndex, _ path: [String]) -> YAMLScalar? {
        if tape.equals(index, "c") {
            guard let value = concealed[Self.place(path)] else { return nil }
            return YAMLScalar(text: value.text.replacing("${", with: "$${"), isPlain: value.isPlain)
        }
        return marked(index).map { YAMLScalar(text: $0.text, isPlain: $0.isPlain) }
    }

    private func marked(_ index: JSONIndex) -> (text: String, isPlain: Bool)? {
        guard let text = tape.text(index), let mark = text.unicodeScalars.first, mark == "p" || mark == "q" else {
            return nil
        }
        return (String(text.unicodeScalars.dropFirst()), mark == "p")
    }
}
