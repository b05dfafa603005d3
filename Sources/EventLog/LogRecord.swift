package import Events

/// An event on its way into the log.
package struct NewRecord: Sendable {
    package var id: EventID
    /// The canonical type, or a `system.…` type.
    package var type: String
    /// The unit of order: records of one key keep their order within the log.
    package var partitionKey: [UInt8]
    /// The event's own time, milliseconds since 1970 UTC.
    package var timeMs: Int64
    /// When it was received, milliseconds since 1970 UTC.
    package var receivedAtMs: Int64
    package var source: String
    /// What `find` and erasing go by. The log keeps a keyed hash of each, not the value.
    package var visitorID: [UInt8]?
    package var returningID: [UInt8]?
    /// In lower case.
    package var email: [UInt8]?
    /// As `LogRecord.verifiedBy`.
    package var verifiedBy: String?
    /// The structured CloudEvent. Not empty: an empty payload is what remains of an erased record.
    package var payload: [UInt8]

    package init(
        id: EventID, type: String, partitionKey: [UInt8], timeMs: Int64, receivedAtMs: Int64, source: String,
        visitorID: [UInt8]? = nil, returningID: [UInt8]? = nil, email: [UInt8]? = nil, verifiedBy: String? = nil,
        payload: [UInt8]
    ) {
        self.id = id
        self.type = type
        self.partitionKey = partitionKey
        self.timeMs = timeMs
        self.receivedAtMs = receivedAtMs
        self.source = source
        self.visitorID = visitorID
        self.returningID = returningID
        self.email = email
        self.verifiedBy = verifiedBy
        self.payload = payload
    }
}

/// A record as it stands in the log.
package struct LogRecord: Sendable, Equatable {
    package var place: RecordPlace
    package var id: EventID
    package var type: String
    package var receivedAtMs: Int64
    package var source: String
    /// The name of the secret, or of the header's value, that proved where its request came from. Empty: the source takes
    /// requests from anybody. Nil: it was not kept (an older record), or there was no request.
    package var verifiedBy: String?
    /// The structured CloudEvent; empty for a record that was erased.
    package var payload: [UInt8]
    /// The same event stands before it in its partition: a log that several instances append to may hold repeats, and
    /// tells those that came within its window. There is nothing to deliver.
    package var isRepeat: Bool

    package init(
        place: RecordPlace, id: EventID, type: String, receivedAtMs: Int64, source: String,
        verifiedBy: String? = nil, payload: [UInt8], isRepeat: Bool = false
    ) {
        self.place = place
        self.id = id
        self.type = type
        self.receivedAtMs = receivedAtMs
        self.source = source
        self.verifiedBy = verifiedBy
        self.payload = payload
        self.isRepeat = isRepeat
    }

    /// Its content was erased on request: it keeps its place and has nothing to deliver.
    package var isErased: Bool { payload.isEmpty }

    /// Events of Gatehouse's own, which are not counted among the accepted.
    package var isSystem: Bool { Self.isSystem(type) }

    package static func isSystem(_ type: String) -> Bool { type.hasPrefix("system.") }
}

/// What of a batch could not be decoded, kept beside the log for people to look at.
package struct QuarantinedElement: Sendable, Equatable {
    package var source: String
    /// The element's place in its batch, counted from 0.
    package var index: Int
    package var receivedAtMs: Int64
    /// Why, without the text itself.
    package var reason: String
    /// The bytes as received, after the field policy; nil where the policy keeps none.
    package var bytes: [UInt8]?
    /// Bytes received.
    package var size: Int
    /// Of what was received, in lower-case hex.
    package var sha256: String
    /// The same element of a batch that is sent again has the same key, and is kept and counted once.
    package var key: String

    package init(
        source: String, index: Int, receivedAtMs: Int64, reason: String, bytes: [UInt8]?, size: Int, sha256: String,
        key: String
    ) {
        self.source = source
        self.index = index
        self.receivedAtMs = receivedAtMs
        self.reason = reason
        self.bytes = bytes
        self.size = size
        self.sha256 = sha256
        self.key = key
    }
}

/// What one request brought.
package struct AppendBatch: Sendable {
    package var records: [NewRecord]
    package var quarantined: [QuarantinedElement]
    /// It is written before what is not, and has room of its own among what waits.
    package var isUrgent: Bool

    package init(records: [NewRecord], quarantined: [QuarantinedElement] = [], isUrgent: Bool = false) {
        self.isUrgent = isUrgent
        self.records = records
        self.quarantined = quarantined
    }
}

/// What became of one record of a batch. Both are durable.
package enum AppendOutcome: Sendable, Hashable {
    case appended(RecordPlace)
    /// An event of the same id is in the log, or was inside the dedupe window.
    case duplicate
}

/// A piece of the log.
package struct LogBatch: Sendable {
    package var records: [LogRecord]
    /// Where to go on reading.
    package var next: LogPosition

    package init(records: [LogRecord], next: LogPosition) {
        self.records = records
        self.next = next
    }
}
