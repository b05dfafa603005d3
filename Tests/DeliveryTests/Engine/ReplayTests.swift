import EventLog
import Events
import Logging
import Metrics
import Rules
import Targets
import TestSupport
import Testing

@testable import Delivery

@Suite("A replay") struct ReplayTests {
    @Test(
        "sends what there was once more, marked, with the ids of then, beside the target's own accounts",
        arguments: LogKind.allCases)
    func sendsAgain(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start(["crm", "siem"])
        let ids = try await harness.append(700)
        #expect(harness.idle())
        let begun = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "alice")
        let done = try #require(await harness.ended(begun.number))
        #expect(done.state == .finished)
        #expect(done.by == "alice")
        #expect(done.balance.events == 700)
        #expect(done.balance.delivered == 700)
        #expect(done.balance.isBalanced)
        #expect(watch.sent.count == 1400)
        #expect(watch.replayed.allSatisfy { $0.replay == begun.number && $0.routes == ["all"] })
        #expect(watch.replayed.map(\.event).sorted { $0.low < $1.low } == ids)
        #expect(harness.target("siem").received.count == 700)

        #expect(harness.engine.targets().map(\.name) == ["crm", "siem"])
        #expect(harness.engine.targets().map(\.balance.delivered) == [700, 700])
        let books = harness.engine.reconcile()
        #expect(books.isBalanced)
        #expect(books.targets.map(\.name) == ["crm", "siem"])
        #expect(books.replays.map(\.number) == [begun.number])
        let record = try #require(try harness.log.lookup(ids[3]))
        let rows = try harness.store.deliveries(of: record)
        #expect(rows.map(\.target) == ["crm", "siem", "crm"])
        #expect(rows.map(\.replay) == [nil, nil, begun.number])
        var filter = DeliveryFilter()
        filter.target = "crm"
        #expect(try harness.store.deliveries(filter, newest: 1000).count == 1000)
        filter.event = ids[3]
        #expect(try harness.store.deliveries(filter, newest: 1000).map(\.replay) == [nil, begun.number])
        let audit = try harness.store.auditEntries(from: nil, limit: 10).entries
        #expect(audit.map(\.action) == ["replay.begin"])
        #expect(audit.first?.actor == "alice")
    }

    @Test("keeps to the times asked for", arguments: LogKind.allCases)
    func times(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        let start = Timestamp.now().milliseconds - 100_000
        let ids = try await harness.append(received: (0..<100).map { start + $0 * 1000 }, from: 0)
        #expect(harness.idle())
        let request = ReplayRequest(target: "crm", sinceMs: start + 10_000, untilMs: start + 20_000)
        let done = try #require(await harness.ended(try harness.engine.replay(request, by: "x").number))
        #expect(Set(watch.replayed.map(\.event)) == Set(ids[10..<20]))
        #expect(done.balance.delivered == 10)
        #expect(done.balance.isBalanced)
    }

    @Test("goes through today's routes, through the one that is named, and takes what the condition takes")
    func routes() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        let crm = ScriptedBlueprint("crm")
        try harness.start([crm], routes: "routes:\n  - {name: none, when: {event: invitation.created}, to: crm}\n")
        let ids = try await harness.append(30) { ["visitor.signin", "visitor.signout", "visitor.denied"][$0 % 3] }
        #expect(harness.idle())
        #expect(watch.sent.isEmpty)
        let routes = """
            routes:
              - {name: in, when: {event: visitor.signin}, to: crm}
              - {name: both, when: {event: [visitor.signin, visitor.signout]}, to: crm}
            """
        try harness.engine.reload(plan: try harness.plan(routes, [crm]), blueprints: [crm])
        var request = ReplayRequest(target: "crm", sinceMs: 0)
        let all = try #require(await harness.ended(try harness.engine.replay(request, by: "x").number))
        #expect(all.balance.delivered == 20)
        #expect(all.balance.filtered == 10)
        #expect(Set(watch.replayed.map(\.routes)) == [["in", "both"], ["both"]])

        request.route = "in"
        request.condition = "{visitor: {name: Ada 3}}"
        let one = try #require(await harness.ended(try harness.engine.replay(request, by: "x").number))
        #expect(one.balance.delivered == 1)
        #expect(one.balance.filtered == 29)
        #expect(watch.replayed.last?.event == ids[3])
        #expect(watch.replayed.last?.routes == ["in"])
    }

    @Test("leaves what the target has not finished to the target")
    func unfinished() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm")) { outgoing in
            switch outgoing.event.id!.low {
            case 3: .never
            case 5: .now(badRequest)
            default: .now(delivered)
            }
        }
        try harness.start(adjust: { policy in
            policy.retry.floorMs = 600_000
            policy.retry.capMs = 600_000
        })
        try await harness.append(10)
        #expect(await poll { harness.status.balance.delivered == 8 && harness.status.open == 1 })
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        let done = try #require(await harness.ended(number))
        #expect(done.balance.skipped == 2)
        #expect(done.balance.delivered == 8)
        #expect(Set(watch.replayed.map(\.event.low)) == [0, 1, 2, 4, 6, 7, 8, 9])
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("sends nothing that comes after it was asked for, nor events of Gatehouse's own")
    func end() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(4) { $0 == 1 ? "system.target_disabled" : "visitor.signin" }
        #expect(harness.idle())
        try harness.engine.pause("crm")
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        try await harness.append(5)
        #expect(try harness.replay(number)?.state == .waiting)
        #expect(try harness.replay(number)?.reason == "the target is paused")
        #expect(watch.replayed.isEmpty)
        try harness.engine.resume("crm")
        let done = try #require(await harness.ended(number))
        #expect(done.balance.events == 4)
        #expect(done.balance.delivered == 3)
        #expect(done.balance.skipped == 1)
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 8)
    }

    // MARK: the target's own events go first

    @Test("never has more than its share on the way, and lets what has just come go first")
    func priority() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm")) { $0.replay == nil ? .now(delivered) : .after(milliseconds: 1, delivered) }
        try harness.start([ScriptedBlueprint("crm") { $0.concurrency = 1 }])
        try await harness.append(400)
        #expect(harness.idle())
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { watch.replayed.count >= 20 })
        try await harness.append(50)
        let done = try #require(await harness.ended(number))
        #expect(done.balance.delivered == 400)
        #expect(harness.idle())
        let sent = watch.sent.dropFirst(400)
        let first = try #require(sent.firstIndex { $0.replay == nil })
        let last = try #require(sent.lastIndex { $0.replay == nil })
        #expect(last - first == 49, "all of them together")
        #expect(last < sent.endIndex - 1, "before the replay's end")
    }

    @Test("shares the target's concurrency")
    func concurrency() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(100)
        #expect(harness.idle())
        watch.watch(harness.target("crm")) { _ in .never }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { watch.replayed.count == 2 })
        try await harness.append(100)
        #expect(await poll { watch.sent.count == 108 })
        #expect(watch.replayed.count == 2, "a quarter of 8")
        watch.watch(harness.target("crm"))
        harness.target("crm").release(delivered)
        #expect(await harness.ended(number)?.balance.delivered == 100)
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 200)
    }

    @Test("shares the target's rate, which serves the target's own events first")
    func rate() async throws {
        let harness = try EngineHarness()
        let clock = ManualClock()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        let blueprint = ScriptedBlueprint("crm") { $0.rate = RateLimit(amount: 1, period: .seconds(1)) }
        let target = harness.target("crm")
        let engine = try DeliveryEngine(
            log: harness.log, store: harness.store, plan: try harness.plan(nil, [blueprint]), blueprints: [blueprint],
            metrics: harness.metrics, logger: .silent, clock: { clock.now }
        ) { _ in target }
        defer { engine.stop(within: .zero) }
        func turn(_ seconds: Int) -> Int {
            var waits: [Int64?] = []
            for _ in 0..<seconds {
                clock.advance(1000)
                for _ in 0..<20 { waits.append(engine.turn()) }
            }
            return waits.count { $0 == nil }
        }
        try await harness.append(3)
        _ = turn(10)
        #expect(engine.isIdle)
        #expect(watch.sent.count == 3)
        _ = try engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x")
        #expect(turn(1) == 0, "it says when it wants to be asked again")
        #expect(watch.replayed.count == 1)
        let live = try await harness.append(2)
        _ = turn(2)
        #expect(Set(watch.sent.suffix(2).map(\.event)) == Set(live))
        #expect(watch.replayed.count == 1)
        _ = turn(1)
        #expect(watch.replayed.count == 2)
        _ = turn(2)
        #expect(watch.replayed.count == 3)
        #expect(try engine.replays().map(\.state) == [.finished])
    }

    @Test("goes in batches and in the order of keys where the target does")
    func batches() async throws {
        let harness = try EngineHarness()
        let blueprint = ScriptedBlueprint("crm") {
            var batch = BatchLimits()
            batch.maximumEvents = 10
            batch.every = .milliseconds(1)
            $0.batch = batch
            $0.order = .key
        }
        try harness.start([blueprint])
        let ids = try await harness.append(40)
        #expect(harness.idle())
        let before = harness.target("crm").received.count
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await harness.ended(number)?.balance.delivered == 40)
        let replayed = Array(harness.target("crm").received.dropFirst(before))
        #expect(replayed.count == 40)
        for key in 0..<7 as Range<UInt64> {
            #expect(replayed.filter { $0.low % 7 == key } == ids.filter { $0.low % 7 == key })
        }
        #expect(harness.target("crm").batches.contains { $0 > 1 })
    }
}
