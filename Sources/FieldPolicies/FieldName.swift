internal import Events

/// What a name in a field policy means.
enum FieldName: Hashable {
    case field(EventField)
    /// One entry of `personal` or `additional`; its key is literal.
    case entry(EventField, key: String)
    /// Every field below it, such as `visitor`.
    case group(String)
    /// When the event happened.
    case time

    init?(_ name: String) {
        if name == "time" {
            self = .time
        } else if let field = EventField(path: name) {
            self = .field(field)
        } else if let (map, key) = EventField.mapEntry(name) {
            self = .entry(map, key: key)
        } else if EventField.groupPaths.contains(name) {
            self = .group(name)
        } else {
            return nil
        }
    }

    /// Those a policy may name, for suggestions.
    static let all: [String] =
        EventField.allCases.filter { !$0.saysWhatItIs }.map(\.path)
        + EventField.groupPaths.filter { $0 != "system" } + ["time"]

    /// The fields it reaches; of an entry its map.
    var fields: [EventField] {
        switch self {
        case .field(let field), .entry(let field, _): [field]
        case .group(let name): EventField.allCases.filter { $0.path.hasPrefix(name + ".") }
        case .time: []
        }
    }

    /// The more specific a name, the later it is applied, so that it wins.
    var specificity: Int {
        switch self {
        case .group(let name): name.split(separator: ".").count
        case .field, .time: 10
        case .entry: 11
        }
    }
}

extension EventField {
    /// Without these an event is none: no policy takes them away.
    var saysWhatItIs: Bool {
        switch self {
        case .vendor, .vendorEvent, .source, .receivedAt, .timeInferred: true
        default: isSystem
        }
    }
}
