import Events
import JSON

/// A sender's events, found by name.
struct EventCatalogue: Sendable {
    let events: [VendorEvent]
    private let types: [String: CanonicalType]

    init(_ events: [VendorEvent]) {
        self.events = events
        var types: [String: CanonicalType] = [:]
        for event in events {
            for name in [event.name] + event.aliases { types[name] = event.type }
        }
        self.types = types
    }

    /// What the name means: the source's own `events:` first.
    func type(of name: String, _ settings: DecodeSettings) -> CanonicalType {
        settings.events[name] ?? types[name] ?? .other
    }
}

extension EventDraft {
    /// Sets `vendor_event` and the type by the sender's name for the event, which the source's `map:` may find
    /// elsewhere.
    mutating func setEvent(
        _ tape: JSONTape, _ element: JSONIndex, _ name: JSONIndex?, _ catalogue: EventCatalogue,
        _ settings: DecodeSettings
    ) {
        guard let name = tape.first(of: settings.map.event, in: element) ?? name else { return }
        set(.vendorEvent, tape, name)
        type = tape.scalarText(name).map { catalogue.type(of: $0, settings) } ?? .other
    }

    /// Sets the event's time, which the source's `map:` may find elsewhere.
    mutating func setTime(_ tape: JSONTape, _ element: JSONIndex, _ time: JSONIndex?, _ settings: DecodeSettings) {
        self.time = EventDraft.time(tape, tape.first(of: settings.map.time, in: element) ?? time)
    }
}
