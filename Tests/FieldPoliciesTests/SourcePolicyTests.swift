import Events
import FieldPolicies
import Foundation
import JSON
import Testing
import Vendors

/// Every sample of every sender.
struct VendorSample: Sendable, CustomTestStringConvertible {
    let vendor: any Vendor
    let event: VendorEvent
    var testDescription: String { "\(vendor.name) \(event.name)" }

    static let all = Vendors.all.flatMap { vendor in vendor.events.map { VendorSample(vendor: vendor, event: $0) } }
}

@Suite("A source's field policy")
struct SourcePolicyTests {
    private func encode(_ sample: VendorSample, _ policy: FieldPolicy?) throws -> EncodedEvent {
        let tape = try JSONParser().parse(Array(sample.event.sample.utf8))
        var draft = EventDraft()
        draft.reset(receivedAt: try #require(Timestamp("2024-07-30T01:02:03.004Z")))
        Decoder.decode(
            tape, tape.root, vendor: sample.vendor, settings: DecodeSettings(source: "london"), query: nil, into: &draft
        )
        policy?.apply(to: &draft, tape)
        return EventEncoder.encode(draft, source: "london", keySpace: "london", tape: tape, element: tape.root)
    }

    static let policies = [
        "redact: [visitor, host, personal]", "only: [visitor.id, site, additional]",
        "hash: {key: \(hashKey), fields: [visitor, host, face, actor, change, additional]}",
        "truncate: {visitor: 2, host: 1, personal: 1, additional: 1, visit.reasons: 2}",
        "{redact: [invitation], coarsen: {visit.started_at: day, device.ip: network}}",
    ]

    @Test(
        "keeps what the same policy would give a target, under the id the event has anyway",
        arguments: VendorSample.all, policies)
    func sameAsAtATarget(sample: VendorSample, text: String) throws {
        let policy = try #require(try decodePolicy(text, at: .source).policy)
        let whole = try encode(sample, nil)
        let kept = try encode(sample, policy)
        let view = try #require(EventView(try JSONParser().parse(whole.payload)))
        let expected = try policy.view(of: view, with: JSONParser())
        #expect(String(decoding: kept.payload, as: UTF8.self) == String(decoding: expected.payload, as: UTF8.self))
        #expect(kept.id == whole.id && kept.time == whole.time && kept.type == whole.type)
        #expect(kept.partitionKey == Array(expected.partitionKey.utf8))
    }

    @Test("leaves nothing to find an event by that it took away", arguments: VendorSample.all)
    func index(sample: VendorSample) throws {
        let kept = try encode(sample, try decodePolicy("redact: visitor", at: .source).policy)
        #expect(kept.visitorID == nil && kept.returningID == nil && kept.email == nil)
        #expect(try #require(EventView(try JSONParser().parse(kept.payload))).original == nil)
    }
}
