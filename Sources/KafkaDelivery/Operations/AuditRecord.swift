internal import Delivery
internal import JSON
internal import Kafka

/// An entry of the operators' audit log as it stands in its topic: JSON.
enum AuditRecord {
    static func encode(_ entry: AuditEntry, topic: String) -> KafkaRecord {
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        json.member("at", entry.atMs)
        json.member("actor", entry.actor)
        json.member("action", entry.action)
        json.optional("subject", entry.subject)
        json.optional("detail", entry.detail)
        json.endObject()
        var record = KafkaRecord(topic: topic, value: json.bytes)
        record.partition = 0
        record.timestampMs = entry.atMs
        return record
    }

    static func decode(_ message: KafkaMessage, _ decoder: StateDecoder) throws(StateRecordError) -> AuditEntry {
        guard let value = message.value else { throw StateRecordError("it has no value") }
        let fields = try decoder.fields(value)
        return AuditEntry(
            atMs: try fields.integer("at"), actor: fields.optionalText("actor") ?? "",
            action: try fields.text("action"), subject: fields.optionalText("subject"),
            detail: fields.optionalText("detail"))
    }
}
