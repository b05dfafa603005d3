import EventLog
import Events
import HTTPClient
import HTTPTypes
import JSON
import Logging
import Synchronization
import Targets
import TestSupport
import Testing
import YAML

@testable import Delivery

/// A service that takes some of a batch and says so in its own words. It remembers what it took.
protocol StandIn: Sendable {
    /// What a user writes, without `type` and `url`.
    var configuration: String { get }
    /// What each event is called in a request, in its order; nil for a request that is not as the service documents it.
    func names(_ request: ScriptedRequest) -> [String]?
    /// The answer for these events, as the service documents it.
    func answer(_ results: [(name: String, result: StandInResult)]) -> HTTPResponse
}

enum StandInResult: Sendable {
    case taken
    /// It had it already.
    case known
    case busy
    case refused
}

@Suite("Services that take some of a batch", .serialized)
struct ServiceTests {
    static let services: [any StandIn] = [Elasticsearch(), Salesforce(), HubSpot()]

    @Test("get everything once, whatever they refuse, put off, or answer in words nobody understands", arguments: 0..<3)
    func partialFailures(index: Int) async throws {
        let service = Self.services[index]
        let ledger = ServiceLedger(service)
        let server = ScriptedServer(answering: { ledger.answer($0) })
        let harness = try EngineHarness()
        let blueprint = try Self.blueprint(service, server)
        let client = HTTPClient()
        defer { client.shutdown() }
        let engine = try DeliveryEngine(
            log: harness.log, store: harness.store,
            plan: try rulePlan("routes:\n  - {name: all, to: [crm]}\n", targets: ["crm"]), blueprints: [blueprint],
            metrics: harness.metrics, logger: .silent, adjust: quickRetries
        ) { try $0.make(TargetContext(client: client, hostname: "gate.test", logger: .silent)) }
        try engine.start()
        defer { engine.stop(within: .seconds(5)) }
        let ids = try await harness.append(60).map(\.hex)
        ledger.expect(ids)
        #expect(engine.waitUntilIdle(within: .seconds(60)))

        let status = try #require(engine.targets().first)
        let refused = Set(ids.filter(ServiceLedger.isRefused))
        #expect(ledger.malformed == 0)
        #expect(ledger.taken == Set(ids).subtracting(refused), "nothing is lost")
        #expect(ledger.repeats == [], "nothing is sent again that was taken")
        #expect(status.balance.delivered == Int64(ids.count - refused.count))
        #expect(status.balance.dead == Int64(refused.count))
        let letters = try harness.store.deadLetters(DeadLetterFilter(), after: 0, limit: 100)
        #expect(Set(letters.map(\.event.hex)) == refused)
        #expect(letters.allSatisfy { $0.reason == "answer_refused" }, "\(letters.map(\.reason))")
        #expect(!refused.isEmpty && ledger.putOff > 0)
    }

    private static func blueprint(_ service: any StandIn, _ server: ScriptedServer) throws -> any TargetBlueprint {
        let text = """
            {type: http, url: "\(server.url("/api"))", allow: 127.0.0.1/32, start: beginning, attempts: 2, \
            \(service.configuration)}
            """
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "gatehouse.yaml"))
        let blueprint = TargetTypes.decode(name: "crm", node: node, &diagnostics)
        #expect(diagnostics.sorted.isEmpty, "\(diagnostics.sorted)")
        return try #require(blueprint)
    }
}

/// What a service took, and what it was sent again.
final class ServiceLedger: Sendable {
    private struct State {
        var expected: Set<String> = []
        var taken: Set<String> = []
        var repeats: [String] = []
        /// How often each was put off.
        var putOff: [String: Int] = [:]
        var malformed = 0
        var requests = 0
    }

    private let service: any StandIn
    private let state = Mutex(State())

    init(_ service: any StandIn) {
        self.service = service
    }

    func expect(_ ids: [String]) { state.withLock { $0.expected.formUnion(ids) } }

    var taken: Set<String> { state.withLock { $0.taken } }
    var repeats: [String] { state.withLock { $0.repeats } }
    var malformed: Int { state.withLock { $0.malformed } }
    var putOff: Int { state.withLock { $0.putOff.count } }

    private static func number(_ id: String) -> Int { Int(id.suffix(4), radix: 16) ?? 0 }

    /// Every tenth is never taken.
    static func isRefused(_ id: String) -> Bool { number(id) % 10 == 3 }

    func answer(_ request: ScriptedRequest) -> HTTPResponse {
        let answer: HTTPResponse? = state.withLock { state in
            state.requests += 1
            // Before it reads anything, it is away.
            if state.requests == 3 { return HTTPResponse(status: 503) }
            if state.requests == 5 { return HTTPResponse(status: 200, body: Array("<html>Maintenance</html>".utf8)) }
            guard let names = service.names(request), Set(names).count == names.count else {
                state.malformed += 1
                return HTTPResponse(status: 400)
            }
            return service.answer(names.map { ($0, Self.result(of: $0, &state)) })
        }
        return answer ?? HTTPResponse(status: 500)
    }

    private static func result(of name: String, _ state: inout State) -> StandInResult {
        if isRefused(name) { return .refused }
        if state.taken.contains(name) {
            state.repeats.append(name)
            return .known
        }
        // Every fourth is put off once.
        if number(name) % 4 == 1, state.putOff[name] == nil {
            state.putOff[name] = 1
            return .busy
        }
        state.taken.insert(name)
        // Every seventh is one that it had already, from before this.
        return number(name) % 7 == 2 ? .known : .taken
    }
}

// MARK: the services

private func object(_ text: some Sequence<UInt8>) -> JSONTape? { try? JSONParser().parse(Array(text)) }

/// `POST /_bulk`: a line for the action, a line for the document; 200 with one item each.
private struct Elasticsearch: StandIn {
    let configuration = """
        headers: {Content-Type: application/x-ndjson},
        batch: {max_events: 20, every: 20ms, wrap: ndjson, before: {create: {_index: visitors, _id: "{id}"}}},
        response: {items: {at: /items, ok: {/create/status: [200, 201, 409]}, retry: {/create/status: [429, 503]}}}
        """

    func names(_ request: ScriptedRequest) -> [String]? {
        guard request.headers["Content-Type"] == "application/x-ndjson", request.body.last == 0x0A else { return nil }
        let lines = request.body.dropLast().split(separator: 0x0A)
        guard lines.count.isMultiple(of: 2) else { return nil }
        var names: [String] = []
        for place in stride(from: 0, to: lines.count, by: 2) {
            guard let action = object(lines[place]), let document = object(lines[place + 1]),
                let create = action.member(action.root, "create"), let id = action.member(create, "_id"),
                let name = action.text(id), document.member(document.root, "id").flatMap({ document.text($0) }) == name
            else { return nil }
            names.append(name)
        }
        return names
    }

    func answer(_ results: [(name: String, result: StandInResult)]) -> HTTPResponse {
        let items = results.map { name, result in
            let status =
                switch result {
                case .taken: 201
                case .known: 409
                case .busy: 429
                case .refused: 400
                }
            return #"{"create":{"_index":"visitors","_id":"\#(name)","status":\#(status)}}"#
        }
        return HTTPResponse(
            status: 200,
            body: Array(#"{"took":3,"errors":true,"items":[\#(items.joined(separator: ","))]}"#.utf8))
    }
}

/// `PATCH …/composite/sobjects/Contact/Gatehouse__c`: 200 with an array of results in the order of the records.
private struct Salesforce: StandIn {
    let configuration = """
        method: PATCH, batch: {max_events: 20, every: 20ms, wrap: {allOrNone: false, records: "{events}"}},
        body: {attributes: {type: Contact}, Gatehouse__c: "{id}", LastName: "{visitor.name}"},
        response: {items: {at: "", ok: {/success: true}, retry: {/errors/0/statusCode: [UNABLE_TO_LOCK_ROW]}}}
        """

    func names(_ request: ScriptedRequest) -> [String]? {
        guard request.method == "PATCH", let tape = object(request.body),
            tape.member(tape.root, "allOrNone").flatMap({ tape.bool($0) }) == false,
            let records = tape.member(tape.root, "records")
        else { return nil }
        return tape.elements(records).map { tape.member($0, "Gatehouse__c").flatMap { tape.text($0) } ?? "" }
    }

    func answer(_ results: [(name: String, result: StandInResult)]) -> HTTPResponse {
        let items = results.map { name, result in
            switch result {
            case .taken, .known:
                #"{"id":"003\#(name.suffix(8))","success":true,"errors":[],"created":\#(result == .taken)}"#
            case .busy: Self.failure("UNABLE_TO_LOCK_ROW")
            case .refused: Self.failure("REQUIRED_FIELD_MISSING")
            }
        }
        return HTTPResponse(status: 200, body: Array("[\(items.joined(separator: ","))]".utf8))
    }

    private static func failure(_ code: String) -> String {
        #"{"success":false,"errors":[{"statusCode":"\#(code)","message":"no","fields":[]}]}"#
    }
}

/// `POST /crm/v3/objects/contacts/batch/upsert`: 200 with `results`, or 207 with `errors` too, by the trace id of each input.
private struct HubSpot: StandIn {
    let configuration = """
        batch: {max_events: 20, every: 20ms, wrap: {inputs: "{events}"}},
        body: {objectWriteTraceId: "{id}", idProperty: email, id: "{id}@example.com", properties: {firstname: "{visitor.name}"}},
        response: {items: {at: /results, id: /objectWriteTraceId},
                   errors: {at: /errors, id: /context/objectWriteTraceId, retry: {/category: [RATE_LIMITS]}}}
        """

    func names(_ request: ScriptedRequest) -> [String]? {
        guard let tape = object(request.body), let inputs = tape.member(tape.root, "inputs") else { return nil }
        return tape.elements(inputs).map { tape.member($0, "objectWriteTraceId").flatMap { tape.text($0) } ?? "" }
    }

    func answer(_ results: [(name: String, result: StandInResult)]) -> HTTPResponse {
        var taken: [String] = []
        var errors: [String] = []
        // In no order that anybody promised.
        for (name, result) in results.reversed() {
            switch result {
            case .taken, .known: taken.append(#"{"id":"1","objectWriteTraceId":"\#(name)","new":\#(result == .taken)}"#)
            case .busy: errors.append(Self.error("RATE_LIMITS", name))
            case .refused: errors.append(Self.error("VALIDATION_ERROR", name))
            }
        }
        let body =
            #"{"status":"COMPLETE","results":[\#(taken.joined(separator: ","))]"#
            + (errors.isEmpty
                ? "}" : #","numErrors":\#(errors.count),"errors":[\#(errors.joined(separator: ","))]}"#)
        return HTTPResponse(status: errors.isEmpty ? 200 : 207, body: Array(body.utf8))
    }

    private static func error(_ category: String, _ name: String) -> String {
        #"{"status":"error","category":"\#(category)","message":"no","context":{"objectWriteTraceId":["\#(name)"]}}"#
    }
}
