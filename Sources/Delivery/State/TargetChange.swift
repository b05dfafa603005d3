package import EventLog
package import Events
package import Targets

/// What one event is to a target, as history shows it.
package enum DeliveryState: Int, Sendable, Hashable, CaseIterable {
    case pending = 0
    case delivered = 1
    case filtered = 2
    case dead = 3
    case discarded = 4
    case expired = 5

    package var name: String { String(describing: self) }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// What is known of one event at one target after its last attempt.
package struct HistoryEntry: Sendable {
    package var place: RecordPlace
    package var id: EventID
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var state: DeliveryState
    package var attempts: Int
    /// The wall clock, milliseconds.
    package var atMs: Int64
    package var status: Int?
    /// A failure's stable code.
    package var reason: String?
    package var durationMs: Int64
    /// The wall clock, milliseconds; for pending ones.
    package var nextAtMs: Int64?
    package var routes: RouteSet
    /// False when something else happened to it than an attempt.
    package var isAttempt = true
    /// What was sent and what came back; nil when nothing is known of it.
    package var exchange: Exchange?
    /// The request, where others went in it as well.
    package var batch: RequestedBatch?
}

/// A request of several events.
package final class RequestedBatch: Sendable {
    /// In the order they were sent.
    package let places: [RecordPlace]
    package let exchange: Exchange

    package init(_ places: [RecordPlace], _ exchange: Exchange) {
        self.places = places
        self.exchange = exchange
    }
}

/// An event a target could not take, with everything needed to judge it and to send it again.
package struct DeadLetter: Sendable {
    /// Where the event's text is.
    package enum Payload: Sendable {
        case text([UInt8])
        /// In the open row of the same place, which this dead letter replaces.
        case openRow
    }

    package var place: RecordPlace
    package var id: EventID
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var routes: RouteSet?
    package var atMs: Int64
    /// The last failure's stable code, or `too_old`, `gave_up`, `unreadable`.
    package var reason: String
    package var attempts: Int
    package var status: Int?
    package var message: String
    /// The beginning of the receiver's last answer.
    package var response: [UInt8]
    package var payload: Payload
}

/// One step of a commit; steps are carried out in order.
package enum StateOperation: Sendable {
    /// A new open row, with the event's text.
    case open(OpenEntry, payload: [UInt8], nextAtMs: Int64)
    /// Another failed try of an open event.
    case postpone(OpenEntry, nextAtMs: Int64)
    /// The open event is finished.
    case close(RecordPlace)
    /// A dead letter; the open row of its place, if any, goes.
    case bury(DeadLetter)
    /// A dead letter becomes an open event.
    case requeue(OpenEntry, nextAtMs: Int64)
    /// A dead letter goes for good.
    case discard(RecordPlace)
    /// A dead letter has become too old to be kept; it stays counted as one.
    case trim(RecordPlace)
    case record(HistoryEntry)

    /// The memory it takes, roughly.
    var footprint: Int {
        switch self {
        case .open(_, let payload, _): payload.count + 400
        case .postpone, .close, .requeue, .discard, .trim: 200
        case .record(let entry): 300 + (entry.batch == nil ? entry.exchange?.footprint ?? 0 : 0)
        case .bury(let letter):
            if case .text(let bytes) = letter.payload { bytes.count + 600 } else { 600 + letter.response.count }
        }
    }
}

/// The part of a target's state that is written whole with every commit.
package struct TargetCursor: Sendable, Hashable {
    /// Every event before it is finished, in the open set, or one of `holes`.
    package var position: LogPosition
    /// Places before `position` that are neither finished nor in the open set: in flight, or failed while the whole
    /// target waits. After a crash these are sent again, and nothing else before `position` is.
    package var holes: [RecordPlace]
    package var counters: TargetCounters
    /// Switched off by an operator.
    package var isPaused: Bool
    /// Switched off because of what the target answered: the failure's code.
    package var disabledReason: String?
    /// The wall clock, milliseconds.
    package var failingSinceMs: Int64?

    package init(position: LogPosition) {
        self.position = position
        holes = []
        counters = TargetCounters()
        isPaused = false
    }

    /// The lowest place per partition that is still needed from the log.
    package var lowest: LogPosition {
        holes.reduce(into: position) { lowest, hole in
            let partition = Int(hole.partition)
            lowest.offsets[partition] = min(lowest.offsets[partition], hole.offset)
        }
    }
}

/// What a commit writes for one target, all in one transaction.
package struct TargetChange: Sendable {
    package var cursor: TargetCursor
    package var operations: [StateOperation]
}

/// What a target's state is made from again after a restart.
package struct RestoredTarget: Sendable {
    package var cursor: TargetCursor
    package var open: [OpenRecord]

    /// An open row without its text.
    package struct OpenRecord: Sendable {
        package var place: RecordPlace
        package var id: EventID
        package var type: String
        package var source: String
        package var receivedAtMs: Int64
        package var routes: RouteSet
        package var tries: Int
        package var counted: Int
        package var firstTriedAtMs: Int64
        package var nextAtMs: Int64
        package var reason: String
        /// Of the event's text, in bytes.
        package var size = 0
        package var key: UInt64?
        package var requeuedAtMs: Int64?
    }

    package init(cursor: TargetCursor, open: [OpenRecord] = []) {
        self.cursor = cursor
        self.open = open
    }
}
