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
    func render(_ event: EventView, _ policy: ContentPolicy) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        write(event, policy, &writer)
        return writer.bytes
    }

    private func write(_ event: EventView, _ policy: ContentPolicy, _ writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members where member.value.isWritten(event, policy) {
                writer.key(member.name)
                member.value.write(event, policy, &writer)
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
