internal import Events
internal import JSON

/// Where a condition looks in an event.
enum FieldPath: Hashable, Sendable {
    /// The event's canonical type.
    case event
    case field(EventField)
    /// An entry of `personal` or `additional`, by the bytes of its key: keys match exactly.
    case entry(EventField, [UInt8])
    /// The event's own time.
    case time
    /// A place in the sender's own payload.
    case pointer(JSONPointer)

    /// How its values are compared.
    var kind: FieldKind {
        switch self {
        case .event: .text
        case .field(let field): field.kind
        case .entry, .pointer: .any
        case .time: .timestamp
        }
    }

    /// Whether it may hold several values at once.
    var holdsLists: Bool {
        switch kind {
        case .identifiers, .reasons, .any, .map: true
        default: false
        }
    }

    var text: String {
        switch self {
        case .event: "event"
        case .field(let field): field.path
        case .entry(let field, let key): "\(field.path) \"\(String(decoding: key, as: UTF8.self))\""
        case .time: "time"
        case .pointer(let pointer): "json \"\(pointer)\""
        }
    }
}

/// The names a rule may use, as a tree: the event's field table read by its dots.
struct FieldNode: Sendable {
    let name: String
    /// The field that ends here; nil for a group of fields.
    let field: EventField?
    let children: [FieldNode]

    /// What a scalar means where a group of fields stands: a site is its id, a visitor group its name.
    var meaning: EventField? {
        guard field == nil else { return nil }
        return switch name {
        case "site": .siteID
        case "group": child("name")?.field
        default: nil
        }
    }

    func child(_ name: String) -> FieldNode? { children.first { $0.name == name } }

    static let root = FieldNode(
        name: "", field: nil,
        children: tree(EventField.allCases.map { ($0, $0.components.map(\.description)[...]) }))

    /// Every name that can stand at the top of a condition and is a field.
    static let top = ["event"] + root.children.map(\.name) + ["time", "json"]

    private static func tree(_ fields: [(field: EventField, rest: ArraySlice<String>)]) -> [FieldNode] {
        var names: [String] = []
        var groups: [String: [(field: EventField, rest: ArraySlice<String>)]] = [:]
        for (field, rest) in fields {
            guard let name = rest.first else { continue }
            if groups[name] == nil { names.append(name) }
            groups[name, default: []].append((field, rest.dropFirst()))
        }
        return names.map { name in
            let group = groups[name] ?? []
            return FieldNode(name: name, field: group.first { $0.rest.isEmpty }?.field, children: tree(group))
        }
    }
}
