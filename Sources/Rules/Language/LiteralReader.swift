internal import Events
internal import YAML

/// Reads the values of a rule, each as its field's type wants it.
struct LiteralReader {
    let path: FieldPath
    /// The field as the rule names it.
    let name: String
    let exactly: Bool
    /// The values the field can have; nil where it may have any.
    var closed: ClosedValues?

    static let longestText = 1000
    private static let mostValues = 10_000

    /// One scalar or a list of them; nil, and errors, when any is wrong.
    func values(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> [Literal]? {
        guard let nodes = nodes(value, &diagnostics) else { return nil }
        let literals = nodes.compactMap { literal($0, &diagnostics) }
        return literals.count == nodes.count ? literals : nil
    }

    /// The values of an argument, one or a list of them; nil, and an error, when there is none.
    func nodes(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> [YAMLNode]? {
        guard let elements = value.elements else { return [value] }
        guard !elements.isEmpty else {
            diagnostics.error(at: value.location, "an empty list takes no event; name a value, or remove `\(name)`")
            return nil
        }
        guard elements.count <= Self.mostValues else {
            diagnostics.error(at: value.location, "a list has at most \(Self.mostValues) values")
            return nil
        }
        return elements
    }

    /// A value that can be compared with; nil, and an error, for a list, a mapping, an unquoted null or too long a text.
    func scalar(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> YAMLScalar? {
        guard let scalar = node.scalar else {
            let hint = node.entries == nil ? "" : "; only `not:` takes operators"
            diagnostics.error(at: node.location, "expected a value of \(name), found \(node.kindName)\(hint)")
            return nil
        }
        guard !scalar.isNull else {
            let message =
                scalar.text.isEmpty
                ? "`\(name)` has no value; for a field without one write {is: blank}, for an empty text \"\""
                : "null is no value to compare with; for the state write {is: \"null\"}, for the word \"\(scalar.text)\""
            diagnostics.error(at: node.location, message)
            return nil
        }
        guard scalar.text.utf8.count <= Self.longestText else {
            diagnostics.error(at: node.location, "a value has at most \(Self.longestText) bytes")
            return nil
        }
        return scalar
    }

    private func literal(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Literal? {
        guard let scalar = scalar(node, &diagnostics) else { return nil }
        if let closed { return closedLiteral(scalar.text, closed, node, &diagnostics) }
        return openLiteral(scalar, node, &diagnostics)
    }

    private func openLiteral(
        _ scalar: YAMLScalar, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> Literal? {
        let text = scalar.text
        if exactly { return Literal(text: text, keys: [.exact(Array(text.utf8))]) }
        switch path.kind {
        case .text, .identifier, .identifiers, .reasons:
            return Literal(text: text, keys: [.text(TextFolding.key(text))])
        case .boolean:
            return node.boolean(&diagnostics).map { Literal(text: text, keys: [.text(Array("\($0)".utf8))]) }
        case .number:
            guard let number = DecimalNumber.canonical(text.utf8) else {
                diagnostics.error(at: node.location, "\(name) is a number such as 3, not `\(scalar.displayText)`")
                return nil
            }
            return Literal(text: text, keys: [.number(number)])
        case .timestamp:
            return MomentReader(name: name).fixed(node, scalar, &diagnostics).map {
                Literal(text: text, keys: [.moment($0)])
            }
        case .any, .map:
            let number = DecimalNumber.canonical(text.utf8).map { [LiteralKey.number($0)] } ?? []
            return Literal(text: text, keys: [.text(TextFolding.key(text))] + number)
        }
    }

    /// A value that must be one of those that can occur; of event types also `visitor.*`.
    private func closedLiteral(
        _ text: String, _ closed: ClosedValues, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> Literal? {
        let isPrefix = path == .event && !exactly && text.hasSuffix(".*")
        let matching =
            isPrefix ? closed.beginning(with: String(text.dropLast())) : closed.equal(to: text, exactly: exactly)
        guard !matching.isEmpty else {
            reportUnknown(text, closed, node, &diagnostics)
            return nil
        }
        let keys = matching.map { exactly ? LiteralKey.exact(Array($0.utf8)) : .text(TextFolding.key($0)) }
        return Literal(text: text, keys: keys)
    }

    private func reportUnknown(
        _ text: String, _ closed: ClosedValues, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) {
        let prefixes = path == .event && !exactly ? ClosedValues.eventPrefixes.map { $0 + "*" } : []
        let suggestion = nearest(text, among: closed.values + prefixes)
        var hint = ""
        if closed.values.isEmpty {
            hint = "; there are none"
        } else if suggestion == nil, closed.values.count <= 16 {
            hint = "; there are \(closed.values.joined(separator: ", "))"
        }
        diagnostics.error(
            at: node.location, "no \(closed.what) is called `\(displayable(text))`\(hint)", didYouMean: suggestion)
    }
}
