import Events
import JSON
import YAML

/// A `{…}` in a body template: the place in an event that it names.
enum FieldReference: Sendable, Hashable {
    /// A CloudEvents attribute, such as `id`.
    case envelope(String)
    case field(EventField)
    /// One entry of `personal` or `additional`; the key is literal.
    case entry(EventField, key: String)
    /// A group of fields, such as `visitor`: an object.
    case group([String])
    case original

    /// Attributes that no field of the same name hides: `{source}` is the configured source's name.
    static let envelopeNames = [
        "id", "type", "subject", "time", "specversion", "datacontenttype", "dataschema", "partitionkey",
    ]

    /// Nil for a name that no event has.
    init?(_ name: String) {
        if let field = EventField(path: name) {
            self = .field(field)
        } else if Self.envelopeNames.contains(name) {
            self = .envelope(name)
        } else if name == "original" {
            self = .original
        } else if let (map, key) = Self.mapEntry(name) {
            self = .entry(map, key: key)
        } else if Self.groups.contains(name) {
            self = .group(name.split(separator: ".").map(String.init))
        } else {
            return nil
        }
    }

    /// Every name there is, for suggestions.
    static let names = EventField.allCases.map(\.path) + envelopeNames + groups + ["original"]

    /// `visitor`, `host`, `host.group`, …
    private static let groups: [String] = {
        var names: [String] = []
        for field in EventField.allCases {
            let components = field.components.map(\.description)
            for length in 1..<max(components.count, 1) {
                let name = components.prefix(length).joined(separator: ".")
                if !names.contains(name) { names.append(name) }
            }
        }
        return names
    }()

    private static func mapEntry(_ name: String) -> (EventField, String)? {
        guard let dot = name.firstIndex(of: "."), let map = EventField(path: String(name[..<dot])), map.kind == .map
        else { return nil }
        let key = name[name.index(after: dot)...]
        return key.isEmpty ? nil : (map, String(key))
    }

    /// The fields that hold times.
    static let times = ["time"] + EventField.allCases.filter { $0.kind == .timestamp }.map(\.path)

    /// Whether there may be a time in it; of what senders fill in freely nobody knows.
    var mayBeTime: Bool {
        switch self {
        case .envelope(let name): name == "time"
        case .field(let field): field.kind == .timestamp || field.kind == .any
        case .entry: true
        case .group, .original: false
        }
    }

    /// As it is written between braces.
    var spelled: String {
        switch self {
        case .envelope(let name): name
        case .field(let field): field.path
        case .entry(let map, let key): "\(map.path).\(key)"
        case .group(let path): path.joined(separator: ".")
        case .original: "original"
        }
    }

    /// Whether its value is an object, which has no place inside a text.
    var isObject: Bool {
        switch self {
        case .group, .original: true
        case .field(let field): field.kind == .map
        case .envelope, .entry: false
        }
    }

    /// Nil when absent.
    func value(in event: EventView) -> JSONIndex? {
        switch self {
        case .envelope(let name): event.tape.member(event.tape.root, named: name)
        case .field(let field): event.value(field)
        case .entry(let map, let key): event.value(map).flatMap { event.tape.member($0, named: key) }
        case .group(let path):
            path.reduce(Optional(event.data)) { place, name in place.flatMap { event.tape.member($0, named: name) } }
        case .original: event.original
        }
    }
}
