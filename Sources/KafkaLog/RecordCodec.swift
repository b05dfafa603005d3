package import EventLog
package import Events
internal import JSON
package import Kafka

/// An event as a record of Kafka and back, by the CloudEvents Kafka protocol binding, version 1.0.2: in binary mode the
/// attributes are headers and the value is `data`, byte for byte; in structured mode the value is the whole event. Either
/// way reading gives the very bytes that were appended.
package enum RecordCodec {
    /// Beside what the binding has: what proved where the event came from (`LogRecord.verifiedBy`).
    package static let verifiedByHeader = "gatehouse_verified_by"
    /// Says that the value is the text as it was appended, because it is not the canonical one.
    static let wholeHeader = "gatehouse_payload"
    static let structuredType = "application/cloudevents+json; charset=UTF-8"

    // MARK: writing

    /// - Throws: `unsupported` for a type that has no topic.
    package static func encode(
        _ record: NewRecord, layout: LogLayout, isStructured: Bool
    ) throws(LogFailure) -> KafkaRecord {
        guard let type = CanonicalType(rawValue: record.type) else {
            throw LogFailure(.unsupported, "the type `\(record.type)` is not canonical: it has no topic")
        }
        let parts = EnvelopeParts(record)
        var headers = attributes(record, subject: parts?.envelope.subject, isCanonical: parts != nil)
        var value = record.payload
        if let parts {
            if !isStructured { value = Array(record.payload[parts.data]) }
            headers.append(.init("content-type", isStructured ? structuredType : "\(EventEnvelope.contentType)"))
        } else {
            headers.append(.init("content-type", "application/octet-stream"))
            headers.append(.init(wholeHeader, "whole"))
        }
        if let name = record.verifiedBy { headers.append(.init(verifiedByHeader, name)) }
        return KafkaRecord(
            topic: layout.topic(type), timestampMs: record.receivedAtMs, key: record.partitionKey, headers: headers,
            value: value)
    }

    private static func attributes(
        _ record: NewRecord, subject: [UInt8]?, isCanonical: Bool
    ) -> [KafkaRecord.Header] {
        var headers: [KafkaRecord.Header] = []
        headers.reserveCapacity(11)
        headers.append(.init("ce_specversion", "\(EventEnvelope.specificationVersion)"))
        headers.append(.init("ce_id", record.id.hex))
        headers.append(.init("ce_source", "/sources/" + record.source))
        headers.append(.init("ce_type", record.type))
        if let subject { headers.append(.init("ce_subject", subject)) }
        headers.append(.init("ce_time", Timestamp(milliseconds: record.timeMs).text))
        if isCanonical { headers.append(.init("ce_dataschema", "\(EventEnvelope.schema)")) }
        headers.append(.init("ce_partitionkey", record.partitionKey))
        return headers
    }

    // MARK: reading

    /// - Throws: `damaged` for a record that Gatehouse did not write, naming it.
    package static func decode(_ message: KafkaMessage, layout: LogLayout) throws(LogFailure) -> LogRecord {
        guard let partition = layout.index(topic: message.topic, partition: message.partition) else {
            throw LogFailure(.damaged, "\(name(message)) is of no topic of this log")
        }
        let attributes = RecordAttributes(message.headers)
        guard let value = message.value, !value.isEmpty else { throw foreign(message, "has no value") }
        guard attributes.specificationVersion == "1.0" else { throw foreign(message, "is no CloudEvent") }
        guard let id = attributes.id.flatMap({ EventID(hex: $0) }) else { throw foreign(message, "has no event id") }
        guard let source = attributes.source.flatMap({ EventEnvelope.sourceName(of: $0) }) else {
            throw foreign(message, "is of no source of Gatehouse")
        }
        let type = layout.type(of: partition).rawValue
        guard attributes.type == type else { throw foreign(message, "is of another type than its topic") }
        var payload = value
        if !attributes.isWhole {
            guard let time = attributes.time.flatMap({ Timestamp($0) }),
                attributes.schema == "\(EventEnvelope.schema)", let key = attributes.partitionKey
            else { throw foreign(message, "lacks an attribute of a canonical event") }
            let envelope = EventEnvelope(
                id: id, sourceName: source, type: type, subject: attributes.subject, time: time, partitionKey: key)
            payload = text(envelope, data: value)
        }
        return LogRecord(
            place: RecordPlace(partition: partition, offset: message.offset), id: id, type: type,
            receivedAtMs: message.timestampMs ?? 0, source: source, verifiedBy: attributes.verifiedBy,
            payload: payload)
    }

    /// The event's id, without decoding anything else; nil where there is none.
    static func id(of message: KafkaMessage) -> EventID? {
        message.headers.first { $0.name == "ce_id" }.flatMap { EventID(hex: String(decoding: $0.value, as: UTF8.self)) }
    }

    private static func text(_ envelope: EventEnvelope, data: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: data.count + 512)
        envelope.writeBeginning(to: &writer)
        envelope.writeSubject(to: &writer)
        envelope.writeEnd(to: &writer)
        writer.raw(data)
        writer.endObject()
        return writer.bytes
    }

    /// A record that somebody else wrote into a topic of the log, as it stands: nobody can read it as an event, so that it
    /// becomes a dead letter wherever it might have gone and does not hold up what follows. One that can only be seen
    /// as erased would vanish; it gets a text.
    package static func substitute(for message: KafkaMessage, at place: RecordPlace, type: CanonicalType) -> LogRecord {
        let value = message.value ?? []
        return LogRecord(
            place: place,
            id: EventID(
                keySpace: "\(message.topic)/\(message.partition)", dedupeKey: Array("\(message.offset)".utf8)),
            type: type.rawValue, receivedAtMs: message.timestampMs ?? 0, source: "",
            payload: value.isEmpty ? Array("null".utf8) : unreadable(value))
    }

    /// A text that is no event, even where the value is one by its looks: what says otherwise is not Gatehouse's.
    private static func unreadable(_ value: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: value.count + 2)
        writer.beginArray()
        writer.string(utf8: value)
        writer.endArray()
        return writer.bytes
    }

    private static func foreign(_ message: KafkaMessage, _ flaw: String) -> LogFailure {
        LogFailure(.damaged, "\(name(message)) \(flaw): Gatehouse did not write it")
    }

    private static func name(_ message: KafkaMessage) -> String {
        "the record \(message.offset) of partition \(message.partition) of the topic \(message.topic)"
    }
}
