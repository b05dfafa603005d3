internal import Events

/// Which fields of an event somebody is given, and in what shape: what a source keeps of what it received, what a target is
/// told. Whoever is given an event under a policy never gets the sender's own payload, where the same things stand under
/// names that nobody has listed.
package struct FieldPolicy: Sendable {
    /// By the field's number; nil: as it stands.
    private(set) var rules: [FieldRule?]
    /// What is left of the time at which the event happened, and at which it was received.
    let time: Coarseness?
    /// The fields as they stand in each other.
    let tree: [FieldNode]
    /// Whether the ids that an event's subject and key are made of may change.
    let changesSubject: Bool

    init(rules: [FieldRule?], time: Coarseness?) {
        var rules = rules
        let received = Int(EventField.receivedAt.rawValue)
        if let time, rules[received] == nil { rules[received] = FieldRule(.coarsen(time)) }
        self.rules = rules
        self.time = time
        tree = FieldNode.tree(EventField.allCases.map { ($0, $0.components[...]) }, rules)
        changesSubject = (EventField.subjects.map(\.field) + [.siteID]).contains { rules[Int($0.rawValue)] != nil }
    }

    func rule(_ field: EventField) -> FieldRule? { rules[Int(field.rawValue)] }
}

/// What is done to one field.
struct FieldRule: Sendable {
    /// Of `personal` and `additional`: of every entry that is not in `entries`. Nil: nothing.
    var change: ValueChange?
    /// Of `personal` and `additional`, by their keys.
    var entries: [String: ValueChange?] = [:]

    init(_ change: ValueChange?) {
        self.change = change
    }

    /// Nothing of the field is left, whatever it holds.
    var removesAll: Bool {
        guard case .remove = change else { return false }
        return entries.values.allSatisfy { if case .remove = $0 { true } else { false } }
    }

    func change(ofEntry key: String) -> ValueChange? { entries[key] ?? change }
}

/// The field table as a tree of names.
enum FieldNode: Sendable {
    /// - isChanged: something in it may be.
    indirect case group(StaticString, [FieldNode], isChanged: Bool)
    case field(StaticString, EventField, FieldRule?)

    var name: StaticString {
        switch self {
        case .group(let name, _, _), .field(let name, _, _): name
        }
    }

    var isChanged: Bool {
        switch self {
        case .group(_, _, let isChanged): isChanged
        case .field(_, _, let rule): rule != nil
        }
    }

    static func tree(_ fields: [(field: EventField, rest: ArraySlice<StaticString>)], _ rules: [FieldRule?]) -> [Self] {
        var nodes: [FieldNode] = []
        var names: [String] = []
        for (field, rest) in fields {
            guard let name = rest.first else { continue }
            guard rest.count > 1 else {
                nodes.append(.field(name, field, rules[Int(field.rawValue)]))
                continue
            }
            guard !names.contains(name.description) else { continue }
            names.append(name.description)
            let members = fields.filter { $0.rest.count > 1 && $0.rest.first?.description == name.description }
            let children = tree(members.map { ($0.field, $0.rest.dropFirst()) }, rules)
            nodes.append(.group(name, children, isChanged: children.contains(where: \.isChanged)))
        }
        return nodes
    }
}
