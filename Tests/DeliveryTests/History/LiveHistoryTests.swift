import EventLog
import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Logging
import Metrics
import Rules
import Synchronization
import Targets
import TestSupport
import Testing
import YAML

@testable import Delivery

/// An engine that sends webhooks to a receiver that records what it gets.
private final class LiveFixture {
    let folder = TemporaryDirectory()
    let log = MemoryEventLog(partitions: 3)
    let store: DeliveryStore
    let client = HTTPClient()
    let server: ScriptedServer
    private var engine: DeliveryEngine?
    private let shared = Shared()

    /// What other threads read.
    private final class Shared: Sendable {
        let requests = Mutex<[ScriptedRequest]>([])
        let answer = Mutex<@Sendable (Int) -> HTTPResponse>({ _ in HTTPResponse(status: 204) })
        let settings = Mutex<[String: TargetSettings]>([:])
    }

    init() throws {
        store = try DeliveryStore.open(folder: folder.path)
        let shared = shared
        server = ScriptedServer(answering: { request in
            let number = shared.requests.withLock { requests in
                requests.append(request)
                return requests.count
            }
            return shared.answer.withLock { $0 }(number)
        })
    }

    deinit {
        engine?.stop(within: .zero)
        client.shutdown()
    }

    var received: [ScriptedRequest] { shared.requests.withLock { $0 } }

    /// - Parameter answer: to the request of that number, counted from 1.
    func answer(_ answer: @escaping @Sendable (Int) -> HTTPResponse) { shared.answer.withLock { $0 = answer } }

    /// - Parameter text: an entry of `targets:`, `URL` standing for the receiver's.
    func configure(_ text: String) throws {
        var diagnostics = Diagnostics()
        let written = text.replacing("URL", with: server.url("/hook"))
        let parsed = try #require(try parseYAML(Array(written.utf8), file: folder.file("gatehouse.yaml")))
        let node = resolveReferences(
            parsed, environment: { _ in nil },
            readFile: { [folder] in try String(contentsOfFile: folder.file($0), encoding: .utf8) },
            unset: .error, &diagnostics)
        let decoded = TargetTypes.decode(name: "crm", node: node, &diagnostics)
        let blueprint = try #require(decoded, "\(diagnostics.sorted)")
        shared.settings.withLock { $0["crm"] = blueprint.settings }
        let plan = try rulePlan("routes:\n  - {name: all, to: [crm]}\n", targets: ["crm"])
        if let engine { return try engine.reload(plan: plan, blueprints: [blueprint]) }
        let context = TargetContext(client: client, hostname: "gate.test", logger: .silent)
        let engine = try DeliveryEngine(
            log: log, store: store, plan: plan, blueprints: [blueprint], metrics: MetricsRegistry(), logger: .silent,
            adjust: quickRetries, makeTarget: { try $0.make(context) })
        self.engine = engine
        try engine.start()
    }

    func append(_ numbers: Range<UInt64>) async throws -> [LogRecord] {
        let records = numbers.map { newRecord($0) }
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
        return try records.map { try #require(try log.lookup($0.id)) }
    }

    func idle() throws { #expect(try #require(engine).waitUntilIdle(within: .seconds(30))) }

    var history: RequestHistory {
        RequestHistory(log: log, store: store, hostname: "gate.test") { [shared] name in
            shared.settings.withLock { $0[name] }
        }
    }

    func delivery(_ record: LogRecord) throws -> DeliveryRow { try #require(try store.deliveries(of: record).first) }

    func attempts(_ record: LogRecord) throws -> [AttemptRow] {
        try store.attempts(at: record.place)[try delivery(record).targetID] ?? []
    }

    /// What history shows of each attempt.
    func shown(_ record: LogRecord) throws -> [PastRequest] {
        let delivery = try delivery(record)
        return try attempts(record).compactMap { try history.request(of: $0, delivery) }
    }
}

extension PastRequest {
    fileprivate var rendition: TargetRendition? { if case .reproduced(let rendition) = self { rendition } else { nil } }
    fileprivate var why: String? { if case .lost(let why, _) = self { why } else { nil } }
    fileprivate var kept: [UInt8]? { if case .lost(_, let kept) = self { kept?.bytes } else { nil } }
}

@Suite("History against what a receiver recorded")
struct LiveHistoryTests {
    private static let secret = "whsec_" + Data("a secret of thirty-two bytes, ok".utf8).base64EncodedString()

    private let keys = """
        type: webhook
        url: URL
        allow: 127.0.0.1/32
        start: beginning
        headers: {X-Api-Token: literal-s3cret, Accept: text/plain, X-Tenant: "${file:tenant}"}
        sign: {scheme: standard-webhooks, secrets: ["${file:key}"]}

        """

    private func fixture() throws -> LiveFixture {
        let fixture = try LiveFixture()
        try fixture.folder.write("key", Self.secret + "\n")
        try fixture.folder.write("tenant", "acme")
        return fixture
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Byte for byte, but for what belongs to the connection, and secrets.
    private func expectSame(
        _ shown: PastRequest, _ received: ScriptedRequest, hidden: Set<String> = ["x-api-token", "x-tenant"],
        at location: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let rendition = try #require(shown.rendition, "\(shown)", sourceLocation: location)
        #expect(rendition.method == received.method, sourceLocation: location)
        #expect(
            rendition.destination.hasSuffix(received.target.prefix { $0 != "?" }), sourceLocation: location)
        #expect(rendition.bytes == received.body, sourceLocation: location)
        let own = ["host", "content-length", "connection"]
        let wire = received.headers.fields.filter { !own.contains($0.name.lowercased()) }
        #expect(
            rendition.headers.map { $0.name.lowercased() } == wire.map { $0.name.lowercased() },
            sourceLocation: location)
        for (header, field) in zip(rendition.headers, wire) {
            let expected = hidden.contains(field.name.lowercased()) ? "***" : field.value
            #expect(header.value == expected, "\(header.name)", sourceLocation: location)
        }
    }

    @Test("a failed attempt and the one that got through are shown as they were sent, also after a reload")
    func retried() async throws {
        let fixture = try fixture()
        fixture.answer { number in
            number == 1
                ? HTTPResponse(
                    status: 503, headers: ["X-Why": "tired", "Set-Cookie": "sid=s3cret"], body: Array("later".utf8))
                : HTTPResponse(status: 200, headers: ["X-Why": "well"], body: Array("taken".utf8))
        }
        try fixture.configure(keys)
        let record = try #require(try await fixture.append(1..<2).first)
        try fixture.idle()
        let received = fixture.received
        try #require(received.count == 2)
        for round in 0..<2 {
            let attempts = try fixture.attempts(record)
            #expect(attempts.map(\.number) == [1, 2] && attempts.map(\.status) == [503, 200])
            #expect(attempts.map(\.reason) == ["http_503", nil])
            let answers = try attempts.compactMap { attempt in
                try attempt.request.flatMap { try fixture.store.answer(of: $0) }
            }
            try #require(answers.count == 2)
            #expect(answers.map { String(decoding: $0.body, as: UTF8.self) } == ["later", "taken"])
            #expect(answers[0].headers.contains { $0.name == "X-Why" && $0.value == "tired" })
            #expect(answers[0].headers.contains { $0.name == "Set-Cookie" && $0.value == "***" })
            for (shown, received) in zip(try fixture.shown(record), received) { try expectSame(shown, received) }
            // The configuration of then counts, not that of now.
            guard round == 0 else { break }
            try fixture.configure(
                keys.replacing("url: URL", with: "url: URL/elsewhere\nbody: cloudevent-binary")
                    .replacing("text/plain", with: "text/html"))
        }
        let later = try #require(try await fixture.append(2..<3).first)
        try fixture.idle()
        let shown = try #require(try fixture.shown(later).first)
        try expectSame(shown, try #require(fixture.received.last))
        #expect(try fixture.shown(later).first?.rendition?.headers.contains { $0.name == "ce-type" } == true)
    }

    @Test("what went together is shown as it went together")
    func batch() async throws {
        let fixture = try fixture()
        fixture.answer { HTTPResponse(status: $0 == 1 ? 500 : 204) }
        try fixture.configure(keys + "batch: {max_events: 3, every: 1200s}\n")
        let records = try await fixture.append(1..<4)
        try fixture.idle()
        for record in records {
            let shown = try fixture.shown(record)
            // The first request failed; after that one event tries whether the receiver is well, and the others follow.
            let received = fixture.received.filter { text($0.body).contains(record.id.hex) }
            try #require(shown.count == 2 && received.count == 2)
            for (shown, received) in zip(shown, received) { try expectSame(shown, received) }
            #expect(try fixture.attempts(record).first?.request?.isBatch == true)
        }
        let bodies = fixture.received.map { text($0.body) }
        #expect(bodies.count { body in records.allSatisfy { body.contains($0.id.hex) } } == 1)
        // A reader who may see only one of the events sees no batch.
        var writer = JSONWriter()
        let delivery = try fixture.delivery(records[0])
        try delivery.appendJSON(
            to: &writer, try fixture.attempts(records[0]), .whole(fixture.history, hidesBatches: true))
        let first = try #require(
            (try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: Any])?["history"]
                as? [[String: Any]]
        ).first
        #expect((first?["request"] as? [String: Any])?["body"] as? String == "***")
        #expect((first?["response"] as? [String: Any])?["body"] as? String == "***")
        _ = try fixture.log.erase(records[1].id)
        #expect(try fixture.shown(records[0]).first?.why == "the event's text was erased on request")
    }

    @Test("with another secret or value nothing is shown as sent, but what failed was kept")
    func changedSecret() async throws {
        let fixture = try fixture()
        fixture.answer { HTTPResponse(status: $0 == 1 ? 400 : 204) }
        try fixture.configure(keys)
        let record = try #require(try await fixture.append(1..<2).first)
        try fixture.idle()
        #expect(try fixture.shown(record).allSatisfy { $0.rendition != nil })
        try fixture.folder.write("tenant", "another")
        let shown = try fixture.shown(record)
        try #require(shown.count == 2)
        #expect(shown.allSatisfy { $0.why == "a secret, or what a ${…} stands for, is not what it was then" })
        #expect(shown.map(\.kept) == [fixture.received[0].body, fixture.received[0].body])
        try FileManager.default.removeItem(atPath: fixture.folder.file("tenant"))
        #expect(try fixture.shown(record).allSatisfy { $0.why?.contains("is not there") == true })
        try fixture.folder.write("tenant", "acme")
        #expect(try fixture.shown(record).allSatisfy { $0.rendition != nil })
        // The literal secret is in the configuration alone.
        try fixture.configure(keys.replacing("literal-s3cret", with: "an0ther"))
        #expect(try fixture.shown(record).allSatisfy { $0.why?.contains("secret") == true })
        for file in ["state.db", "state.db-wal"] {
            let state = try Data(contentsOf: URL(fileURLWithPath: fixture.folder.file(file)))
            #expect(state.range(of: Data("s3cret".utf8)) == nil && state.range(of: Data(Self.secret.utf8)) == nil)
        }
    }

    @Test("an event that left the log is told of, and not made up")
    func eventGone() async throws {
        let fixture = try fixture()
        try fixture.configure(keys)
        let record = try #require(try await fixture.append(1..<2).first)
        try fixture.idle()
        _ = try fixture.log.erase(record.id)
        let shown = try #require(try fixture.shown(record).first)
        #expect(shown.why == "the event's text was erased on request" && shown.kept == nil)
    }

    @Test("prints every attempt with what was sent and answered")
    func json() async throws {
        let fixture = try fixture()
        fixture.answer { _ in HTTPResponse(status: 200, headers: ["X-Why": "well"], body: Array("taken".utf8)) }
        try fixture.configure(keys)
        let record = try #require(try await fixture.append(1..<2).first)
        try fixture.idle()
        var writer = JSONWriter()
        let delivery = try fixture.delivery(record)
        try delivery.appendJSON(
            to: &writer, try fixture.attempts(record), .whole(fixture.history, hidesBatches: false))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: Any])
        let attempt = try #require((object["history"] as? [[String: Any]])?.first)
        #expect(attempt["number"] as? Int == 1 && attempt["status"] as? Int == 200)
        let request = try #require(attempt["request"] as? [String: Any])
        #expect(request["reproducible"] as? Bool == true && request["method"] as? String == "POST")
        #expect(request["body"] as? String == String(decoding: record.payload, as: UTF8.self))
        let response = try #require(attempt["response"] as? [String: Any])
        #expect(response["body"] as? String == "taken" && response["cut"] as? Bool == false)
    }
}
