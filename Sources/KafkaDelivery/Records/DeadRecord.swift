package import Delivery
package import EventLog
internal import Events
internal import JSON
package import Kafka
package import KafkaLog

/// A record of a target's dead-letter topic: a dead letter, or why there is none any more. The value is the canonical
/// event's text; everything else is JSON in one header.
package struct DeadRecord: Sendable {
    package enum Content: Sendable {
        /// With its text. Its route set is of no store.
        case letter(DeadLetter)
        case ended(RecordEnding)
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

    /// Bytes of the reason for people that are kept.
    static let maximumMessage = 4096
    /// Bytes of the answer that are kept.
    static let maximumResponse = 8192

    /// - Parameter partition: that of the topic.
    package func encoded(topic: String, partition: Int32, _ layout: LogLayout) -> KafkaRecord {
        var header = JSONWriter(reserving: 512)
        header.begin(place, stamp, layout)
        var value: [UInt8]?
        switch content {
        case .letter(let letter):
            Self.write(letter, to: &header)
            // One without a text would be taken for one that is gone.
            if case .text(let text) = letter.payload { value = text } else { value = [] }
        case .ended(let ending): header.member("ended", ending.rawValue)
        }
        header.endObject()
        return KafkaRecord(
            topic: topic, partition: partition, key: key.bytes, headers: [.init(StateDecoder.header, header.bytes)],
            value: value)
    }

    private static func write(_ letter: DeadLetter, to header: inout JSONWriter) {
        header.member("type", letter.type)
        header.member("source", letter.source)
        header.member("received_at", letter.receivedAtMs)
        if let routes = letter.routes { header.member("routes", routes.names) }
        header.member("at", letter.atMs)
        header.member("reason", letter.reason)
        header.member("attempts", Int64(letter.attempts))
        header.optional("status", letter.status.map(Int64.init))
        if !letter.message.isEmpty { header.member("message", letter.message.beginning(maximumMessage)) }
        if !letter.response.isEmpty {
            header.member("response", bytes: Array(letter.response.prefix(maximumResponse)))
        }
    }
}

extension StateDecoder {
    package func dead(_ message: KafkaMessage) throws(StateRecordError) -> DeadRecord {
        let key = try key(message)
        let fields = try fields(ofHeader: message)
        let place = try fields.place("place")
        guard let payload = message.value else {
            return DeadRecord(key, fields.stamp("n"), place, .ended(try fields.ending()))
        }
        let letter = DeadLetter(
            keptAt: place, id: key.event, type: try fields.text("type"), source: try fields.text("source"),
            receivedAtMs: try fields.integer("received_at"),
            routes: fields.member("routes").map { _ in RouteSet(id: 0, names: fields.texts("routes")) },
            atMs: try fields.integer("at"), reason: try fields.text("reason"), attempts: fields.count("attempts"),
            status: fields.optionalInteger("status").flatMap { Int(exactly: $0) },
            message: fields.optionalText("message") ?? "", response: try fields.bytes("response") ?? [],
            payload: .text(payload))
        return DeadRecord(key, fields.stamp("n"), place, .letter(letter))
    }
}
