import EventLog
import Events
import Foundation
import JSON
import Kafka
import Testing
import Vendors

@testable import KafkaLog

@Suite("An event as a record of Kafka")
struct RecordCodecTests {
    let layout = LogLayout(prefix: "gatehouse", partitions: 6)

    private func message(_ record: KafkaRecord, partition: Int32 = 2, offset: Int64 = 7) -> KafkaMessage {
        KafkaMessage(
            topic: record.topic, partition: partition, offset: offset, timestampMs: record.timestampMs,
            key: record.key, value: record.value, headers: record.headers)
    }

    private func text(_ record: KafkaRecord, _ header: String) -> String? {
        record.headers.first { $0.name == header }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    @Test("every fixture of every sender reads back byte for byte, in either mode", arguments: VendorFixture.all)
    func fixtures(_ fixture: VendorFixture) throws {
        for verifiedBy in [nil, "", "LONDON_SECRET"] {
            for isStructured in [false, true] {
                let record = try fixture.record(verifiedBy: verifiedBy)
                let encoded = try RecordCodec.encode(record, layout: layout, isStructured: isStructured)
                #expect(text(encoded, "gatehouse_payload") == nil, "it is canonical")
                let read = try RecordCodec.decode(message(encoded), layout: layout)
                #expect(read.payload == record.payload)
                #expect(read.id == record.id && read.type == record.type && read.source == record.source)
                #expect(read.receivedAtMs == record.receivedAtMs && read.verifiedBy == verifiedBy)
                #expect(layout.type(of: read.place.partition).rawValue == record.type)
                #expect(layout.shard(of: read.place.partition) == 2 && read.place.offset == 7)
            }
        }
    }

    private static let hostile = [
        "\u{0}", "\"", "\\", "\\u0041", "a\"b\\c\u{1}\u{1f}\u{7f}", "\r\n\t\u{8}\u{c}", "/\\/", "é😀\u{2028}",
        "}{\",\"data\":",
        "\u{FFFD}", String(repeating: "x", count: 20_000),
    ]

    @Test("whatever a visitor typed reads back byte for byte", arguments: hostile)
    func hostileText(_ typed: String) throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("visitor")
        writer.string(typed)
        writer.endObject()
        let tape = try JSONParser().parse(writer.bytes)
        var draft = EventDraft()
        draft.reset(receivedAt: Timestamp("2024-07-30T01:02:03.004Z")!)
        draft.type = .visitorSignin
        draft.set(.visitorID, tape, tape.member(tape.root, "visitor"))
        draft.set(.siteID, tape, tape.member(tape.root, "visitor"))
        let event = EventEncoder.encode(draft, source: "london", keySpace: "london", tape: tape, element: tape.root)
        let record = NewRecord(event, source: "london", verifiedBy: typed)
        let encoded = try RecordCodec.encode(record, layout: layout, isStructured: false)
        #expect(text(encoded, "gatehouse_payload") == nil, "it is canonical")
        #expect(text(encoded, "ce_subject") == "visitor/\(typed)")
        #expect(text(encoded, "ce_partitionkey") == "\(typed)/\(typed)")
        let read = try RecordCodec.decode(message(encoded), layout: layout)
        #expect(read.payload == record.payload)
        #expect(read.verifiedBy == typed)
    }

    @Test("is what the CloudEvents binding says, in binary mode")
    func binding() throws {
        let record = try VendorFixture.all[0].record(verifiedBy: nil)
        let encoded = try RecordCodec.encode(record, layout: layout, isStructured: false)
        let tape = try JSONParser().parse(record.payload)
        let event = try #require(EventView(tape))
        let attributes = [
            "specversion", "id", "source", "type", "subject", "time", "dataschema", "partitionkey",
        ]
        for name in attributes {
            #expect(text(encoded, "ce_" + name) == tape.member(tape.root, named: name).flatMap { tape.text($0) })
        }
        #expect(text(encoded, "content-type") == "application/json")
        #expect(encoded.headers.count == attributes.count { text(encoded, "ce_" + $0) != nil } + 1)
        #expect(encoded.value == Array(tape.bytes[tape.span(event.data)]))
        #expect(encoded.key == record.partitionKey)
        #expect(encoded.topic == "gatehouse.\(record.type)")
        #expect(encoded.timestampMs == record.receivedAtMs)
        let structured = try RecordCodec.encode(record, layout: layout, isStructured: true)
        #expect(structured.value == record.payload)
        #expect(text(structured, "content-type") == "application/cloudevents+json; charset=UTF-8")
    }

    private static let unusual = [
        "payload é\u{0}", "{}", #"{"specversion":"1.0"}"#, "{\"id\":", String(repeating: " ", count: 600),
    ]

    @Test("a text that is not canonical is kept as it stands", arguments: unusual)
    func notCanonical(_ text: String) throws {
        var record = try VendorFixture.all[0].record(verifiedBy: nil)
        record.payload = Array(text.utf8)
        for isStructured in [false, true] {
            let encoded = try RecordCodec.encode(record, layout: layout, isStructured: isStructured)
            #expect(encoded.value == record.payload)
            #expect(try RecordCodec.decode(message(encoded), layout: layout).payload == record.payload)
        }
    }

    @Test("a canonical text with one byte changed reads back with that byte changed")
    func changedBytes() throws {
        let record = try VendorFixture.all[0].record(verifiedBy: nil)
        for position in stride(from: 0, to: record.payload.count, by: 3) {
            var changed = record
            changed.payload[position] ^= 1
            let encoded = try RecordCodec.encode(changed, layout: layout, isStructured: false)
            #expect(try RecordCodec.decode(message(encoded), layout: layout).payload == changed.payload)
        }
    }

    @Test("a type without a topic is refused")
    func unknownType() throws {
        var record = try VendorFixture.all[0].record(verifiedBy: nil)
        record.type = "visitor.vanished"
        let failure = #expect(throws: LogFailure.self) {
            try RecordCodec.encode(record, layout: layout, isStructured: false)
        }
        #expect(failure?.message.contains("visitor.vanished") == true)
    }

    @Test("a record of somebody else's is named, and becomes one that nobody can read")
    func foreign() throws {
        let good = try RecordCodec.encode(
            VendorFixture.all[0].record(verifiedBy: nil), layout: layout, isStructured: false)
        func without(_ header: String) -> KafkaMessage {
            var record = good
            record.headers.removeAll { $0.name == header }
            return message(record)
        }
        func with(_ header: String, _ value: String) -> KafkaMessage {
            var record = good
            record.headers.removeAll { $0.name == header }
            record.headers.append(KafkaRecord.Header(header, value))
            return message(record)
        }
        var empty = good
        empty.value = nil
        let messages =
            ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "ce_partitionkey"].map(
                without)
            + [
                message(empty), with("ce_id", "7"), with("ce_source", "/elsewhere"), with("ce_type", "other.type"),
                with("ce_time", "yesterday"), with("ce_dataschema", "urn:other"), with("ce_specversion", "0.3"),
            ]
        for message in messages {
            let failure = #expect(throws: LogFailure.self) { try RecordCodec.decode(message, layout: layout) }
            #expect(failure?.code == .damaged)
            #expect(failure?.message.contains("the record 7 of partition 2 of the topic \(good.topic)") == true)
            let place = RecordPlace(partition: 2, offset: 7)
            let substitute = RecordCodec.substitute(for: message, at: place, type: .visitorSignin)
            #expect(!substitute.isErased, "an erased one would vanish")
            #expect(try EventView(parsing: substitute.payload, with: JSONParser()) == nil)
        }
    }

    @Test("data that is no JSON gives a text that cannot be read, and no other event")
    func brokenData() throws {
        var record = try RecordCodec.encode(
            VendorFixture.all[0].record(verifiedBy: nil), layout: layout, isStructured: false)
        record.value = Array(#"{"a":1"#.utf8)
        let read = try RecordCodec.decode(message(record), layout: layout)
        #expect(throws: JSONError.self) { try EventView(parsing: read.payload, with: JSONParser()) }
    }

    @Test("a quarantined element reads back", arguments: [[UInt8](), Array("{\"bad\": \u{0}é".utf8), [0xFF, 0, 0x80]])
    func quarantine(_ bytes: [UInt8]) throws {
        for kept in [nil, bytes] {
            let element = QuarantinedElement(
                source: "guests", index: 3, receivedAtMs: 1_700_000_000_123, reason: "syntax \"at\" byte 1",
                bytes: kept,
                size: 9, sha256: "ab", key: "k/é")
            let record = QuarantineCodec.encode(element, topic: "gatehouse.quarantine")
            #expect(record.key == Array("k/é".utf8))
            #expect(QuarantineCodec.decode(message(record, partition: 0)) == element)
        }
    }
}
