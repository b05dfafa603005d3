import EventLog
import Events
import Foundation
import HTTPTypes
import Targets
import Testing
import YAML

@testable import Console
@testable import Delivery
@testable import Rules

@Suite("Every attempt in the API")
struct DeliveryHistoryTests {
    /// Event 1, of the team's scope, was sent to `siem` by itself and then in a batch with event 2.
    private func console() throws -> ConsoleFixture {
        let console = try ConsoleFixture()
        console.append(0..<5)
        for name in ["siem", "crm"] {
            try console.store.create(
                NewTarget(
                    name: name, type: "webhook", destination: "https://\(name).example", createdAtMs: 0,
                    start: LogPosition(offsets: [0]), beforeStart: 0, systemBeforeStart: 0))
        }
        let version = try version()
        let alone = try Exchange(
            payload(console, 1), version: version, answer: answer("no room for Ada Lovelace"), isKept: true)
        let both = try Exchange(
            Array("[".utf8) + payload(console, 1) + Array(",".utf8) + payload(console, 2) + Array("]".utf8),
            version: nil, answer: answer("took Ada Lovelace"), isKept: true)
        let batch = RequestedBatch([place(1), place(2)], both)
        var records: [StateOperation] = []
        for (number, state, exchange, batch) in [
            (1, DeliveryState.pending, alone, nil), (2, .delivered, both, batch),
        ] as [(Int, DeliveryState, Exchange, RequestedBatch?)] {
            records.append(
                .record(
                    HistoryEntry(
                        place: place(1), id: try #require(EventID(hex: ConsoleFixture.id(1))), type: "visitor.signin",
                        source: "london", receivedAtMs: 1000, state: state, attempts: number,
                        atMs: 1000 * Int64(number),
                        status: state == .delivered ? 200 : 400, reason: state == .delivered ? nil : "http_400",
                        durationMs: 5, routes: RouteSet(id: 0, names: []), exchange: exchange, batch: batch)))
        }
        let change = TargetChange(cursor: TargetCursor(position: LogPosition(offsets: [5])), operations: records)
        try console.store.commit([(1, change)])
        return console
    }

    private func version() throws -> TargetVersion {
        var diagnostics = Diagnostics()
        let text = "{type: webhook, url: \"https://siem.example/hook\", headers: {X-Key: k}}"
        let node = try #require(try parseYAML(Array(text.utf8), file: "gatehouse.yaml"))
        let blueprint = TargetTypes.decode(name: "siem", node: node, &diagnostics)
        // Nothing here knows today's configuration, so the literal secret is not found.
        return try #require(blueprint?.settings.version)
    }

    private func place(_ offset: Int64) -> RecordPlace { RecordPlace(partition: 0, offset: offset) }

    private func payload(_ console: ConsoleFixture, _ number: Int) throws -> [UInt8] {
        let id = try #require(EventID(hex: ConsoleFixture.id(number)))
        return try #require(try console.log.lookup(id)).payload
    }

    private func answer(_ text: String) -> Answer {
        Answer(headerLines: Array("Server: s\r\nX-Echo: Ada\r\n".utf8), body: Array(text.utf8))
    }

    private func history(_ answer: ConsoleAnswer) throws -> [[String: Any]] {
        #expect(answer.status == 200, "\(answer.text)")
        let siem = try #require(answer.items.first { $0["target"] as? String == "siem" })
        return try #require(siem["history"] as? [[String: Any]])
    }

    private var path: String { "/api/v1/deliveries/\(ConsoleFixture.id(1))" }

    @Test("gives each attempt with its answer and its request; a viewer sees no text of either")
    func viewer() async throws {
        let console = try console()
        let answer = try await console.get(path, token: ConsoleFixture.viewer)
        let history = try history(answer)
        #expect(history.map { $0["number"] as? Int } == [1, 2])
        #expect(history.map { $0["status"] as? Int } == [400, 200])
        #expect(history.map { $0["reason"] as? String } == ["http_400", nil])
        #expect(!answer.text.contains("Ada"))
        let response = try #require(history[0]["response"] as? [String: Any])
        #expect(response["body"] as? String == "***")
        let headers = try #require(response["headers"] as? [[String: String]])
        #expect(headers.map { $0["value"] } == ["s", "***"])
        let request = try #require(history[0]["request"] as? [String: Any])
        #expect(request["reproducible"] as? Bool == false && request["body"] as? String == "***")
        #expect((request["why"] as? String)?.contains("secret") == true)
        #expect(try await console.get(path + "?unmask=true", token: ConsoleFixture.viewer).status == 403)
        #expect(try console.store.auditEntries(from: nil, limit: 10).entries.isEmpty)
    }

    @Test("shows an operator what was sent, and writes down who asked")
    func unmasked() async throws {
        let console = try console()
        let answer = try await console.get(path + "?unmask=true", token: ConsoleFixture.operator)
        let history = try history(answer)
        let request = try #require(history[0]["request"] as? [String: Any])
        #expect(try request["body"] as? String == String(decoding: payload(console, 1), as: UTF8.self))
        #expect((history[1]["response"] as? [String: Any])?["body"] as? String == "took Ada Lovelace")
        #expect((history[1]["request"] as? [String: Any])?["batch"] as? Bool == true)
        let entry = try #require(try console.store.auditEntries(from: nil, limit: 10).entries.first)
        #expect(entry.action == "deliveries.read" && entry.subject == ConsoleFixture.id(1))
    }

    @Test("shows a team its own target, and of a batch nothing, because others' events are in it")
    func team() async throws {
        let console = try console()
        let rules = try ConsoleFixture.rules()
        console.access.adopt(
            AccessRules(
                tokens: [AccessToken(name: "team", role: .operator, team: "london", token: ConsoleFixture.london)],
                teams: rules.teams.map { TeamView($0.team) }))
        let answer = try await console.get(path + "?unmask=true", token: ConsoleFixture.london)
        #expect(answer.items.compactMap { $0["target"] as? String } == ["siem"])
        let history = try history(answer)
        #expect((history[0]["request"] as? [String: Any])?["body"] as? String != "***")
        #expect((history[1]["request"] as? [String: Any])?["body"] as? String == "***")
        #expect((history[1]["response"] as? [String: Any])?["body"] as? String == "***")
        let other = "/api/v1/deliveries/\(ConsoleFixture.id(2))"
        #expect(try await console.get(other, token: ConsoleFixture.london).status == 404)
    }

    @Test("a trace tells each attempt, and nothing that was sent")
    func trace() async throws {
        let console = try console()
        let answer = try await console.get("/api/v1/trace/\(ConsoleFixture.id(1))", token: ConsoleFixture.viewer)
        let targets = try #require(answer.items.first?["targets"] as? [[String: Any]])
        let siem = try #require(targets.first { $0["target"] as? String == "siem" })
        let history = try #require(siem["history"] as? [[String: Any]])
        #expect(history.map { $0["status"] as? Int } == [400, 200])
        #expect(history.allSatisfy { Set($0.keys) == ["number", "at", "duration_ms", "status", "reason"] })
    }

    @Test("answers as it is described")
    func described() async throws {
        let console = try console()
        let document = try await console.get("/api/v1/openapi.json", token: ConsoleFixture.viewer)
        let checker = SchemaChecker(document.object)
        for query in ["", "?unmask=true"] {
            let answer = try await console.get(path + query, token: ConsoleFixture.operator)
            let value = try JSONSerialization.jsonObject(with: Data(answer.text.utf8))
            #expect(
                checker.flaws(value, "/api/v1/deliveries/{id}", 200, answer.header("Content-Type") ?? "") == [],
                "\(answer.text)")
        }
    }
}
