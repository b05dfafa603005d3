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
    /// The whole event in one of `Formats`, by its name.
    case format(String)

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
        } else if let format = Self.format(name) {
            self = .format(format.name)
        } else if let (map, key) = EventField.mapEntry(name) {
            self = .entry(map, key: key)
        } else if EventField.groupPaths.contains(name) {
            self = .group(name.split(separator: ".").map(String.init))
        } else {
            return nil
        }
    }

    /// Every name there is, for suggestions.
    static let names =
        EventField.allCases.map(\.path) + envelopeNames + EventField.groupPaths + ["original"]
        + formats.map { formatPrefix + $0.name }

    private static let formatPrefix = "format."
    private static let formats = Formats.all.filter { !$0.isSendersOwn }

    private static func format(_ name: String) -> (any EventFormat)? {
        guard name.hasPrefix(formatPrefix) else { return nil }
        return formats.first { $0.name == name.dropFirst(formatPrefix.count) }
    }

    /// The fields that hold times.
    static let times = ["time"] + EventField.allCases.filter { $0.kind == .timestamp }.map(\.path)

    /// Whether there may be a time in it; of what senders fill in freely nobody knows.
    var mayBeTime: Bool {
        switch self {
        case .envelope(let name): name == "time"
        case .field(let field): field.kind == .timestamp || field.kind == .any
        case .entry: true
        case .group, .original, .format: false
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
        case .format(let name): Self.formatPrefix + name
        }
    }

    /// Whether its value is an object, which has no place inside a text.
    var isObject: Bool {
        switch self {
        case .group, .original: true
        case .field(let field): field.kind == .map
        case .format(let name): Formats.named(name)?.isObject ?? false
        case .envelope, .entry: false
        }
    }

    /// Whether it is no value of the event, but all of it in some form.
    var isWholeEvent: Bool {
        switch self {
        case .original, .format: true
        case .envelope, .field, .entry, .group: false
        }
    }

    /// Nil when absent, and for a format, which is no part of the event.
    func value(in event: EventView) -> JSONIndex? {
        switch self {
        case .envelope(let name): event.tape.member(event.tape.root, named: name)
        case .field(let field): event.value(field)
        case .entry(let map, let key): event.value(map).flatMap { event.tape.member($0, named: key) }
        case .group(let path):
            path.reduce(Optional(event.data)) { place, name in place.flatMap { event.tape.member($0, named: name) } }
        case .original: event.original
        case .format: nil
        }
    }
}
