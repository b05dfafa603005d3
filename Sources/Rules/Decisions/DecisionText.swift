package import Events
internal import YAML

/// A text with fields in it: `Welcome, {visitor.first_name}`. Plain substitution: a field that is absent is empty, and what
/// a visitor typed is never read as anything but text.
package struct DecisionText: Sendable, Hashable {
    /// Of what is shown, in UTF-8.
    package static let longest = 2000

    private enum Part: Sendable, Hashable {
        case literal(String)
        case field(FieldPath)
    }

    /// As written.
    package let source: String
    private let parts: [Part]

    /// The text with the event's values, at most `longest` bytes of it.
    package func text(for event: EventView) -> String {
        let whole = parts.reduce(into: "") { text, part in
            switch part {
            case .literal(let literal): text += literal
            case .field(let path): text += FieldValues(path, of: event).shownText
            }
        }
        return whole.beginning(Self.longest)
    }

    /// Nil, and an error, when it is no text, is too long, or names a field that there is not. `{{` stands for a brace.
    init?(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard let text = node.string(&diagnostics) else { return nil }
        guard text.utf8.count <= Self.longest else {
            diagnostics.error(at: node.location, "a message has at most \(Self.longest) bytes")
            return nil
        }
        source = text
        var parts: [Part] = []
        var literal = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "{" || character == "}", rest.first == character {
                rest.removeFirst()
                literal.append(character)
            } else if character == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    diagnostics.error(
                        at: node.location, "a `{` is never closed; write a field's name in it, or {{ for a brace")
                    return nil
                }
                guard let path = Self.path(String(rest[..<end]), node, &diagnostics) else { return nil }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.field(path))
                rest = rest[rest.index(after: end)...]
            } else {
                literal.append(character)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
    }

    /// `visitor.first_name`, `site` (its id), `personal.Car Reg`: what follows the first dot of a map is the key.
    private static func path(_ name: String, _ node: YAMLNode, _ diagnostics: inout Diagnostics) -> FieldPath? {
        if name == "event" { return .event }
        if name == "time" { return .time }
        for map in [EventField.personal, .additional] where name.hasPrefix(map.path + ".") {
            return .entry(map, Array(name.dropFirst(map.path.count + 1).utf8))
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let found = parts.reduce(FieldNode.root as FieldNode?) { $0?.child($1) }
        if let field = found?.field ?? found?.meaning, field.kind != .map { return .field(field) }
        let names = EventField.allCases.filter { $0.kind != .map }.map(\.path)
        diagnostics.error(
            at: node.location, "`{\(displayable(name))}` names no field of an event",
            didYouMean: nearest(name, among: names).map { "{\($0)}" })
        return nil
    }
}
