internal import Cryptography
package import EventLog
internal import Events
internal import JSON
package import Kafka

/// A quarantined element as a record of the quarantine's topic: its key is the element's, its value a JSON object.
package enum QuarantineCodec {
    package static func encode(_ element: QuarantinedElement, topic: String) -> KafkaRecord {
        var writer = JSONWriter(reserving: 256 + (element.bytes?.count ?? 0) * 4 / 3)
        writer.beginObject()
        writer.key("source")
        writer.string(element.source)
        writer.key("index")
        writer.integer(Int64(element.index))
        writer.key("received_at")
        writer.string(Timestamp(milliseconds: element.receivedAtMs).text)
        writer.key("reason")
        writer.string(element.reason)
        writer.key("size")
        writer.integer(Int64(element.size))
        writer.key("sha256")
        writer.string(element.sha256)
        writer.key("key")
        writer.string(element.key)
        if let bytes = element.bytes {
            writer.key("bytes")
            writer.string(utf8: Base64.encodedBytes(bytes))
        }
        writer.endObject()
        return KafkaRecord(
            topic: topic, partition: 0, timestampMs: element.receivedAtMs, key: Array(element.key.utf8),
            headers: [KafkaRecord.Header("content-type", "application/json")], value: writer.bytes)
    }

    /// Nil for what is no quarantined element.
    package static func decode(_ message: KafkaMessage) -> QuarantinedElement? {
        guard let value = message.value, let tape = try? JSONParser().parse(value) else { return nil }
        func text(_ name: String) -> String? {
            tape.member(tape.root, named: name).flatMap { tape.kind($0) == .string ? tape.text($0) : nil }
        }
        func integer(_ name: String) -> Int? {
            tape.member(tape.root, named: name).flatMap { tape.integer($0) }.map { Int($0) }
        }
        guard let source = text("source"), let index = integer("index"),
            let receivedAt = text("received_at").flatMap({ Timestamp($0) }), let reason = text("reason"),
            let size = integer("size"), let digest = text("sha256"), let key = text("key")
        else { return nil }
        return QuarantinedElement(
            source: source, index: index, receivedAtMs: receivedAt.milliseconds, reason: reason,
            bytes: text("bytes").flatMap { Base64.decode($0) }, size: size, sha256: digest, key: key)
    }
}
