import EventLog
import Events

/// What is known of every event from outside, whatever the program says of itself.
final class Ledger {
    struct Event {
        let record: NewRecord
        let happenedAt: Int64
        var acknowledgedAt: Int64?
        /// Where an acknowledgement or the log itself said it is.
        var place: RecordPlace?
    }

    private(set) var events: [EventID: Event] = [:]
    private(set) var order: [EventID] = []

    func add(_ record: NewRecord, at now: Int64) {
        events[record.id] = Event(record: record, happenedAt: now)
        order.append(record.id)
    }

    subscript(id: EventID) -> Event? { events[id] }

    var acknowledgedCount: Int { events.values.count { $0.acknowledgedAt != nil } }

    func note(_ place: RecordPlace, of id: EventID) { events[id]?.place = place }

    /// - Returns: why the acknowledgement cannot be right.
    func acknowledge(_ id: EventID, _ outcome: AppendOutcome, at now: Int64) -> String? {
        guard let known = events[id] else { return "an event is acknowledged that nobody sent" }
        if case .appended(let place) = outcome {
            if known.acknowledgedAt != nil { return "the event \(id) is taken twice although it was acknowledged" }
            if let former = known.place, former != place {
                return "the event \(id) is at \(former), and acknowledged at \(place)"
            }
            events[id]?.place = place
        }
        if known.acknowledgedAt == nil { events[id]?.acknowledgedAt = now }
        return nil
    }

    /// Compares with everything that can be read from the log.
    /// - Returns: what is not as it must be.
    func compare(with records: [LogRecord], beginning: Int64) -> String? {
        var found: Set<EventID> = []
        for record in records {
            guard let known = events[record.id] else { return "the log holds \(record.id), which nobody sent" }
            guard found.insert(record.id).inserted else { return "the log holds \(record.id) twice" }
            if record.payload != known.record.payload { return "the log holds other bytes of \(record.id)" }
            if known.acknowledgedAt != nil, let place = known.place, place != record.place {
                return "the event \(record.id) was acknowledged at \(place) and is at \(record.place)"
            }
            events[record.id]?.place = record.place
        }
        for id in order where !found.contains(id) {
            guard let event = events[id] else { continue }
            if event.acknowledgedAt == nil {
                // It was never promised, and its place may be another's next time.
                events[id]?.place = nil
            } else if event.place.map({ $0.offset >= beginning }) ?? (beginning == 1) {
                // One that was acknowledged as a repeat alone may have been removed before its place was seen.
                return "the event \(id) was acknowledged and is not in the log (\(event.place?.description ?? "?"))"
            }
        }
        return nil
    }
}
