import EventLog
import Events
import FieldPolicies
import Foundation
import HTTPClient
import HTTPTypes
import Ingest
import JSON
import Testing
import Vendors
import YAML

@Suite("An intake whose sources have a field policy")
struct IntakePolicyTests {
    private func policy(_ text: String) throws -> FieldPolicy {
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "x.yaml"))
        var reader = try #require(MappingReader(node, "the source", &diagnostics))
        return try #require(FieldPolicy.decode(&reader, at: .source, &diagnostics), "\(diagnostics)")
    }

    /// A sample with a canary in the place of every text but its times and its name.
    private static func planted(_ event: VendorEvent) throws -> [UInt8] {
        func plant(_ value: Any, _ path: String) -> Any {
            switch value {
            case let object as [String: Any]:
                return Dictionary(uniqueKeysWithValues: object.map { ($0.key, plant($0.value, "\(path)/\($0.key)")) })
            case let list as [Any]: return list.enumerated().map { plant($0.element, "\(path)/\($0.offset)") }
            case let text as String where !event.times.contains(path) && text != event.name: return "canary \(path)"
            default: return value
            }
        }
        let object = try JSONSerialization.jsonObject(with: Data(event.sample.utf8))
        return Array(try JSONSerialization.data(withJSONObject: plant(object, ""), options: [.sortedKeys]))
    }

    @Test("keeps nothing of what the policy takes away, of any sender's events", arguments: Vendors.all.map(\.name))
    func canaries(vendor: String) throws {
        let only = try policy("only: [visitor.returning]")
        let fixture = try IntakeFixture({ $0.fieldPolicy = only })
        let sender = try #require(Vendors.named(vendor))
        for event in sender.events {
            let answer = fixture.postSigned(sender, try Self.planted(event))
            #expect(answer.map { $0.status < 300 } == true, "\(event.name)")
        }
        let records = fixture.log.records
        #expect(!records.isEmpty && records.allSatisfy { !text($0).contains("canary") })
        #expect(records.allSatisfy { $0.visitorID == nil && $0.returningID == nil && $0.email == nil })
        let whole = try IntakeFixture()
        for event in sender.events { _ = whole.postSigned(sender, try Self.planted(event)) }
        #expect(whole.log.records.contains { text($0).contains("canary") })
        #expect(Set(whole.log.records.map(\.id)) == Set(records.map(\.id)), "an event is the same under any policy")
    }

    @Test("keeps no bytes of an element that cannot be decoded, only its size and hash")
    func quarantine() throws {
        let some = try policy("redact: visitor.name")
        for (change, kept) in [(Optional(some), false), (nil, true)] {
            let fixture = try IntakeFixture({ $0.fieldPolicy = change })
            let body = Array(#"[{"type":"x","name":"canary"}, {"canary": tru}]"#.utf8)
            #expect(fixture.postSigned(try #require(Vendors.named("netgraph")), body)?.status == 200)
            let element = try #require(fixture.log.quarantined.first)
            #expect((element.bytes != nil) == kept && element.size == 15 && element.sha256.count == 64)
        }
    }

    @Test("hashes what an event is found by, the same way every time")
    func hashed() throws {
        let hashing = try policy("hash: {key: 0123456789abcdef, fields: [visitor.id, visitor.email]}")
        let fixture = try IntakeFixture({ $0.fieldPolicy = hashing })
        let sine = try #require(Vendors.named("sine"))
        let sample = try #require(sine.events.first { $0.name == "signin_after" })
        #expect(fixture.postSigned(sine, Array(sample.sample.utf8))?.status == 200)
        let record = try #require(fixture.log.records.first)
        let event = try #require(EventView(try JSONParser().parse(record.payload)))
        #expect(record.email.map { String(decoding: $0, as: UTF8.self) } == event.text(.visitorEmail))
        #expect(String(decoding: record.partitionKey, as: UTF8.self) == event.partitionKey)
        #expect(event.text(.visitorEmail)?.count == 32 && event.text(.visitorName) != nil && event.original == nil)
    }

    private func text(_ record: NewRecord) -> String {
        let texts = [
            record.payload, record.partitionKey, record.visitorID ?? [], record.returningID ?? [], record.email ?? [],
        ]
        return texts.map { String(decoding: $0, as: UTF8.self) }.joined() + record.source + record.type
            + (record.verifiedBy ?? "")
    }
}
