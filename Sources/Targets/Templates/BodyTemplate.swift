import Events
import JSON

/// A JSON body with places for an event's values. It is a tree of typed values, never a text that is put together: what
/// a visitor typed can only ever be the inside of a JSON string.
indirect enum BodyTemplate: Sendable {
    case object([Member])
    case array([BodyTemplate])
    /// JSON text.
    case literal([UInt8])
    /// The value as the event has it, with its own type; null when absent.
    case value(TemplateReference, Presence)
    /// Text with values in it; those that are absent or null leave nothing.
    case text([Piece], Presence)
    /// Where the events of a batch go; only in a batch's `wrap:`.
    case events

    struct Member: Sendable {
        var name: String
        var value: BodyTemplate
    }

    enum Piece: Sendable {
        case literal([UInt8])
        case reference(TemplateReference)
    }

    /// What becomes of a value that the event does not have.
    enum Presence: Sendable {
        case always
        /// Written `{?name}`: the member or element is left out when the field is absent or null.
        case whenPresent
    }

    /// The body for one event.
    /// - Parameter omitsDefaults: members of objects that only their `default:` would fill are left out.
    func render(_ event: EventView, _ policy: ContentPolicy, omitsDefaults: Bool = false) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        write(event, policy, omitsDefaults: omitsDefaults, &writer)
        return writer.bytes
    }

    private func write(
        _ event: EventView, _ policy: ContentPolicy, omitsDefaults: Bool = false, _ writer: inout JSONWriter
    ) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members where member.value.isWritten(event, policy) {
                if omitsDefaults, member.value.fallsBack(in: event, policy) { continue }
                writer.key(member.name)
                member.value.write(event, policy, omitsDefaults: omitsDefaults, &writer)
            }
            writer.endObject()
        case .array(let elements):
            writer.beginArray()
            for element in elements where element.isWritten(event, policy) { element.write(event, policy, &writer) }
            writer.endArray()
        case .literal(let text):
            writer.raw(text)
        case .value(let reference, _):
            if let value = reference.value(in: event, policy) { value.write(event, &writer) } else { writer.null() }
        case .text(let pieces, _):
            writer.string(utf8: Self.text(pieces, event, policy))
        case .events: writer.null()
        }
    }

    static func text(_ pieces: [Piece], _ event: EventView, _ policy: ContentPolicy) -> [UInt8] {
        var text: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let literal): text.append(contentsOf: literal)
            case .reference(let reference): reference.value(in: event, policy)?.append(event, to: &text)
            }
        }
        return text
    }

    /// Whether a `default:` is written somewhere in it for want of a value.
    private func fallsBack(in event: EventView, _ policy: ContentPolicy) -> Bool {
        switch self {
        case .value(let reference, _): reference.fallsBack(in: event, policy)
        case .text(let pieces, _):
            pieces.contains { piece in
                if case .reference(let reference) = piece { reference.fallsBack(in: event, policy) } else { false }
            }
        case .object, .array, .literal, .events: false
        }
    }

    /// Whether there is a `default:` in it that a merge may leave out.
    var hasDefaults: Bool {
        func isDefault(_ reference: TemplateReference) -> Bool {
            if case .fallback? = reference.filters.last { true } else { false }
        }
        return switch self {
        case .object(let members): members.contains(where: \.value.hasDefaults)
        case .value(let reference, _): isDefault(reference)
        case .text(let pieces, _):
            pieces.contains { if case .reference(let reference) = $0 { isDefault(reference) } else { false } }
        case .array, .literal, .events: false
        }
    }

    private func isWritten(_ event: EventView, _ policy: ContentPolicy) -> Bool {
        switch self {
        case .value(let reference, .whenPresent): reference.value(in: event, policy) != nil
        case .text(let pieces, .whenPresent):
            pieces.allSatisfy { piece in
                if case .reference(let reference) = piece { reference.value(in: event, policy) != nil } else { true }
            }
        default: true
        }
    }
}
