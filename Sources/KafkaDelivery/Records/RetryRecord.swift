package import Delivery
package import EventLog
internal import Events
internal import JSON
package import Kafka
package import KafkaLog

/// How an event left a topic of the state.
package enum RecordEnding: String, Sendable, Hashable, CaseIterable {
    case delivered, filtered, dead, discarded, expired
    /// Filtered, because the target itself did not take it any more: the reason as it is told to people.
    case noConsent = "no_consent"
    case noKey = "no_key"
    case optedOut = "opted_out"
    case notEnabled = "event_not_enabled"
    /// A dead letter is to be sent again: it is in the retry topic.
    case requeued
    /// A dead letter has become too old to be kept; it stays counted as one.
    case trimmed
    /// Nothing happened to it: a record that came too late, from an owner before, is taken back.
    case mended
}

/// A record of a target's retry topic: an event that waits for another try, or how it ended.
///
/// The record's value is the canonical event's text; everything else is JSON in one header, so that the text is in the topic
/// as it was received. A record without a value says that the event has left the open set.
package struct RetryRecord: Sendable {
    package enum Content: Sendable {
        case open(Open)
        case ended(RecordEnding)
    }

    /// An event of the open set.
    package struct Open: Sendable {
        /// The event, its tries, and when the next is due. Its route set is of no store.
        package var record: RestoredTarget.OpenRecord
        /// It was a dead letter before this record.
        package var wasDead: Bool
        package var payload: [UInt8]

        package init(_ record: RestoredTarget.OpenRecord, wasDead: Bool = false, payload: [UInt8]) {
            self.record = record
            self.wasDead = wasDead
            self.payload = payload
        }

        package var routes: [String] { record.routes.names }
    }

    package var key: StateKey
    package var stamp: RecordStamp
    package var place: RecordPlace
    package var content: Content

    package init(_ key: StateKey, _ stamp: RecordStamp, _ place: RecordPlace, _ content: Content) {
        self.key = key
        self.stamp = stamp
        self.place = place
        self.content = content
    }

    /// - Parameter partition: that of the topic.
    package func encoded(topic: String, partition: Int32, _ layout: LogLayout) -> KafkaRecord {
        var header = JSONWriter(reserving: 384)
        header.begin(place, stamp, layout)
        var value: [UInt8]?
        switch content {
        case .open(let open):
            Self.write(open, to: &header)
            value = open.payload
        case .ended(let ending): header.member("ended", ending.rawValue)
        }
        header.endObject()
        return KafkaRecord(
            topic: topic, partition: partition, key: key.bytes, headers: [.init(StateDecoder.header, header.bytes)],
            value: value)
    }

    private static func write(_ open: Open, to header: inout JSONWriter) {
        let record = open.record
        header.member("type", record.type)
        header.member("source", record.source)
        header.member("received_at", record.receivedAtMs)
        header.member("routes", record.routes.names)
        header.member("tries", Int64(record.tries))
        header.member("counted", Int64(record.counted))
        header.member("first_tried_at", record.firstTriedAtMs)
        header.member("next_at", record.nextAtMs)
        header.member("reason", record.reason)
        header.optional("order_key", record.key.map { String($0, radix: 16) })
        header.optional("requeued_at", record.requeuedAtMs)
        if open.wasDead {
            header.key("was_dead")
            header.bool(true)
        }
    }
}

extension StateDecoder {
    package func retry(_ message: KafkaMessage) throws(StateRecordError) -> RetryRecord {
        let key = try key(message)
        let fields = try fields(ofHeader: message)
        let place = try fields.place("place")
        guard let payload = message.value else {
            return RetryRecord(key, fields.stamp("n"), place, .ended(try fields.ending()))
        }
        let record = RestoredTarget.OpenRecord(
            keptAt: place, id: key.event, type: try fields.text("type"), source: try fields.text("source"),
            receivedAtMs: try fields.integer("received_at"),
            routes: RouteSet(id: 0, names: fields.texts("routes")), tries: fields.count("tries"),
            counted: fields.count("counted"), firstTriedAtMs: try fields.integer("first_tried_at"),
            nextAtMs: try fields.integer("next_at"), reason: fields.optionalText("reason") ?? "", size: payload.count,
            key: fields.optionalText("order_key").flatMap { UInt64($0, radix: 16) },
            requeuedAtMs: fields.optionalInteger("requeued_at"))
        let open = RetryRecord.Open(record, wasDead: fields.bool("was_dead"), payload: payload)
        return RetryRecord(key, fields.stamp("n"), place, .open(open))
    }
}

extension JSONWriter {
    /// What the header of a record of either topic begins with.
    mutating func begin(_ place: RecordPlace, _ stamp: RecordStamp, _ layout: LogLayout) {
        beginObject()
        member("place", place, layout)
        member("n", stamp)
    }
}

extension StateFields {
    func ending() throws(StateRecordError) -> RecordEnding {
        guard let ending = optionalText("ended").flatMap({ RecordEnding(rawValue: $0) }) else {
            throw missing("ended")
        }
        return ending
    }

    /// A count: 0 where there is none.
    func count(_ name: StaticString) -> Int {
        optionalInteger(name).map { Int(min(max($0, 0), Int64(Int32.max))) } ?? 0
    }
}
