import Events
import JSON
import YAML

/// A `{…}` of a template: a value of an event, and what is made of it on its way.
struct TemplateReference: Sendable {
    var field: FieldReference
    /// In the order they are written.
    var filters: [TemplateFilter] = []
    /// Where it is written; nil for one that nobody has written.
    var location: SourceLocation?

    /// Nil when there is nothing to write: then it is left out or written as null.
    func value(in event: EventView, _ policy: ContentPolicy) -> TemplateValue? {
        var value = ownValue(in: event, policy)
        for filter in filters { value = filter.apply(to: value, event) }
        return value
    }

    /// What it may be a value of, the first before the others.
    var fields: [FieldReference] {
        [field] + filters.compactMap { if case .alternative(let field, _) = $0 { field } else { nil } }
    }

    /// Whether what it writes is its `default:`.
    func fallsBack(in event: EventView, _ policy: ContentPolicy) -> Bool {
        guard case .fallback? = filters.last else { return false }
        var value = ownValue(in: event, policy)
        for filter in filters.dropLast() { value = filter.apply(to: value, event) }
        return value?.isBlank(event) ?? true
    }

    private func ownValue(in event: EventView, _ policy: ContentPolicy) -> TemplateValue? {
        switch field {
        case .original: return policy.original(of: event).map { .json($0) }
        case .format(let name): return Self.formatted(name, event, policy)
        default: break
        }
        guard let place = field.value(in: event), event.tape.kind(place) != .null else { return nil }
        return .place(place)
    }

    private static func formatted(_ name: String, _ event: EventView, _ policy: ContentPolicy) -> TemplateValue? {
        let options = RenderingOptions(policy: policy, hostname: MachineName.value)
        guard let format = Formats.named(name),
            let line = try? format.render(OutgoingEvent(event: event, routes: []), options)
        else { return nil }
        return format.isObject ? .json(line) : .text(line)
    }
}

/// A value on its way from an event into a template.
enum TemplateValue: Sendable, Hashable {
    /// As the event has it; never null.
    case place(JSONIndex)
    /// UTF-8.
    case text([UInt8])
    /// A whole JSON value, as it is written.
    case json([UInt8])

    /// The value by itself, with its own type.
    func write(_ event: EventView, _ writer: inout JSONWriter) {
        switch self {
        case .place(let place): writer.raw(event.tape, place)
        case .text(let text): writer.string(utf8: text)
        case .json(let json): writer.raw(json)
        }
    }

    /// The value inside a text; a list is written as JSON.
    func append(_ event: EventView, to text: inout [UInt8]) {
        switch self {
        case .place(let place):
            switch event.tape.kind(place) {
            case .array, .object: text.append(contentsOf: event.tape.bytes[event.tape.span(place)])
            default: event.tape.appendText(place, to: &text)
            }
        case .text(let bytes): text.append(contentsOf: bytes)
        case .json(let bytes): if bytes != Self.null { text.append(contentsOf: bytes) }
        }
    }

    static let null = Array("null".utf8)

    /// The text of a string; nil for any other value.
    func string(_ event: EventView) -> [UInt8]? {
        switch self {
        case .text(let text): return text
        case .place(let place):
            guard event.tape.kind(place) == .string else { return nil }
            var text: [UInt8] = []
            event.tape.appendText(place, to: &text)
            return text
        case .json: return nil
        }
    }

    /// Whether a person who filled in a form would say that nothing is there: an empty text, only white space, `[]`, `{}`.
    func isBlank(_ event: EventView) -> Bool {
        switch self {
        case .place(let place):
            switch event.tape.kind(place) {
            case .array, .object: return event.tape.count(place) == 0
            default: break
            }
        case .json(let json): return json == Self.null
        case .text: break
        }
        guard let text = string(event) else { return false }
        return String(decoding: text, as: UTF8.self).unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }
}
