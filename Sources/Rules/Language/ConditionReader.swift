internal import Events
internal import JSON
internal import YAML

/// Reads `when:`. Everything that is wrong is reported; a condition with an error is nil.
struct ConditionReader {
    /// The fields whose values are known.
    let closed: [FieldPath: ClosedValues]
    /// The named conditions and calendars; nil where there are none.
    let names: RuleNames?

    /// - Parameter environment: nil: names of sources, vendors and sites are not checked.
    init(environment: RuleEnvironment?) {
        closed = ClosedValues.table(environment)
        names = nil
    }

    /// For files, which name things.
    init(names: RuleNames) {
        closed = names.closed
        self.names = names
    }

    private static let blocks = ["any", "all", "not", "condition"]

    /// `{}` takes every event.
    /// - Parameter what: the key it stands under.
    func when(_ node: YAMLNode, _ what: String = "when", _ diagnostics: inout Diagnostics) -> Condition? {
        if node.isNull {
            diagnostics.error(at: node.location, "`\(what):` is empty; remove it to take every event")
            return nil
        }
        return bounded(block(node, what, &diagnostics), what, at: node.location, &diagnostics)
    }

    /// `when:` where nothing stands above it.
    func when(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Condition? { when(node, "when", &diagnostics) }

    /// An entry of `conditions:`.
    func named(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> Condition? {
        let what = "the condition `\(displayable(entry.name))`"
        return bounded(
            nonEmptyBlock(entry.value, what, &diagnostics), what, at: entry.key.location, &diagnostics)
    }

    private func bounded(
        _ condition: Condition?, _ what: String, at location: SourceLocation, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard let condition, let excess = ConditionSize(condition).excess else { return condition }
        diagnostics.error(at: location, "\(what) \(excess)")
        return nil
    }

    /// Fields and blocks side by side, all of which must hold.
    private func block(_ node: YAMLNode, _ what: String, _ diagnostics: inout Diagnostics) -> Condition? {
        guard let entries = node.entries else {
            diagnostics.error(
                at: node.location, "\(what) must be a mapping (`field: value`), found \(node.kindName)")
            return nil
        }
        guard names?.enter() ?? true else {
            diagnostics.error(
                at: node.location,
                "nested deeper than \(ConditionSize.mostDepth) levels, the conditions named above it counted")
            return nil
        }
        defer { names?.leave() }
        return conjunction(entries, &diagnostics) { member($0, &$1) }
    }

    /// What each entry asks; nil when any is wrong.
    private func conjunction(
        _ entries: [YAMLEntry], _ diagnostics: inout Diagnostics,
        _ read: (YAMLEntry, inout Diagnostics) -> Condition?
    ) -> Condition? {
        var parts: [Condition] = []
        parts.reserveCapacity(entries.count)
        for entry in entries {
            if let part = read(entry, &diagnostics) { parts.append(part) }
        }
        return parts.count == entries.count ? .conjunction(parts) : nil
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
        case "condition": return namedConditions(entry.value, &diagnostics)
        case "event": return tests(entry.value, AskedField(.event, "event", entry), &diagnostics)
        case "time": return tests(entry.value, AskedField(.time, "time", entry), &diagnostics)
        case "json": return pointers(entry.value, &diagnostics)
        default:
            guard let node = FieldNode.root.child(entry.name) else {
                reportUnknownField(entry, &diagnostics)
                return nil
            }
            return field(entry, node, name: entry.name, &diagnostics)
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
        if node.isNull || node.entries?.isEmpty ?? false {
            diagnostics.error(at: node.location, "\(what) is empty; write a field and a value, or remove it")
            return nil
        }
        return block(node, what, &diagnostics)
    }

    /// One name or several, of which one must hold.
    private func namedConditions(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Condition? {
        if node.entries != nil {
            diagnostics.error(
                at: node.location,
                "`condition:` takes the name of one of `conditions:`, or a list of names; "
                    + "for the opposite write not: {condition: NAME}")
            return nil
        }
        guard let names else {
            diagnostics.error(at: node.location, "there are no named conditions here; write the condition itself")
            return nil
        }
        guard !node.isNull, node.elements?.isEmpty != true else {
            diagnostics.error(at: node.location, "`condition:` names none; name one of `conditions:`, or remove it")
            return nil
        }
        guard let elements = node.elements else { return names.condition(node, &diagnostics) }
        let parts = elements.compactMap { names.condition($0, &diagnostics) }
        guard parts.count == elements.count else { return nil }
        return parts.count == 1 ? parts[0] : .any(parts)
    }
}

// MARK: Fields

extension ConditionReader {
    private func field(
        _ entry: YAMLEntry, _ node: FieldNode, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        if let field = node.field {
            if field.kind == .map { return entries(entry.value, field, name: name, &diagnostics) }
            return tests(entry.value, AskedField(.field(field), name, entry), &diagnostics)
        }
        if let meaning = node.meaning, entry.value.entries == nil {
            return tests(entry.value, AskedField(.field(meaning), name, entry), &diagnostics)
        }
        return group(entry.value, node, name: name, &diagnostics)
    }

    /// Sub-fields; where a scalar has a meaning of its own, also operators on that.
    private func group(
        _ value: YAMLNode, _ node: FieldNode, name: String, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard let entries = value.entries, !entries.isEmpty else {
            let names = node.children.map(\.name)
            let example = names.contains("name") ? "name" : names.first ?? ""
            let found = value.entries == nil ? value.kindName : "nothing"
            diagnostics.error(
                at: value.location, "\(name) needs one of its fields, such as \(name): {\(example): …}, found \(found)")
            return nil
        }
        return conjunction(entries, &diagnostics) { entry, diagnostics in
            if let child = node.child(entry.name) {
                return field(entry, child, name: "\(name).\(entry.name)", &diagnostics)
            }
            if let meaning = node.meaning, let operation = RuleOperator(rawValue: entry.name) {
                return test(entry, operation, AskedField(.field(meaning), name, entry), &diagnostics)
            }
            reportUnknownSubfield(entry, node, name: name, &diagnostics)
            return nil
        }
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
        return conjunction(entries, &diagnostics) { entry, diagnostics in
            let path = FieldPath.entry(field, Array(entry.name.utf8))
            let shown = "\(name) \"\(displayable(entry.name))\""
            return tests(entry.value, AskedField(path, shown, entry), &diagnostics)
        }
    }

    /// Members of `json`: JSON pointers into the sender's own payload.
    private func pointers(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> Condition? {
        guard let entries = value.entries, !entries.isEmpty else {
            diagnostics.error(
                at: value.location,
                "json needs places in the sender's payload, such as json: {\"/visitor/extra\": …}, found "
                    + (value.entries == nil ? value.kindName : "nothing"))
            return nil
        }
        return conjunction(entries, &diagnostics) { entry, diagnostics in
            guard let pointer = Self.pointer(entry.key, &diagnostics) else { return nil }
            let asked = AskedField(.pointer(pointer), "json \"\(displayable(entry.name))\"", entry)
            return tests(entry.value, asked, &diagnostics)
        }
    }

    /// A key that is a JSON pointer; nil, and an error, when it is none.
    static func pointer(_ key: YAMLNode, _ diagnostics: inout Diagnostics) -> JSONPointer? {
        let text = key.scalar?.text ?? ""
        guard text.utf8.count <= LiteralReader.longestText else {
            diagnostics.error(at: key.location, "a JSON pointer has at most \(LiteralReader.longestText) bytes")
            return nil
        }
        do throws(JSONPointerError) {
            return try JSONPointer(text)
        } catch {
            switch error.code {
            case .missingSlash:
                diagnostics.error(
                    at: key.location, "a JSON pointer begins with `/`", didYouMean: "/" + displayable(text))
            case .invalidEscape:
                diagnostics.error(
                    at: key.location, "in a JSON pointer a `~` is written `~0`, and a `/` inside a name `~1`")
            }
            return nil
        }
    }

    private func reportUnknownSubfield(
        _ entry: YAMLEntry, _ node: FieldNode, name: String, _ diagnostics: inout Diagnostics
    ) {
        let names = node.children.map(\.name)
        if RuleOperator(rawValue: entry.name) != nil {
            diagnostics.error(
                at: entry.key.location,
                "`\(entry.name):` stands under a field of \(name), such as "
                    + "\(name): {\(names.first ?? ""): {\(entry.name): …}}")
            return
        }
        let operators = node.meaning.map { meaning in
            RuleOperator.allCases.filter { $0.applies(to: .field(meaning)) }.map(\.rawValue)
        }
        diagnostics.error(
            at: entry.key.location,
            "unknown field `\(displayable(entry.name))` of \(name); there are \(names.joined(separator: ", "))",
            didYouMean: nearest(entry.name, among: names + (operators ?? [])))
    }

    private func reportUnknownField(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) {
        let name = entry.name
        let names = FieldNode.top + Self.blocks
        let nested = EventField.allCases.map(\.path).filter { $0.contains(".") }
        var suggestion = nearest(name, among: names)
        var hint = ""
        if RuleOperator(rawValue: name) != nil {
            suggestion = nil
            hint = "; an operator stands under a field, such as group: {\(name): …}"
        } else if suggestion == nil {
            let path = nested.contains(name) ? name : nearest(name, among: nested)
            suggestion = path.map(Self.nesting)
            if suggestion == nil { hint = "; a sender's own field stands under personal: or additional:" }
        }
        diagnostics.error(
            at: entry.key.location, "unknown field `\(displayable(name))`\(hint)", didYouMean: suggestion)
    }

    /// `visitor.email` as a rule writes it: `visitor: {email: …}`.
    private static func nesting(_ path: String) -> String {
        let parts = path.split(separator: ".")
        return parts.dropLast().reversed().reduce("\(parts.last ?? ""): …") { "\($1): {\($0)}" }
    }
}
