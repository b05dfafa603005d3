import EventLog
import Events
import Foundation
import Rules
import Targets
import TestSupport
import Testing
import YAML

@testable import Delivery

/// What targets themselves do not take of what routes bring them: without consent, without a key, opted out.
@Suite("Events that a target does not take") struct AdmissionTests {
    private static let keys = """
        key: "{visitor.email|lower}"
        only_if: {additional: {Marketing: yes}}
        opt_out: gone
        """

    /// A target of type http, as the configuration reads it.
    private func settings(_ keys: String) throws -> TargetSettings {
        var diagnostics = Diagnostics()
        let text = "type: http\nurl: https://x.example/\n\(keys)\n"
        let node = try #require(try parseYAML(Array(text.utf8), file: "gatehouse.yaml"))
        let blueprint = TargetTypes.decode(name: "crm", node: node, &diagnostics)
        #expect(diagnostics.isEmpty, "\(diagnostics)")
        return try #require(blueprint).settings
    }

    private func blueprint(_ keys: String = keys) throws -> ScriptedBlueprint {
        let read = try settings(keys)
        return ScriptedBlueprint("crm") {
            $0.recordKey = read.recordKey
            $0.admission = read.admission
            $0.fingerprint = keys
        }
    }

    private func routes(_ folder: TemporaryDirectory, _ optedOut: [String]) throws -> String {
        let list = folder.path + "/gone.txt"
        try Data((["# who has opted out"] + optedOut).map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: list))
        return """
            lists: {gone: \(list)}
            routes: [{name: visitors, when: {event: visitor.signin}, to: [crm]}]

            """
    }

    private func record(
        _ number: UInt64, _ email: String?, consents: Bool = true, type: String = "visitor.signin"
    ) -> NewRecord {
        let id = EventID(high: 9, low: number)
        let mail = email.map { #""email":"\#($0)""# } ?? #""name":"x""#
        let payload =
            #"{"specversion":"1.0","id":"\#(id.hex)","source":"london","type":"\#(type)","partitionkey":"k\#(number)","#
            + #""data":{"source":"london","site":{"id":"4567"},"visitor":{\#(mail)},"#
            + #""additional":{"Marketing":"\#(consents ? "Yes" : "No")"}}}"#
        let now = Timestamp.now().milliseconds
        return NewRecord(
            id: id, type: type, partitionKey: Array("k\(number)".utf8), timeMs: now, receivedAtMs: now,
            source: "london",
            payload: Array(payload.utf8))
    }

    /// One of each: delivered, without consent, without a key, opted out, both of the last, and one that no route takes.
    private var all: [NewRecord] {
        [
            record(0, "ann@acme.com"), record(1, "bob@acme.com", consents: false), record(2, nil), record(3, " "),
            record(4, "Gone@Acme.com"), record(5, "gone@acme.com", consents: false),
            record(6, "ann@acme.com", type: "visitor.signout"),
        ]
    }

    private static let reasons = [nil, "no_consent", "no_key", "no_key", "opted_out", "no_consent", "no_route"]

    private func told(_ harness: EngineHarness, _ record: NewRecord) throws -> (state: DeliveryState, reason: String?)?
    {
        let kept = try #require(try harness.log.lookup(record.id))
        return try harness.store.deliveries(of: kept).first.map { ($0.state, $0.reason) }
    }

    @Test("are filtered for their reason, counted by it, and the accounts balance", arguments: LogKind.allCases)
    func reasons(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let routes = try routes(harness.folder, ["gone@acme.com"])
        try harness.start([try blueprint()], routes: routes)
        let records = all
        try await harness.append(records)
        #expect(harness.idle())
        for _ in 0..<2 {
            let balance = harness.status.balance
            #expect(balance.delivered == 1 && balance.filtered == 6)
            #expect(FilteredReason.allCases.map { balance.refused[$0] } == [2, 2, 1, 0])
            #expect(harness.engine.reconcile().isBalanced)
            #expect(harness.target("crm").received == [records[0].id])
            for (record, reason) in zip(records, Self.reasons) {
                let told = try #require(try told(harness, record))
                #expect(told.state == (reason == nil ? .delivered : .filtered) && told.reason == reason)
            }
            // The same after a restart.
            try harness.reopen()
            try harness.start([try blueprint()], routes: routes)
            #expect(harness.idle())
        }
        var filter = DeliveryFilter()
        filter.state = .filtered
        let rows = try harness.store.deliveries(filter, newest: 10)
        #expect(
            rows.compactMap(\.reason).sorted() == ["no_consent", "no_consent", "no_key", "no_key", "opted_out"])
        #expect(rows.allSatisfy { $0.routes == ["visitors"] && $0.attempts == 0 && $0.last == nil })
    }

    @Test("stay told as they were decided when the list, the condition or the key is another one later")
    func changes() async throws {
        let harness = try EngineHarness(.embedded)
        try harness.start([try blueprint()], routes: try routes(harness.folder, ["gone@acme.com"]))
        let records = all
        try await harness.append(records)
        #expect(harness.idle())
        let loose = try blueprint("only_if: {additional: {Marketing: {is: present}}}\nopt_out: gone")
        let other = try routes(harness.folder, ["ann@acme.com"])
        try harness.engine.reload(plan: try harness.plan(other, [loose]), blueprints: [loose])
        for (record, reason) in zip(records, Self.reasons) {
            #expect(try #require(try told(harness, record)).reason == reason)
        }
        let later = [record(10, "ann@acme.com"), record(11, "gone@acme.com", consents: false), record(12, nil)]
        try await harness.append(later)
        #expect(harness.idle())
        #expect(try later.map { try #require(try told(harness, $0)).reason } == ["opted_out", nil, nil])
        #expect(FilteredReason.allCases.map { harness.status.balance.refused[$0] } == [2, 2, 2, 0])
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("are not sent by a replay, and a rehearsal says so; what is taken now is", arguments: LogKind.allCases)
    func replay(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        try harness.start([try blueprint()], routes: try routes(harness.folder, ["gone@acme.com"]))
        try await harness.append(all)
        #expect(harness.idle())
        let other = try routes(harness.folder, ["ann@acme.com"])
        let plan = try harness.plan(other, [try blueprint()])
        try harness.engine.reload(plan: plan, blueprints: [try blueprint()])
        let rehearsal = try harness.engine.rehearse(ReplayRequest(target: "crm", sinceMs: 0), after: nil, limit: 10)
        #expect(rehearsal.taken == 1 && rehearsal.filtered == 6)
        #expect(rehearsal.reasons.values.reduce(0, +) == 5)
        #expect(rehearsal.reasons["the target does not take it (opted_out)"] == 1)
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "ada").number
        let ended = try #require(await harness.ended(number))
        #expect(ended.balance.delivered == 1 && ended.balance.filtered == 6 && ended.balance.isBalanced)
        #expect(FilteredReason.allCases.map { ended.balance.refused[$0] } == [2, 2, 1, 0])
        #expect(harness.target("crm").received.map(\.hex) == [all[0].id.hex, all[4].id.hex])
        #expect(harness.status.balance.delivered == 1)
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("stay dead letters when somebody wants them sent again; the others are", arguments: LogKind.allCases)
    func requeue(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        harness.target("crm").always(badRequest)
        try harness.start([try blueprint()], routes: try routes(harness.folder, []))
        let records = [record(0, "ann@acme.com"), record(1, "bob@acme.com")]
        try await harness.append(records)
        #expect(harness.idle())
        #expect(harness.status.balance.dead == 2)
        harness.target("crm").always(delivered)
        let plan = try harness.plan(try routes(harness.folder, ["bob@acme.com"]), [try blueprint()])
        try harness.engine.reload(plan: plan, blueprints: [try blueprint()])
        #expect(try harness.engine.decide(.requeue, DeadLetterFilter(), by: "ada") == 1)
        #expect(harness.idle())
        let balance = harness.status.balance
        #expect(balance.delivered == 1 && balance.dead == 1 && balance.filtered == 0)
        #expect(try harness.store.deadLetters(newest: 10).map(\.event) == [records[1].id])
        #expect(try harness.engine.decide(.discard, DeadLetterFilter(), by: "ada") == 1)
        #expect(harness.engine.reconcile().isBalanced && harness.status.balance.discarded == 1)
    }

    @Test("are left out also where they were on their way when the program ended", arguments: LogKind.allCases)
    func holes(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        harness.target("crm").answer { _ in .never }
        try harness.start([try blueprint()], routes: try routes(harness.folder, []))
        let records = [record(0, "ann@acme.com"), record(1, "bob@acme.com")]
        try await harness.append(records)
        #expect(await poll { harness.target("crm").received.count == 2 })
        try harness.reopen(within: .zero)
        harness.target("crm").always(delivered)
        try harness.start([try blueprint()], routes: try routes(harness.folder, ["bob@acme.com"]))
        #expect(harness.idle())
        let balance = harness.status.balance
        #expect(balance.delivered == 1 && balance.filtered == 1 && balance.refused[.optedOut] == 1)
        #expect(try #require(try told(harness, records[1])).reason == "opted_out")
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test(
        "are not sent once somebody opts out, although they were taken and only wait for another try",
        arguments: LogKind.allCases, [badRequest, refused])
    func pending(kind: LogKind, failure: DeliveryOutcome) async throws {
        let harness = try EngineHarness(kind)
        harness.target("crm").always(failure)
        let slow: @Sendable (inout TargetPolicy) -> Void = { policy in
            policy.retry.floorMs = 100
            policy.retry.baseMs = 300
            policy.attempts = 1000
        }
        try harness.start([try blueprint()], routes: try routes(harness.folder, []), adjust: slow)
        let records = [record(0, "ann@acme.com"), record(1, "bob@acme.com"), record(2, "Bob@acme.com")]
        try await harness.append(records)
        #expect(await poll { harness.target("crm").receivedSet.contains(records[1].id) })
        let plan = try harness.plan(try routes(harness.folder, ["bob@acme.com"]), [try blueprint()])
        try harness.engine.reload(plan: plan, blueprints: [try blueprint()])
        let sent = harness.target("crm").received.count
        harness.target("crm").always(delivered)
        #expect(harness.idle())
        let later = harness.target("crm").received.dropFirst(sent)
        #expect(!later.contains(records[1].id) && !later.contains(records[2].id))
        let balance = harness.status.balance
        #expect(balance.delivered == 1 && balance.filtered == 2 && balance.refused[.optedOut] == 2 && balance.dead == 0)
        #expect(harness.engine.reconcile().isBalanced)
        for gone in records[1...] {
            let told = try #require(try told(harness, gone))
            #expect(told.state == .filtered && told.reason == "opted_out")
        }
        try harness.reopen()
        try harness.start([try blueprint()], routes: try routes(harness.folder, ["bob@acme.com"]))
        #expect(harness.idle() && harness.engine.reconcile().isBalanced)
        #expect(harness.status.balance.refused[.optedOut] == 2)
    }

    @Test("are not sent by a replay that was under way when somebody opted out")
    func pendingReplay() async throws {
        let harness = try EngineHarness(.embedded)
        try harness.start([try blueprint()], routes: try routes(harness.folder, []))
        let records = [record(0, "ann@acme.com"), record(1, "bob@acme.com")]
        try await harness.append(records)
        #expect(harness.idle())
        harness.target("crm").always(serverError)
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "ada").number
        #expect(await poll { harness.target("crm").received.count(where: { $0 == records[1].id }) > 1 })
        let plan = try harness.plan(try routes(harness.folder, ["bob@acme.com"]), [try blueprint()])
        try harness.engine.reload(plan: plan, blueprints: [try blueprint()])
        harness.target("crm").always(delivered)
        let ended = try #require(await harness.ended(number))
        #expect(ended.balance.delivered == 1 && ended.balance.refused[.optedOut] == 1 && ended.balance.isBalanced)
        #expect(harness.status.balance.delivered == 2 && harness.engine.reconcile().isBalanced)
    }

    @Test("of a batch leave it, and the others go")
    func batches() async throws {
        let harness = try EngineHarness(.memory)
        var blueprint = try blueprint()
        blueprint.settings.batch = BatchLimits()
        blueprint.settings.order = .key
        let quick: @Sendable (inout TargetPolicy) -> Void = { policy in
            quickRetries(&policy)
            policy.batch?.everyMs = 1
        }
        harness.target("crm").answerBatches(serverError)
        try harness.start([blueprint], routes: try routes(harness.folder, []), adjust: quick)
        let records = (0..<6).map { record(UInt64($0), $0 % 2 == 0 ? "ann@acme.com" : "bob@acme.com") }
        try await harness.append(records)
        #expect(await poll { harness.target("crm").receivedSet.count == 6 })
        let plan = try harness.plan(try routes(harness.folder, ["bob@acme.com"]), [blueprint])
        try harness.engine.reload(plan: plan, blueprints: [blueprint])
        harness.target("crm").answerBatches(delivered)
        #expect(harness.idle())
        let balance = harness.status.balance
        #expect(balance.delivered == 3 && balance.refused[.optedOut] == 3 && harness.engine.reconcile().isBalanced)
    }

    @Test("never keep the others waiting, and are told to who watches")
    func many() async throws {
        let harness = try EngineHarness(.memory)
        try harness.start([try blueprint()], routes: try routes(harness.folder, []))
        let told = Told()
        harness.engine.observer = { told.hear($0) }
        let records = (0..<2000).map { record(UInt64($0), "p\($0)@acme.com", consents: $0 % 10 == 0) }
        try await harness.append(records)
        #expect(harness.idle())
        let balance = harness.status.balance
        #expect(balance.delivered == 200 && balance.refused[.noConsent] == 1800)
        #expect(told.lines.count { $0 == #"refused crm ["visitors"] no_consent"# } == 1800)
    }
}
