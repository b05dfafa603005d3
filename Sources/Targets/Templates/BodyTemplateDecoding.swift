import JSON
import YAML

extension BodyTemplate {
    /// Reads `body:` of an http target: mappings and lists become objects and arrays, a plain scalar that is a JSON
    /// literal keeps its type, every other scalar is a text. `{name}` stands for an event's value, `{?name}` for one that
    /// is left out when absent or null, `{name|filter}` for what is made of it, `{{` and `}}` for braces.
    /// Nil when an error was reported.
    init?(_ node: YAMLNode, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics) {
        self.init(node, TemplateDecoder(policy: policy), &diagnostics)
    }

    /// As `body:`, of what stands around the events of a batch: there is one `{events}`, and no value of an event.
    init?(wrap node: YAMLNode, _ diagnostics: inout Diagnostics) {
        self.init(node, TemplateDecoder(policy: nil), &diagnostics)
    }

    private init?(_ node: YAMLNode, _ decoder: TemplateDecoder, _ diagnostics: inout Diagnostics) {
        guard let template = decoder.template(node, &diagnostics) else { return nil }
        self = template
    }
}

private struct TemplateDecoder {
    /// Nil for what stands around a batch.
    let policy: ContentPolicy?

    func template(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> BodyTemplate? {
        switch node.content {
        case .mapping(let entries): object(node, entries, &diagnostics)
        case .sequence(let elements): array(elements, &diagnostics)
        case .scalar(let scalar): scalarTemplate(node, scalar, &diagnostics)
        }
    }

    private func array(_ elements: [YAMLNode], _ diagnostics: inout Diagnostics) -> BodyTemplate? {
        var templates: [BodyTemplate] = []
        for element in elements {
            if let value = template(element, &diagnostics) { templates.append(value) }
        }
        return templates.count == elements.count ? .array(templates) : nil
    }

    private func object(
        _ node: YAMLNode, _ entries: [YAMLEntry], _ diagnostics: inout Diagnostics
    ) -> BodyTemplate? {
        // An unquoted {visitor.name} is a YAML mapping with one key and nothing behind it.
        if entries.count == 1, entries[0].value.scalar?.text == "", entries[0].value.isNull,
            FieldReference(Self.field(entries[0].name)) != nil || entries[0].name == "events"
        {
            diagnostics.error(at: node.location, "write it in quotes: \"{\(entries[0].name)}\"")
            return nil
        }
        var members: [BodyTemplate.Member] = []
        for entry in entries {
            if entry.name.contains("{") {
                diagnostics.error(
                    at: entry.key.location, "the names of a body are fixed; a {field} can only stand in a value")
                continue
            }
            if let value = template(entry.value, &diagnostics) {
                members.append(BodyTemplate.Member(name: entry.name, value: value))
            }
        }
        return members.count == entries.count ? .object(members) : nil
    }

    private func scalarTemplate(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics
    ) -> BodyTemplate? {
        if let reference = scalar.reference {
            return secret(node, scalar, reference, &diagnostics)
        }
        if policy == nil, scalar.text == "{events}" { return .events }
        if let literal = scalar.jsonLiteral { return .literal(literal) }
        if scalar.isNull {
            diagnostics.error(at: node.location, "there is nothing here; write null, or \"\" for an empty text")
            return nil
        }
        var pieces: [BodyTemplate.Piece] = []
        var presence = BodyTemplate.Presence.always
        var isComplete = true
        for part in TemplateText.parts(scalar.text) {
            switch part {
            case .literal(let text): pieces.append(.literal(Array(text.utf8)))
            case .reference(let name):
                if name.hasPrefix("?") { presence = .whenPresent }
                if let reference = reference(name, node, &diagnostics) {
                    pieces.append(.reference(reference))
                } else {
                    isComplete = false
                }
            case .unclosed:
                diagnostics.error(at: node.location, "a { has no }; write {{ for a brace")
                isComplete = false
            case .unopened:
                diagnostics.error(at: node.location, "a } has no {; write }} for a brace")
                isComplete = false
            }
        }
        guard isComplete else { return nil }
        return assembled(pieces, presence, node, &diagnostics)
    }

    private func assembled(
        _ pieces: [BodyTemplate.Piece], _ presence: BodyTemplate.Presence, _ node: YAMLNode,
        _ diagnostics: inout Diagnostics
    ) -> BodyTemplate? {
        if pieces.count == 1, case .reference(let reference) = pieces[0] { return .value(reference, presence) }
        for case .reference(let reference) in pieces where reference.field.isObject {
            diagnostics.error(
                at: node.location,
                "this text holds a whole object; let the reference stand alone, or name a field of it")
            return nil
        }
        return .text(pieces, presence)
    }

    /// A value with a secret in it is text, and braces in it mean nothing.
    private func secret(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ reference: String, _ diagnostics: inout Diagnostics
    ) -> BodyTemplate? {
        var rest = reference[...]
        while let dollar = rest.firstIndex(where: { $0 == "$" || $0 == "{" }) {
            guard rest[dollar...].hasPrefix("${"), let close = rest[dollar...].firstIndex(of: "}") else {
                if rest[dollar] == "$" {
                    rest = rest[rest.index(after: dollar)...]
                    continue
                }
                diagnostics.error(
                    at: node.location, "one value cannot hold both a ${…} and a {field}: make them two members")
                return nil
            }
            rest = rest[rest.index(after: close)...]
        }
        return .text([.literal(Array(scalar.text.utf8))], .always)
    }

    private func reference(
        _ name: String, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> TemplateReference? {
        guard let policy else {
            diagnostics.error(
                at: node.location, "around the events of a batch there is only \"{events}\", a value by itself")
            return nil
        }
        let isOptional = name.hasPrefix("?")
        return TemplateReferenceDecoder(policy: policy).reference(
            isOptional ? String(name.dropFirst()) : name, isOptional: isOptional, node, &diagnostics)
    }

    /// The field's name alone.
    private static func field(_ name: String) -> String {
        let name = name.hasPrefix("?") ? String(name.dropFirst()) : name
        return String(name.prefix { $0 != "|" })
    }
}

extension YAMLScalar {
    /// The scalar as JSON, where it is a number, true, false or null in JSON's own spelling, without quotes.
    var jsonLiteral: [UInt8]? {
        let bytes = Array(text.utf8)
        guard isPlain, reference == nil, bytes.count <= 64, let tape = try? JSONParser().parse(bytes),
            tape.span(tape.root) == bytes.indices
        else {
            return nil
        }
        switch tape.kind(tape.root) {
        case .string, .array, .object: return nil
        default: return bytes
        }
    }
}

/// A text with `{name}` in it, taken apart.
enum TemplateText {
    enum Part {
        case literal(String)
        case reference(String)
        case unclosed
        case unopened
    }

    static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        var literal = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        func flush() {
            if !literal.isEmpty { parts.append(.literal(String(literal))) }
            literal.removeAll()
        }
        while let scalar = rest.popFirst() {
            guard scalar == "{" || scalar == "}", rest.first != scalar else {
                if scalar == "{" || scalar == "}" { rest.removeFirst() }
                literal.append(scalar)
                continue
            }
            guard scalar == "{" else { return parts + [.unopened] }
            guard let close = rest.firstIndex(of: "}") else { return parts + [.unclosed] }
            flush()
            parts.append(.reference(String(rest[..<close])))
            rest = rest[rest.index(after: close)...]
        }
        flush()
        // An empty text is one empty piece.
        return parts.isEmpty ? [.literal("")] : parts
    }
}
