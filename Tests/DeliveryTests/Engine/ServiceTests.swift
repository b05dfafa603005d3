import EventLog
import Events
import HTTPClient
import HTTPTypes
import Logging
import Synchronization
import Targets
import TestSupport
import Testing
import YAML

@testable import Delivery

/// Every preset through the engine, against a stand-in of its service that refuses, puts off and fails as documented.
@Suite("Services and their presets", .serialized)
struct ServiceTests {
    /// Of the events, by the last digits of their ids.
    private struct Fates: Sendable {
        private static func number(_ id: String) -> Int { Int(id.suffix(4), radix: 16) ?? 0 }

        /// Every tenth is never taken.
        static func isRefused(_ id: String) -> Bool { number(id) % 10 == 3 }
        /// Every fourth is put off once.
        static func isPutOff(_ id: String) -> Bool { number(id) % 4 == 1 }
        /// Every seventh is one that the service had already.
        static func isKnown(_ id: String) -> Bool { number(id) % 7 == 2 }
    }

    @Test(
        "get everything once, whatever they refuse, put off or fail at",
        arguments: DocumentedServices.all.map { $0.preset })
    func once(preset: String) async throws {
        try await once(try #require(DocumentedServices.named(preset)))
    }

    @Test("HubSpot by e-mail address, where one bad contact refuses all, gets everything once too")
    func byEmail() async throws {
        try await once(HubSpotContacts(isByEmail: true))
    }

    private func once(_ service: any DocumentedService) async throws {
        let answersEach = if case .each = service.refusal { true } else { false }
        let putOff = Mutex<Set<String>>([])
        let known = Mutex<Set<String>>([])
        let standIn = ServiceStandIn(service) { record, taken in
            if taken > 0 { return .taken }
            if Fates.isRefused(record) { return .refused }
            guard answersEach else { return .taken }
            if Fates.isPutOff(record), putOff.withLock({ $0.insert(record).inserted }) { return .busy }
            guard Fates.isKnown(record) else { return .taken }
            known.withLock { _ = $0.insert(record) }
            return .known
        }
        // What blames the service, and does not ask for minutes of patience.
        for failure in service.failures where failure.blame == "target" && failure.retryAfter == nil {
            standIn.fail(failure)
        }

        let harness = try EngineHarness()
        let client = HTTPClient()
        defer { client.shutdown() }
        let engine = try Self.engine(harness, client, try Self.blueprint(standIn))
        try engine.start()
        defer { engine.stop(within: .seconds(5)) }
        let records = (0..<60).map { Self.record($0) }
        let ids = records.map(\.id.hex)
        try await harness.append(records)
        #expect(engine.waitUntilIdle(within: .seconds(60)))

        let status = try #require(engine.targets().first)
        let refused = Set(ids.filter(Fates.isRefused))
        #expect(standIn.complaints == [])
        #expect(
            Set(standIn.taken.keys).union(known.withLock { $0 }) == Set(ids).subtracting(refused), "nothing is lost")
        #expect(standIn.taken.values.allSatisfy { $0 == 1 }, "nothing is sent again that was taken")
        #expect(status.balance.delivered == Int64(ids.count - refused.count))
        #expect(status.balance.dead == Int64(refused.count))
        let letters = try harness.store.deadLetters(DeadLetterFilter(), after: 0, limit: 100)
        #expect(Set(letters.map(\.event.hex)) == refused && !refused.isEmpty)
        #expect(
            letters.allSatisfy { $0.reason == (answersEach ? "answer_refused" : "http_400") },
            "\(letters.map(\.reason))")
        #expect(standIn.tokenRequests.count == (service.tokens == nil ? 0 : 1), "one token for all of them")
    }

    @Test("what is too large for one request is sent in several", arguments: ["sentinel", "datadog"])
    func tooLarge(preset: String) async throws {
        let standIn = ServiceStandIn(try #require(DocumentedServices.named(preset)))
        let harness = try EngineHarness()
        let client = HTTPClient()
        defer { client.shutdown() }
        let engine = try Self.engine(
            harness, client, try Self.blueprint(standIn, batch: "{max_events: 100, max_bytes: 16MiB, every: 20ms}"))
        let records = (0..<100).map { Self.record($0, name: String(repeating: "x", count: 60_000)) }
        try await harness.append(records)
        try engine.start()
        defer { engine.stop(within: .seconds(5)) }
        #expect(engine.waitUntilIdle(within: .seconds(60)))
        #expect(standIn.complaints == [] && standIn.taken.count == 100 && standIn.taken.values.allSatisfy { $0 == 1 })
        #expect(standIn.requestCount > 100 * 60_000 / 5_000_000 + 1)
        #expect(engine.targets().first?.balance.dead == 0)
    }

    private static func engine(
        _ harness: EngineHarness, _ client: HTTPClient, _ blueprint: any TargetBlueprint
    ) throws -> DeliveryEngine {
        try DeliveryEngine(
            log: harness.log, store: harness.store,
            plan: try rulePlan("routes:\n  - {name: all, to: [crm]}\n", targets: ["crm"]), blueprints: [blueprint],
            metrics: harness.metrics, logger: .silent, adjust: quickRetries
        ) { try $0.make(TargetContext(client: client, hostname: "gate.test", logger: .silent)) }
    }

    /// With what every event of a sender has.
    private static func record(_ number: UInt64, name: String? = nil) -> NewRecord {
        var record = newRecord(number)
        let time = Timestamp.now().text
        let payload = String(decoding: record.payload, as: UTF8.self)
            .replacing("Ada \(number)", with: name ?? "Ada \(number)")
            .replacing(#""data":{"#, with: #""time":"\#(time)","data":{"vendor":"signinapp","received_at":"\#(time)","#)
        record.payload = Array(payload.utf8)
        return record
    }

    private static func blueprint(
        _ standIn: ServiceStandIn, batch: String = "{max_events: 20, every: 20ms}"
    ) throws -> any TargetBlueprint {
        let isAlone = ["dynamics", "slack"].contains(standIn.service.preset)
        let text = standIn.configuration(
            "start: beginning, attempts: 2\(isAlone ? "" : ", batch: \(batch)")")
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "gatehouse.yaml"))
        let blueprint = TargetTypes.decode(name: "crm", node: node, &diagnostics)
        #expect(diagnostics.sorted.isEmpty, "\(diagnostics.sorted)")
        return try #require(blueprint)
    }
}
