internal import Events
internal import YAML

/// Reads `when:`. Everything that is wrong is reported; a condition with an error is nil.
struct ConditionReader {
    /// Nil: names of sources, vendors and sites are not checked.
    let environment: RuleEnvironment?

    private static let blocks = ["any", "all", "not"]
    /// Fields of the language that this version has no use for.
    private static let laterFields = ["time", "json"]

    /// `{}` takes every event.
    func when(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Condition? {
        if node.isNull {
            diagnostics.error(at: node.location, "`when:` is empty; remove it to take every event")
            return nil
        }
        return block(node, "when", &diagnostics)
    }

    /// Fields and blocks side by side, all of which must hold.
    private func block(_ node: YAMLNode, _ what: String, _ diagnostics: inout Diagnostics) -> Condition? {
        guard let entries = node.entries else {
            diagnostics.error(
                at: node.location, "\(what) must be a mapping (`field: value`), found \(node.kindName)")
            return nil
        }
        var parts: [Condition] = []
        var isComplete = true
        for entry in entries {
            if let part = member(entry, &diagnostics) { parts.append(part) } else { isComplete = false }
        }
        return isComplete ? .conjunction(parts) : nil
    }

    private func member(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> Condition? {
        switch entry.name {
        case "any": return list(entry, &diagnostics).map(Condition.any)
        case "all": return list(entry, &diagnostics).map(Condition.all)
        case "not":
            if entry.value.elements != nil {
                diagnostics.error(
                    at: entry.value.location, "`not:` takes a mapping; for several write not: {any: […]}")
                return nil
            }
            return nonEmptyBlock(entry.value, "not", &diagnostics).map { .not($0) }
        case "event":
            return tests(entry.value, path: .event, name: "event", &diagnostics)
        default:
            guard let node = FieldNode.root.child(entry.name) else {
                reportUnknownField(entry, &diagnostics)
                return nil
            }
            return field(entry.value, node, name: entry.name, &diagnostics)
        }
    }

    private func list(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> [Condition]? {
        guard let elements = entry.value.elements, !elements.isEmpty else {
            diagnostics.error(
                at: entry.value.location,
                "`\(entry.name):` takes a list of conditions (`- {field: value}`), found "
                    + (entry.value.elements == nil ? entry.value.kindName : "an empty one"))
            return nil
        }
        let parts = elements.compactMap { nonEmptyBlock($0, "a condition of \(entry.name)", &diagnostics) }
        return parts.count == elements.count ? parts : nil
    }

    private func nonEmptyBlock(_ node: YAMLNode, _ what: String, _ diagnostics: inout Diagnostics) -> Condition? {
        if node.entries?.isEmpty ?? false {
            diagnostics.error(at: node.location, "\(what) is empty; write a field and a value, or remove it")
            return nil
        }
        return block(node, what, &diagnostics)
    }

    // MARK: Fields

    private func field(
        _ value: YAMLNode, _ node: FieldNode, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        if let field = node.field {
            if field.kind == .map { return entries(value, field, name: name, &diagnostics) }
            return tests(value, path: .field(field), name: name, &diagnostics)
        }
        if let meaning = node.meaning, value.entries == nil {
            return tests(value, path: .field(meaning), name: name, &diagnostics)
        }
        return group(value, node, name: name, &diagnostics)
    }

    /// Sub-fields; where a scalar has a meaning of its own, also operators on that.
    private func group(
        _ value: YAMLNode, _ node: FieldNode, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        let names = node.children.map(\.name)
        guard let entries = value.entries, !entries.isEmpty else {
            let example = names.contains("name") ? "name" : names.first ?? ""
            let found = value.entries == nil ? value.kindName : "nothing"
            diagnostics.error(
                at: value.location, "\(name) needs one of its fields, such as \(name): {\(example): …}, found \(found)")
            return nil
        }
        var parts: [Condition] = []
        var isComplete = true
        for entry in entries {
            let part: Condition?
            if let child = node.child(entry.name) {
                part = field(entry.value, child, name: "\(name).\(entry.name)", &diagnostics)
            } else if let meaning = node.meaning, RuleOperator(rawValue: entry.name) != nil {
                part = test(entry, path: .field(meaning), name: name, &diagnostics)
            } else {
                part = nil
                let known = names + (node.meaning == nil ? [] : RuleOperator.available.map(\.rawValue))
                let isOperator = RuleOperator(rawValue: entry.name) != nil
                diagnostics.error(
                    at: entry.key.location,
                    isOperator
                        ? "`\(entry.name):` stands under a field of \(name), such as "
                            + "\(name): {\(names.first ?? ""): {\(entry.name): …}}"
                        : "unknown field `\(displayable(entry.name))` of \(name); there are "
                            + names.joined(separator: ", "),
                    didYouMean: isOperator ? nil : nearest(entry.name, among: known))
            }
            if let part { parts.append(part) } else { isComplete = false }
        }
        return isComplete ? .conjunction(parts) : nil
    }

    /// Entries of `personal` and `additional`: every key is a field's name, with its dots and spaces.
    private func entries(
        _ value: YAMLNode, _ field: EventField, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard let entries = value.entries, !entries.isEmpty else {
            diagnostics.error(
                at: value.location,
                "\(name) needs its fields' names, such as \(name): {NAME: …}, found "
                    + (value.entries == nil ? value.kindName : "nothing"))
            return nil
        }
        var parts: [Condition] = []
        for entry in entries {
            let path = FieldPath.entry(field, Array(entry.name.utf8))
            let shown = "\(name) \"\(displayable(entry.name))\""
            if let part = tests(entry.value, path: path, name: shown, &diagnostics) { parts.append(part) }
        }
        return parts.count == entries.count ? .conjunction(parts) : nil
    }

    private func reportUnknownField(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) {
        let name = entry.name
        if Self.laterFields.contains(name) {
            diagnostics.error(at: entry.key.location, "`\(name):` is not available in this version")
            return
        }
        let names = ["event"] + FieldNode.root.children.map(\.name) + Self.blocks
        let nested = EventField.allCases.map(\.path).filter { $0.contains(".") }
        var suggestion = nearest(name, among: names)
        if suggestion == nil {
            let path = nested.contains(name) ? name : nearest(name, among: nested)
            suggestion = path.map(Self.nesting)
        }
        diagnostics.error(
            at: entry.key.location, "unknown field `\(displayable(name))`", didYouMean: suggestion)
    }

    /// `visitor.email` as a rule writes it: `visitor: {email: …}`.
    private static func nesting(_ path: String) -> String {
        let parts = path.split(separator: ".")
        return parts.dropLast().reversed().reduce("\(parts.last ?? ""): …") { "\($1): {\($0)}" }
    }
}

// MARK: Tests of one field

extension ConditionReader {
    /// A scalar, a list, or operators, all of which must hold.
    private func tests(
        _ value: YAMLNode, path: FieldPath, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard let operators = value.entries else {
            return equality(value, path: path, name: name, exactly: false, &diagnostics)
        }
        guard !operators.isEmpty else {
            diagnostics.error(at: value.location, "\(name) says nothing; write a value or an operator, or remove it")
            return nil
        }
        let parts = operators.compactMap { test($0, path: path, name: name, &diagnostics) }
        guard parts.count == operators.count else { return nil }
        return .conjunction(parts)
    }

    private func test(
        _ entry: YAMLEntry, path: FieldPath, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard let operation = RuleOperator(rawValue: entry.name) else {
            diagnostics.error(
                at: entry.key.location, "unknown operator `\(displayable(entry.name))` under \(name)",
                didYouMean: nearest(entry.name, among: RuleOperator.allCases.map(\.rawValue)))
            return nil
        }
        switch operation {
        case .equals, .anyOf:
            return equality(entry.value, path: path, name: name, exactly: false, &diagnostics)
        case .exactly:
            switch path.kind {
            case .boolean, .number, .timestamp:
                diagnostics.error(
                    at: entry.key.location, "`exactly:` compares text, and \(name) is none; write `equals:`")
                return nil
            default:
                return equality(entry.value, path: path, name: name, exactly: true, &diagnostics)
            }
        case .not:
            return tests(entry.value, path: path, name: name, &diagnostics).map { .not($0) }
        case .is:
            return state(entry.value, path: path, name: name, &diagnostics)
        default:
            diagnostics.error(at: entry.key.location, "`\(entry.name):` is not available in this version")
            return nil
        }
    }

    private func equality(
        _ value: YAMLNode, path: FieldPath, name: String, exactly: Bool, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        let reader = LiteralReader(path: path, name: name, exactly: exactly, environment: environment)
        return reader.values(value, &diagnostics).map {
            .leaf(Leaf(path: path, name: name, test: .equals($0, exactly: exactly)))
        }
    }

    private func state(
        _ value: YAMLNode, path: FieldPath, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        let elements = value.elements ?? [value]
        let words = FieldState.allCases.map(\.rawValue)
        var states: [FieldState] = []
        for element in elements {
            if element.isNull {
                diagnostics.error(at: element.location, "write is: \"null\" with quotes for the state null")
            } else if let word = element.choice(of: words, &diagnostics), let state = FieldState(rawValue: word) {
                states.append(state)
            }
        }
        if elements.isEmpty {
            diagnostics.error(at: value.location, "an empty list takes no event; name a state, or remove `is:`")
        }
        guard states.count == elements.count, !states.isEmpty else { return nil }
        return .leaf(Leaf(path: path, name: name, test: .state(states)))
    }
}
