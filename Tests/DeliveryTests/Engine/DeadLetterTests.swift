import EventLog
import Targets
import Testing

@testable import Delivery

/// What operators do with dead letters, on both kinds of log.
@Suite struct DeadLetterTests {
    private func withDead(_ kind: LogKind, _ count: Int = 6) async throws -> EngineHarness {
        let harness = try EngineHarness(kind)
        harness.target("crm").always(badRequest)
        try harness.start()
        try await harness.append(count)
        #expect(harness.idle())
        return harness
    }

    @Test(
        "a dead letter that is queued again is delivered, and the accounts balance all the time",
        arguments: LogKind.allCases)
    func requeue(kind: LogKind) async throws {
        let harness = try await withDead(kind)
        #expect(harness.status.balance.dead == 6)
        harness.target("crm").always(delivered)
        #expect(try harness.engine.decide(.requeue, DeadLetterFilter(), by: "ada") == 6)
        #expect(harness.engine.reconcile().isBalanced)
        #expect(harness.idle())
        #expect(harness.status.balance.dead == 0 && harness.status.balance.delivered == 6)
        #expect(harness.engine.reconcile().isBalanced)
        #expect(try harness.store.deadLetters(newest: 10).isEmpty)
        let rows = try harness.store.deliveries(DeliveryFilter(), newest: 10)
        #expect(rows.allSatisfy { $0.state == .delivered && $0.attempts == 6 })
        #expect(try harness.engine.decide(.requeue, DeadLetterFilter(), by: "ada") == 0)
    }

    @Test(
        "one that fails again becomes a dead letter again after as many tries, a restart between or not",
        arguments: LogKind.allCases)
    func again(kind: LogKind) async throws {
        let harness = try await withDead(kind, 1)
        harness.target("crm").answer { _ in .never }
        #expect(try harness.engine.decide(.requeue, DeadLetterFilter(), by: "ada") == 1)
        try harness.reopen(within: .zero)
        harness.target("crm").always(badRequest)
        try harness.start()
        #expect(harness.idle())
        let letter = try #require(try harness.store.deadLetters(newest: 1).first)
        #expect(letter.attempts == 10)
        #expect(harness.status.balance.dead == 1)
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("however old it is, a person's decision lets it wait anew")
    func old() throws {
        var driver = TargetDriver(events: 1)
        driver.events = [event(0, receivedAtMs: 1000)]
        driver.run(forMs: 900_000) { _ in badRequest }
        let dead = try #require(driver.deadLetters.first)
        let row = DeadLetterRow(
            id: 1, event: dead.id, place: dead.place, target: "crm", type: dead.type, source: dead.source,
            receivedAtMs: 1000, routes: ["all"], atMs: dead.atMs, reason: dead.reason, attempts: dead.attempts,
            message: "", response: [], payload: Array("{}".utf8))
        driver.state.requeue(row, routes, driver.now)
        driver.state.expire(
            Expiry(tooOldBeforeMs: driver.now.wallMs - 1000, end: driver.state.position), driver.now)
        #expect(driver.state.openCount == 1 && driver.state.counters.dead == 0)
        #expect(driver.run { _ in delivered } == [0])
    }

    @Test("what is discarded is counted so, stays in the history, and is sent no more", arguments: LogKind.allCases)
    func discard(kind: LogKind) async throws {
        let harness = try await withDead(kind)
        var filter = DeadLetterFilter()
        filter.reason = "http_400"
        let first = try #require(try harness.store.deadLetters(newest: 10).first)
        #expect(try harness.engine.decide(.discard, filter, by: "ada") { $0.id != first.id } == 5)
        #expect(harness.status.balance.dead == 1 && harness.status.balance.discarded == 5)
        #expect(harness.engine.reconcile().isBalanced)
        try harness.reopen()
        try harness.start()
        #expect(harness.idle())
        #expect(harness.status.balance.dead == 1 && harness.status.balance.discarded == 5)
        let states = try harness.store.deliveries(DeliveryFilter(), newest: 10).map(\.state)
        #expect(states.count { $0 == .discarded } == 5 && states.count { $0 == .dead } == 1)
    }

    @Test("filters take what they name, and nothing else")
    func filters() async throws {
        let harness = try await withDead(.memory)
        let all = try harness.store.deadLetters(newest: 10)
        func count(_ adjust: (inout DeadLetterFilter) -> Void) throws -> Int {
            var filter = DeadLetterFilter()
            adjust(&filter)
            return try harness.store.deadLetters(filter, newest: 10).count
        }
        #expect(try count { $0.target = "crm" } == 6)
        #expect(try count { $0.target = "siem" } == 0)
        #expect(try count { $0.reason = "too_old" } == 0)
        #expect(try count { $0.id = all[2].id } == 1)
        #expect(try count { $0.event = all[2].event } == 1)
        #expect(try count { $0.sinceMs = all[0].atMs } == 6)
        #expect(try count { $0.untilMs = all[0].atMs } == 0)
        #expect(
            try harness.store.deadLetters(DeadLetterFilter(), after: all[3].id, limit: 10).map(\.id)
                == all.suffix(2).map(\.id))
    }

    @Test("every decision is in the audit log, with who took it")
    func audit() async throws {
        let harness = try await withDead(.memory, 1)
        try harness.engine.pause("crm", by: "ada")
        try harness.engine.resume("crm", by: "ada")
        _ = try harness.engine.decide(.discard, DeadLetterFilter(), by: "grace")
        #expect(throws: DeliveryStoreError.self) { try harness.engine.pause("nobody", by: "ada") }
        let entries = try harness.store.auditEntries(isNewestFirst: false, from: nil, limit: 10).entries
        #expect(entries.map(\.action) == ["targets.pause", "targets.resume", "dead-letters.discard"])
        #expect(entries.map(\.actor) == ["ada", "ada", "grace"])
    }
}
