internal import Events
package import YAML

extension FieldPolicy {
    /// Where a policy stands.
    package enum Place: Sendable {
        /// What it takes away is kept nowhere.
        case source
        /// What it takes away is not sent there.
        case target
    }

    /// The keys of a policy.
    package static let keys = ["only", "redact", "hash", "truncate", "coarsen"]

    /// Reads the keys of a policy; nil when none of them is there, or with errors.
    package static func decode(
        _ reader: inout MappingReader, at place: Place, _ diagnostics: inout Diagnostics
    ) -> FieldPolicy? {
        var draft = PolicyDraft(place: place)
        draft.read(&reader, &diagnostics)
        return draft.policy(&diagnostics)
    }
}

/// A policy as it is read, name by name.
private struct PolicyDraft {
    private struct Line {
        var name: FieldName
        var change: ValueChange
        var node: YAMLNode
    }

    let place: FieldPolicy.Place
    private var only: [FieldName]?
    private var lines: [Line] = []
    /// A name that is not good was reported.
    private var isBroken = false
    private var isThere = false

    /// Names of one policy at the most.
    private static let maximumNames = 1000

    init(place: FieldPolicy.Place) {
        self.place = place
    }

    // MARK: reading

    mutating func read(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        if let node = reader.optional("only") {
            isThere = true
            only = node.list(&diagnostics).compactMap { name($0, isForOnly: true, &diagnostics) }
        }
        if let node = reader.optional("redact") {
            isThere = true
            refuseEmpty(node, &diagnostics)
            for element in node.list(&diagnostics) { add(element, .remove, &diagnostics) }
        }
        if let node = reader.optional("hash") {
            isThere = true
            readHash(node, &diagnostics)
        }
        if let node = reader.optional("truncate") {
            isThere = true
            refuseEmpty(node, &diagnostics)
            for entry in node.mapping("truncate", &diagnostics) ?? [] {
                guard let length = entry.value.integer(in: 1...10_000, &diagnostics) else {
                    isBroken = true
                    continue
                }
                add(entry.key, .truncate(length), &diagnostics)
            }
        }
        if let node = reader.optional("coarsen") {
            isThere = true
            refuseEmpty(node, &diagnostics)
            for entry in node.mapping("coarsen", &diagnostics) ?? [] { readCoarsen(entry, &diagnostics) }
        }
        if lines.count > Self.maximumNames || only?.count ?? 0 > Self.maximumNames {
            isBroken = true
            diagnostics.error(at: reader.location, "a field policy names at most \(Self.maximumNames) fields")
        }
    }

    /// Of an empty `only:` nothing but the envelope is left; where the others are empty something was lost.
    private mutating func refuseEmpty(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard node.elements?.isEmpty ?? node.entries?.isEmpty ?? false else { return }
        isBroken = true
        diagnostics.error(
            at: node.location, "nothing stands here, so nothing would be taken away; name fields, or leave it out")
    }

    private mutating func readHash(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard node.entries != nil, var reader = MappingReader(node, "hash", &diagnostics) else {
            isBroken = true
            if node.entries == nil {
                diagnostics.error(
                    at: node.location,
                    "`hash:` needs a key, so that nobody finds the values by trying: {key: \"${env:HASH_KEY}\", fields: […]}; `gatehouse keys generate hash` makes one"
                )
            }
            return
        }
        let key = reader.required("key", &diagnostics).flatMap { hashKey($0, &diagnostics) }
        if let fields = reader.required("fields", &diagnostics), let key {
            refuseEmpty(fields, &diagnostics)
            for element in fields.list(&diagnostics) { add(element, .hash(key), &diagnostics) }
        } else {
            isBroken = true
        }
        reader.finish(&diagnostics)
    }

    private func hashKey(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> PseudonymKey? {
        guard let text = node.name(&diagnostics), let scalar = node.scalar else { return nil }
        guard scalar.isResolved else { return PseudonymKey(nil) }
        guard text.utf8.count >= PseudonymKey.minimumLength else {
            diagnostics.error(
                at: node.location,
                "a key of \(text.utf8.count) bytes can be guessed; it needs at least \(PseudonymKey.minimumLength): `gatehouse keys generate hash` makes one"
            )
            return nil
        }
        return PseudonymKey(text)
    }

    private mutating func readCoarsen(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) {
        let words = Coarseness.allCases.map(\.rawValue)
        guard let word = entry.value.choice(of: words, &diagnostics), let coarseness = Coarseness(rawValue: word) else {
            isBroken = true
            return
        }
        add(entry.key, .coarsen(coarseness), &diagnostics)
    }

    private mutating func add(_ node: YAMLNode, _ change: ValueChange, _ diagnostics: inout Diagnostics) {
        guard let name = name(node, isForOnly: false, &diagnostics) else { return }
        guard let problem = problem(name, change) else {
            if lines.contains(where: { $0.name == name }) {
                isBroken = true
                diagnostics.error(at: node.location, "`\(shown(node))` stands here twice: one thing is done to a field")
            }
            lines.append(Line(name: name, change: change, node: node))
            return
        }
        isBroken = true
        diagnostics.error(at: node.location, "`\(shown(node))` \(problem)")
    }

    private mutating func name(
        _ node: YAMLNode, isForOnly: Bool, _ diagnostics: inout Diagnostics
    ) -> FieldName? {
        guard let text = node.name(&diagnostics) else {
            isBroken = true
            return nil
        }
        guard node.scalar?.isResolved ?? true else {
            isBroken = true
            return nil
        }
        if let name = FieldName(text) {
            if !isForOnly || name != .time { return name }
            // It is always there.
            return nil
        }
        isBroken = true
        if text == "original" || text.hasPrefix("original.") {
            diagnostics.error(
                at: node.location,
                "under a field policy the sender's own payload is never passed on; leave `original` out of it")
        } else if ["id", "type", "subject", "partitionkey"].contains(text) {
            diagnostics.error(
                at: node.location,
                "`\(text)` is part of the envelope: subject and key are made of the ids that a policy leaves")
        } else {
            diagnostics.error(
                at: node.location, "there is no field `\(shown(node))`",
                didYouMean: node.scalar?.reference == nil ? nearest(text, among: FieldName.all) : nil)
        }
        return nil
    }

    private func shown(_ node: YAMLNode) -> String { node.scalar?.displayText ?? "" }

    /// Why it cannot be done to what is named; nil when it can.
    private func problem(_ name: FieldName, _ change: ValueChange) -> String? {
        let isCoarser = if case .coarsen = change { true } else { false }
        switch name {
        case .time, .field(.receivedAt):
            guard case .coarsen(let coarseness) = change, coarseness != .network else {
                return "is always there; `coarsen:` can make it the hour, day, month or year"
            }
            return place == .source ? "orders the log, so a source keeps it as it is; coarsen it at the targets" : nil
        case .field(let field) where field.saysWhatItIs: return "says what the event is, and nothing of people"
        case .field(let field):
            if isCoarser, field.kind == .map { return "has entries: name one, such as \(field.path).Birthday" }
            guard !change.fits(field) else { return nil }
            if isCoarser { return "cannot be made coarser so: dates can, and `network` is for device.ip" }
            return field.kind == .timestamp
                ? "is a time: `coarsen:` or `redact:` it" : "is no text: it can only be left out, by `redact:`"
        case .entry: return nil
        case .group(let group):
            if group == "system" { return "says what the event is, and nothing of people" }
            return isCoarser ? "is a group: name its field" : nil
        }
    }

    // MARK: putting it together

    func policy(_ diagnostics: inout Diagnostics) -> FieldPolicy? {
        guard isThere, !isBroken else { return nil }
        var rules = onlyRules()
        var time: Coarseness?
        for line in lines.sorted(by: { $0.name.specificity < $1.name.specificity }) {
            if case .coarsen(let coarseness) = line.change, line.name == .time { time = coarseness }
            guard line.name != .time, !apply(line, to: &rules) else { continue }
            if case .remove = line.change { continue }
            diagnostics.error(
                at: line.node.location, "`\(shown(line.node))` is not in `only:`, so it is never there to be changed")
        }
        return FieldPolicy(rules: rules, time: time)
    }

    /// What `only:` leaves out is removed, whatever else is said of it.
    private func onlyRules() -> [FieldRule?] {
        guard let only else { return EventField.allCases.map { _ in nil } }
        return EventField.allCases.map { field in
            if field.saysWhatItIs { return nil }
            var rule = FieldRule(.remove)
            for name in only where name.fields.contains(field) {
                guard case .entry(_, let key) = name else { return nil }
                rule.entries.updateValue(nil, forKey: key)
            }
            return rule
        }
    }

    /// Whether anything is left for it to change.
    private func apply(_ line: Line, to rules: inout [FieldRule?]) -> Bool {
        var isApplied = false
        for field in line.name.fields where !field.saysWhatItIs || line.name == .field(field) {
            guard line.change.fits(field) || line.name.isEntry else { continue }
            let place = Int(field.rawValue)
            if apply(line, to: &rules[place], field) { isApplied = true }
        }
        return isApplied
    }

    private func apply(_ line: Line, to rule: inout FieldRule?, _ field: EventField) -> Bool {
        let isOutOfOnly = only != nil && !isKept(field)
        if case .entry(_, let key) = line.name {
            if isOutOfOnly, rule?.entries[key] == nil { return false }
            if rule == nil { rule = FieldRule(nil) }
            rule?.entries.updateValue(line.change, forKey: key)
            return true
        }
        guard isOutOfOnly else {
            rule = FieldRule(line.change)
            return true
        }
        guard let keys = rule?.entries.keys, !keys.isEmpty else { return false }
        for key in keys { rule?.entries.updateValue(line.change, forKey: key) }
        return true
    }

    /// Whether `only:` keeps the field whole.
    private func isKept(_ field: EventField) -> Bool {
        only?.contains { !$0.isEntry && $0.fields.contains(field) } ?? true
    }
}

extension FieldName {
    fileprivate var isEntry: Bool { if case .entry = self { true } else { false } }
}
