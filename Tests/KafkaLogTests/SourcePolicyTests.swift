import EventLog
import Events
import FieldPolicies
import Foundation
import JSON
import Kafka
import Testing
import Vendors
import YAML

@testable import KafkaLog

@Suite("A record of Kafka of a source with a field policy")
struct SourcePolicyTests {
    private let layout = LogLayout(prefix: "gatehouse", partitions: 6)

    private func policy(_ text: String) throws -> FieldPolicy {
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "x.yaml"))
        var reader = try #require(MappingReader(node, "the source", &diagnostics))
        return try #require(FieldPolicy.decode(&reader, at: .source, &diagnostics), "\(diagnostics)")
    }

    /// The fixture's event with a canary in every field that may tell about a person, and in every id.
    private func record(_ fixture: VendorFixture, _ policy: FieldPolicy?) throws -> NewRecord {
        let tape = try JSONParser().parse(Array(Data(contentsOf: fixture.file)))
        var draft = EventDraft()
        draft.reset(receivedAt: try #require(Timestamp("2024-08-01T00:00:00.000Z")))
        Decoder.decode(
            tape, tape.root, vendor: fixture.vendor, settings: DecodeSettings(source: "lobby"), query: nil, into: &draft
        )
        for field in EventField.ofSenders where field.isPersonal || field.kind == .identifier {
            switch field.kind {
            case .map: draft[field] = .map([MapEntry(key: Array("k".utf8), value: .text(Array("canary".utf8)))])
            case .identifiers, .reasons: draft[field] = .json(Array(#"["canary"]"#.utf8))
            default: draft.set(field, text: "canary")
            }
        }
        policy?.apply(to: &draft, tape)
        let event = EventEncoder.encode(draft, source: "lobby", keySpace: "lobby", tape: tape, element: tape.root)
        return NewRecord(event, source: "lobby", verifiedBy: nil)
    }

    @Test("holds nothing of what the policy takes away, and reads back", arguments: VendorFixture.all)
    func canaries(_ fixture: VendorFixture) throws {
        for (text, isTold) in [("only: []", false), ("redact: actor.name", true)] {
            let record = try record(fixture, try policy(text))
            for isStructured in [false, true] {
                let encoded = try RecordCodec.encode(record, layout: layout, isStructured: isStructured)
                let bytes = (encoded.key ?? []) + (encoded.value ?? []) + encoded.headers.flatMap(\.value)
                #expect(String(decoding: bytes, as: UTF8.self).contains("canary") == isTold)
                let message = KafkaMessage(
                    topic: encoded.topic, partition: 1, offset: 1, timestampMs: encoded.timestampMs, key: encoded.key,
                    value: encoded.value, headers: encoded.headers)
                #expect(try RecordCodec.decode(message, layout: layout).payload == record.payload)
            }
        }
    }
}
