internal import Events
internal import JSON
package import YAML

extension FieldChange {
    /// Reads the argument of `--set`: `group: Contractor`, `{site: 4567, json: {/visitor/extra: x}}`.
    /// - Throws: everything that is wrong with the text; places are in a file of this name.
    package static func read(_ text: String, file: String = "--set") throws(Diagnostics) -> [FieldChange] {
        var diagnostics = Diagnostics()
        guard let root = try parseYAML(Array(text.utf8), file: file) else {
            diagnostics.error(at: SourceLocation(file: file), "a field is missing, such as 'group: Contractor'")
            throw diagnostics
        }
        let changes = FieldChangeReader().changes(root, &diagnostics)
        if diagnostics.hasErrors { throw diagnostics }
        return changes
    }
}

/// Reads `set:`: the event's fields, nested as conditions nest them, and the values they are given.
struct FieldChangeReader {
    func changes(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [FieldChange] {
        guard let entries = node.entries else {
            diagnostics.error(
                at: node.location, "`set:` must be a mapping (`field: value`), found \(node.kindName)")
            return []
        }
        var changes: [FieldChange] = []
        for entry in entries { member(entry, &changes, &diagnostics) }
        return changes
    }

    private func member(_ entry: YAMLEntry, _ changes: inout [FieldChange], _ diagnostics: inout Diagnostics) {
        switch entry.name {
        case "event":
            let types = CanonicalType.allCases.map(\.rawValue)
            guard let name = entry.value.name(&diagnostics) else { return }
            guard types.contains(name) else {
                diagnostics.error(
                    at: entry.value.location, "no event is called `\(displayable(name))`",
                    didYouMean: nearest(name, among: types))
                return
            }
            add(.event, entry, &changes, &diagnostics)
        case "time":
            let reader = LiteralReader(path: .time, name: "time", exactly: false)
            guard let scalar = reader.scalar(entry.value, &diagnostics),
                MomentReader(name: "time").fixed(entry.value, scalar, &diagnostics) != nil
            else { return }
            add(.time, entry, &changes, &diagnostics)
        case "json":
            for member in members(entry, "json: {\"/visitor/extra\": …}", &diagnostics) {
                guard let pointer = ConditionReader.pointer(member.key, &diagnostics) else { continue }
                add(.pointer(pointer), member, &changes, &diagnostics)
            }
        default:
            guard let node = FieldNode.root.child(entry.name) else {
                diagnostics.error(
                    at: entry.key.location, "unknown field `\(displayable(entry.name))`",
                    didYouMean: nearest(entry.name, among: FieldNode.top))
                return
            }
            field(entry, node, &changes, &diagnostics)
        }
    }

    private func field(
        _ entry: YAMLEntry, _ node: FieldNode, _ changes: inout [FieldChange], _ diagnostics: inout Diagnostics
    ) {
        if let field = node.field {
            guard field.kind == .map else { return add(.field(field), entry, &changes, &diagnostics) }
            for member in members(entry, "\(node.name): {NAME: …}", &diagnostics) {
                add(.entry(field, member.name), member, &changes, &diagnostics)
            }
            return
        }
        if let meaning = node.meaning, entry.value.scalar != nil {
            return add(.field(meaning), entry, &changes, &diagnostics)
        }
        for member in members(entry, "\(node.name): {\(node.children[0].name): …}", &diagnostics) {
            guard let child = node.child(member.name) else {
                let names = node.children.map(\.name)
                diagnostics.error(
                    at: member.key.location,
                    "unknown field `\(displayable(member.name))` of \(entry.name); there are "
                        + names.joined(separator: ", "),
                    didYouMean: nearest(member.name, among: names))
                continue
            }
            field(member, child, &changes, &diagnostics)
        }
    }

    private func members(
        _ entry: YAMLEntry, _ example: String, _ diagnostics: inout Diagnostics
    ) -> [YAMLEntry] {
        guard let entries = entry.value.entries, !entries.isEmpty else {
            let found = entry.value.entries == nil ? entry.value.kindName : "nothing"
            diagnostics.error(
                at: entry.value.location,
                "`\(displayable(entry.name)):` needs its fields, such as \(example), found \(found)")
            return []
        }
        return entries
    }

    private func add(
        _ field: ChangedField, _ entry: YAMLEntry, _ changes: inout [FieldChange], _ diagnostics: inout Diagnostics
    ) {
        var change = FieldChange(field: field, json: nil, location: entry.key.location)
        if !Self.isAbsent(entry.value) {
            guard let json = NodeJSON.text(entry.value, &diagnostics) else { return }
            change.json = json
        }
        changes.append(change)
    }

    /// `{is: absent}` takes the field away.
    private static func isAbsent(_ node: YAMLNode) -> Bool {
        guard let entries = node.entries, entries.count == 1, entries[0].name == "is" else { return false }
        return entries[0].value.scalar?.text == "absent"
    }
}
