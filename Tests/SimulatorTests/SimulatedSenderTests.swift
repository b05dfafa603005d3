import Events
import Foundation
import JSON
import Signatures
import Simulator
import Testing
import Vendors

@Suite("A simulated sender")
struct SimulatedSenderTests {
    private let moment = Timestamp("2026-01-02T03:04:05.678Z")!

    private func sender(_ vendor: any Vendor, _ event: VendorEvent, seed: UInt64 = 1) throws -> SimulatedSender {
        try SimulatedSender(vendor: vendor, event: event, seed: seed)
    }

    @Test("sends another event each time, and the same again for the same seed", arguments: Vendors.all.map(\.name))
    func distinct(name: String) throws {
        let vendor = try #require(Vendors.named(name))
        for event in vendor.events {
            let sender = try sender(vendor, event)
            let payloads = try (0..<50).map { try sender.payload($0, at: moment) }
            #expect(Set(payloads).count == 50, "\(event.name)")
            #expect(try self.sender(vendor, event).payload(7, at: moment) == payloads[7])
            #expect(try self.sender(vendor, event, seed: 2).payload(7, at: moment) != payloads[7])
            for payload in payloads { _ = try JSONParser().parse(payload) }
        }
    }

    @Test("batches only where its vendor does")
    func batches() throws {
        let netgraph = try #require(Vendors.named("netgraph"))
        let body = try sender(netgraph, netgraph.events[0]).delivery(0..<3, at: moment).body
        let tape = try JSONParser().parse(body)
        #expect(tape.kind(tape.root) == .array && tape.count(tape.root) == 3)
    }

    @Test("sets what it is told to, and nothing else")
    func changes() throws {
        let vendor = try #require(Vendors.named("signinapp"))
        let event = try #require(vendor.events.first)
        let changed = try SimulatedSender(
            vendor: vendor, event: event,
            changes: [
                (try JSONPointer("/visitor/name"), Array(#""Ada""#.utf8)),
                (try JSONPointer("/visitor/additional/New key"), Array("[1]".utf8)),
            ], seed: 1)
        let tape = try JSONParser().parse(changed.payload(0, at: moment))
        #expect(tape.value(at: try JSONPointer("/visitor/name")).flatMap(tape.text) == "Ada")
        #expect(tape.value(at: try JSONPointer("/visitor/additional/New key")).map(tape.count) == 1)
        #expect(throws: PayloadEditor.UnknownPointer.self) {
            try SimulatedSender(
                vendor: vendor, event: event, changes: [(try JSONPointer("/nowhere/at/all"), Array("1".utf8))], seed: 1
            ).payload(0, at: moment)
        }
    }

    @Test(
        "writes times as the sample has them",
        arguments: [
            ("2020-01-01T12:00:01Z", "2026-01-02T03:04:05Z"), ("2024-07-30T01:49:27.069Z", "2026-01-02T03:04:05.678Z"),
            ("2024-01-15 10:30:00 UTC", "2026-01-02 03:04:05 UTC"), ("2024-01-15 10:30:00", "2026-01-02 03:04:05"),
        ])
    func times(sample: String, expected: String) {
        #expect(FreshValues.time(like: sample, at: moment) == expected)
    }
}
