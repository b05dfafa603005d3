package import EventLog
package import Events

/// One event of the log in memory, parsed once and shared by every target that takes it.
package final class LoggedEvent: Sendable {
    package let place: RecordPlace
    package let id: EventID
    /// The canonical type.
    package let type: String
    package let source: String
    package let receivedAtMs: Int64
    /// The canonical event's text.
    package let payload: [UInt8]
    /// Nil when the payload cannot be read as an event.
    package let view: EventView?
    /// Why the event can only become a dead letter; nil when it can be sent.
    package let flaw: String?

    package init(
        place: RecordPlace, id: EventID, type: String, source: String, receivedAtMs: Int64, payload: [UInt8],
        view: EventView?, flaw: String? = nil
    ) {
        self.place = place
        self.id = id
        self.type = type
        self.source = source
        self.receivedAtMs = receivedAtMs
        self.payload = payload
        self.view = view
        self.flaw = flaw ?? (view == nil ? "unreadable" : nil)
    }

    package var isSystem: Bool { LogRecord.isSystem(type) }

    /// What it is kept in order by; nil for an event without a key.
    var orderKey: UInt64? { view.flatMap { OrderKey.hash(Array($0.partitionKey.utf8)) } }

    /// The memory it takes, roughly: the text, its flat list of values, and what surrounds them.
    var footprint: Int { payload.count * 2 + 512 }
}

/// The routes that took an event for a target, by name. Events that the same routes take share one.
package final class RouteSet: Sendable {
    /// Its row in the state file.
    package let id: Int64
    /// In the order of the plan.
    package let names: [String]

    package init(id: Int64, names: [String]) {
        self.id = id
        self.names = names
    }
}
