import Delivery
import EventLog
import Events
import Foundation
import FoundationNetworking
import HTTPServer
import HTTPTypes
import Logging
import Metrics
import Synchronization
import Testing
import YAML

@testable import Console
@testable import Rules

/// A console on a loopback port, over a log in memory.
final class ConsoleFixture: Sendable {
    let log: MemoryEventLog
    let store: DeliveryStore
    let access = AccessDesk()
    private let server: HTTPServer
    private let engine: DeliveryEngine
    private let folder: URL
    private let session = URLSession(configuration: .ephemeral)
    let metrics = MetricsRegistry()

    static let viewer = "a-viewer-s-token-of-24-b"
    static let `operator` = "an-operator-s-token-of-2"
    static let london = "the-london-team-s-token"

    init(partitions: Int = 1, isOpen: Bool = false, audits: Bool = true) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "console-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = MemoryEventLog(partitions: partitions)
        let store = try DeliveryStore.open(folder: folder.path)
        self.log = log
        self.store = store
        let rules = try Self.rules()
        let records = LocalRecords(
            log: log, store: store,
            targets: { try TargetStatus.stopped(store: store, log: log, statistics: log.statistics()) },
            balance: { try Reconciliation(store: store, log: log, statistics: log.statistics()) },
            routes: { RouteListing(rules) })
        engine = try DeliveryEngine(
            log: log, store: store, plan: .empty, blueprints: [], metrics: MetricsRegistry(), logger: .silent,
            makeTarget: { _ in throw RecordError("there are no targets") })
        let desk = OperatorDesk(engine: engine, store: store)
        let api = APIHandler(
            access: access, records: records, desk: desk, explainer: EchoingExplainer(), metrics: metrics
        ) { entry in
            guard audits else { throw RecordError("the disk is full") }
            try store.audit(entry)
        }
        server = try HTTPServer(
            HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0)),
            handler: ConsoleHandler(metrics: metrics, problems: { [] }, api: api))
        access.adopt(
            AccessRules(
                tokens: [
                    AccessToken(name: "looker", role: .viewer, team: nil, token: Self.viewer),
                    AccessToken(name: "doer", role: .operator, team: nil, token: Self.operator),
                    AccessToken(name: "london", role: .viewer, team: "london", token: Self.london),
                ],
                isOpen: isOpen, teams: rules.teams.map { TeamView($0.team) }))
        server.start()
    }

    deinit {
        server.stop()
        engine.stop(within: .zero)
        try? FileManager.default.removeItem(at: folder)
    }

    /// One team, which may see the events of site 1.
    static func rules() throws -> RuleSets {
        var diagnostics = Diagnostics()
        let scope = try #require(try parseYAML(Array("{site: {id: 1}}".utf8), file: "test"))
        let team = Team(
            name: "london", paths: [], targets: ["siem"], scope: scope, location: SourceLocation(file: "test"),
            environment: RuleEnvironment(sources: [], vendors: [], siteKeys: [], targets: ["siem", "crm"]), &diagnostics
        )
        var rules = RuleSets()
        rules.teams = [
            TeamStanding(
                team: try #require(team), state: .current, version: nil, routeCount: 0, diagnostics: diagnostics)
        ]
        return rules
    }

    // MARK: events

    /// Events at sites 0, 1, 2 in turn, a second apart.
    func append(_ numbers: Range<Int>, source: String = "london") {
        let records = numbers.map { number -> NewRecord in
            let id = EventID(keySpace: "test", dedupeKey: Array("\(number)".utf8))
            let moment = Timestamp(milliseconds: Int64(number) * 1000)
            let payload = """
                {"specversion":"1.0","id":"\(id.hex)","source":"/sources/\(source)","type":"visitor.signin",\
                "subject":"visitor/\(number)","time":"\(moment.text)","datacontenttype":"application/json",\
                "dataschema":"urn:gatehouse:event:1","partitionkey":"1/\(number)","data":{"vendor":"signinapp",\
                "vendor_event":"visitor.signin","source":"\(source)","received_at":"\(moment.text)",\
                "site":{"id":"\(number % 3)"},"visitor":{"id":"\(number)","name":"Ada Lovelace"},\
                "original":{"name":"Ada Lovelace"}}}
                """
            return NewRecord(
                id: id, type: "visitor.signin", partitionKey: Array("\(number)".utf8), timeMs: moment.milliseconds,
                receivedAtMs: moment.milliseconds, source: source, visitorID: Array("\(number)".utf8),
                payload: Array(payload.utf8))
        }
        log.append(AppendBatch(records: records)) { _ in }
    }

    static func id(_ number: Int) -> String { EventID(keySpace: "test", dedupeKey: Array("\(number)".utf8)).hex }

    var port: Int { server.port }

    // MARK: asking

    func get(
        _ path: String, token: String? = nil, headers: [String: String] = [:], method: String = "GET",
        body: String? = nil
    ) async throws -> ConsoleAnswer {
        let url = try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)"))
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await session.data(for: request)
        return ConsoleAnswer(data, try #require(response as? HTTPURLResponse))
    }

    /// Every item of a list, page by page, by their `subject`s' numbers.
    func numbers(_ path: String, token: String = viewer) async throws -> [Int] {
        var result: [Int] = []
        var cursor: String?
        repeat {
            let next = cursor.map { "\(path.contains("?") ? "&" : "?")cursor=\($0)" } ?? ""
            let answer = try await get("/api/v1/\(path)\(next)", token: token)
            #expect(answer.status == 200, "\(answer.text)")
            result += answer.items.compactMap {
                ($0["subject"] as? String)?.split(separator: "/").last.flatMap { Int($0) }
            }
            cursor = answer.object["next"] as? String
        } while cursor != nil
        return result
    }
}

struct ConsoleAnswer: Sendable {
    let status: Int
    let text: String
    private let response: HTTPURLResponse

    init(_ data: Data, _ response: HTTPURLResponse) {
        status = response.statusCode
        text = String(decoding: data, as: UTF8.self)
        self.response = response
    }

    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }

    var items: [[String: Any]] { object["items"] as? [[String: Any]] ?? [] }
    /// Of problem details.
    var code: String? { object["code"] as? String }

    func header(_ name: String) -> String? { response.value(forHTTPHeaderField: name) }
}

/// A client with connections of its own.
struct ConsoleClient: Sendable {
    private let url: String
    private let session: URLSession

    init(_ console: ConsoleFixture) throws {
        url = "http://127.0.0.1:\(console.port)"
        session = URLSession(configuration: .ephemeral)
    }

    func get(_ path: String) async throws -> ConsoleAnswer {
        var request = URLRequest(url: try #require(URL(string: url + path)), timeoutInterval: 60)
        request.setValue("Bearer \(ConsoleFixture.viewer)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await session.data(for: request)
        return ConsoleAnswer(data, try #require(response as? HTTPURLResponse))
    }
}
