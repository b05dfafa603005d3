import EventLog
import Events
import Logging
import Metrics
import Rules
import SQLite
import Targets
import TestSupport
import Testing

@testable import Delivery

@Suite struct DeliveryEngineTests {
    @Test(
        "every event reaches each target whose routes take it, once, and the books balance", arguments: LogKind.allCases
    )
    func delivers(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let routes = """
            routes:
              - {name: everything, to: archive}
              - {name: arrivals, when: {event: visitor.signin}, to: [crm, archive]}
            """
        try harness.start(["crm", "archive"], routes: routes)
        let ids = try await harness.append(3000) { $0 % 3 == 0 ? "visitor.signin" : "visitor.signout" }
        #expect(harness.idle())
        let arrivals = Set(ids.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
        #expect(harness.target("archive").received.count == 3000)
        #expect(harness.target("archive").receivedSet == Set(ids))
        #expect(harness.target("crm").received.count == 1000)
        #expect(harness.target("crm").receivedSet == arrivals)

        let books = harness.engine.reconcile()
        #expect(books.isBalanced)
        #expect(books.accepted == 3000)
        let crm = try #require(books.targets.first { $0.name == "crm" }).balance
        #expect(crm.delivered == 1000)
        #expect(crm.filtered == 2000)
        #expect(crm.pending == 0)
        let row = try #require(try harness.store.deliveries(DeliveryFilter(), newest: 1).first)
        #expect(row.state == .delivered)
        #expect(row.target == "archive")
        let record = try #require(try harness.log.lookup(ids[0]))
        #expect(try harness.store.deliveries(of: record).map(\.routes) == [["arrivals"], ["everything", "arrivals"]])
    }

    @Test("a target that never answers and one that refuses slow no other one", arguments: LogKind.allCases)
    func isolation(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        harness.target("hanging").answer { _ in .never }
        harness.target("refusing").always(refused)
        try harness.start(["hanging", "refusing", "healthy"])
        try await harness.append(4000)
        #expect(await poll { harness.status("healthy")?.balance.delivered == 4000 })
        #expect(harness.target("hanging").received.count == 8, "its concurrency")
        #expect(harness.status("refusing")?.balance.dead == 0)
        #expect(harness.status("refusing")?.standing.name == "waiting")
        #expect(harness.status("refusing")?.lastError == "connect_refused")
        let books = harness.engine.reconcile()
        #expect(books.isBalanced)
        #expect(books.targets.map(\.balance.pending) == [4000, 4000, 0])

        harness.target("refusing").always(delivered)
        harness.target("hanging").always(delivered)
        harness.target("hanging").release(delivered)
        #expect(harness.idle())
        #expect(harness.engine.reconcile().targets.map(\.balance.delivered) == [4000, 4000, 4000])
    }

    @Test("targets that keep up share one reader")
    func sharedReader() async throws {
        let harness = try EngineHarness()
        try await harness.append(5000)
        let log = CountingLog(harness.log)
        let blueprints = (0..<6).map { ScriptedBlueprint("t\($0)") }
        let engine = try DeliveryEngine(
            log: log, store: harness.store, plan: try harness.plan(nil, blueprints), blueprints: blueprints,
            metrics: harness.metrics, logger: .silent,
            clock: {
                // Slow, so that a busy machine does not make what was just read old.
                var now = Moment.now()
                now.monotonicMs /= 20
                return now
            }
        ) { _ in ScriptedTarget() }
        try engine.start()
        #expect(engine.waitUntilIdle(within: .seconds(30)))
        #expect(engine.targets().allSatisfy { $0.balance.delivered == 5000 })
        #expect(log.recordsRead < 3 * 5000, "each for itself would be six times the log")
        engine.stop(within: .seconds(1))
    }

    @Test("an event its target cannot take becomes a dead letter with everything about it, and the others go on")
    func poison() async throws {
        let harness = try EngineHarness(.embedded)
        let bad = EventID(high: 7, low: 50)
        harness.target("crm").answer { $0.event.id == bad ? .now(badRequest) : .now(delivered) }
        try harness.start()
        try await harness.append(100)
        #expect(harness.idle())
        #expect(harness.target("crm").received.count { $0 == bad } == 5)
        let letters = try harness.store.deadLetters(newest: 10)
        let letter = try #require(letters.first)
        #expect(letters.count == 1)
        #expect(letter.event == bad)
        #expect(letter.reason == "http_400")
        #expect(letter.attempts == 5)
        #expect(letter.routes == ["all"])
        #expect(letter.payload == newRecord(50).payload)
        #expect(harness.status.balance.dead == 1)
        #expect(harness.status.balance.delivered == 99)
        var filter = DeliveryFilter()
        filter.state = .dead
        let row = try #require(try harness.store.deliveries(filter, newest: 10).first)
        #expect(row.event == bad)
        #expect(row.last?.reason == "http_400")
        #expect(row.last?.status == 400)
        #expect(row.nextAtMs == nil)
    }

    @Test("a restart repeats nothing that was written down, and goes on where it was", arguments: LogKind.allCases)
    func restart(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let stuck = Set((0..<5).map { EventID(high: 7, low: $0) })
        harness.target("crm").answer { stuck.contains($0.event.id!) ? .never : .now(delivered) }
        try harness.start()
        let ids = try await harness.append(500)
        #expect(await poll { harness.target("crm").received.count == 500 })
        #expect(harness.engine.reconcile().targets[0].balance.pending == 5)
        try harness.reopen(within: .milliseconds(50))

        let before = harness.target("crm").received.count
        harness.target("crm").always(delivered)
        try harness.start()
        let more = try await harness.append(100)
        #expect(harness.idle())
        let after = harness.target("crm").received.dropFirst(before)
        #expect(Set(after) == stuck.union(more))
        #expect(after.count == 105)
        #expect(harness.status.balance.delivered == 600)
        #expect(harness.engine.reconcile().isBalanced)
        #expect(Set(harness.target("crm").received) == Set(ids + more))
    }

    @Test("events that wait for another try wait through a restart, with their tries counted")
    func openEventsSurvive() async throws {
        let harness = try EngineHarness(.embedded)
        harness.target("crm").always(badRequest)
        try harness.start(adjust: { policy in
            policy.retry.floorMs = 50
            policy.retry.baseMs = 50
        })
        try await harness.append(3)
        #expect(await poll { harness.target("crm").received.count >= 6 })
        try harness.reopen()
        let tries = harness.target("crm").received.count
        harness.target("crm").always(badRequest)
        try harness.start()
        #expect(harness.idle())
        #expect(harness.status.balance.dead == 3)
        #expect(harness.target("crm").received.count == 15, "\(tries) before the restart")
    }

    @Test(
        "a target starts now unless told otherwise, and what came before is none of its business",
        arguments: LogKind.allCases)
    func startNow(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        try await harness.append(10)
        try harness.start([ScriptedBlueprint("late") { $0.start = .now }, ScriptedBlueprint("early")])
        try await harness.append(5)
        #expect(harness.idle())
        #expect(harness.target("late").received.count == 5)
        #expect(harness.target("early").received.count == 15)
        let books = harness.engine.reconcile()
        #expect(books.isBalanced)
        #expect(books.targets.map(\.balance.beforeStart) == [10, 0])
    }

    @Test("an event erased before it was delivered is discarded, and says so", arguments: LogKind.allCases)
    func erased(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let ids = try await harness.append(10)
        try harness.log.erase(ids[4])
        try harness.start()
        #expect(harness.idle())
        #expect(harness.status.balance.discarded == 1)
        #expect(harness.status.balance.delivered == 9)
        #expect(harness.engine.reconcile().isBalanced)
        let record = try #require(try harness.log.lookup(ids[4]))
        #expect(try harness.store.deliveries(of: record).map(\.state) == [.discarded])
    }

    @Test("system events are delivered to nobody and counted nowhere")
    func systemEvents() async throws {
        let harness = try EngineHarness()
        try await harness.append(3) { $0 == 1 ? "system.started" : "visitor.signin" }
        try harness.start([ScriptedBlueprint("early"), ScriptedBlueprint("late") { $0.start = .now }])
        try await harness.append(4) { $0 == 2 ? "system.stopped" : "visitor.signin" }
        #expect(harness.idle())
        let books = harness.engine.reconcile()
        #expect(books.isBalanced)
        #expect(books.accepted == 5)
        #expect(books.targets.map(\.balance.delivered) == [5, 3])
        #expect(books.targets.map(\.balance.beforeStart) == [0, 2])
    }

    @Test("what an instance knew is told the same from its files when it has stopped")
    func offline() async throws {
        let harness = try EngineHarness(.embedded)
        harness.target("crm").answer { $0.event.id!.low < 4 ? .now(refused) : .now(delivered) }
        try harness.start(["crm", "siem"])
        try await harness.append(50)
        try harness.engine.pause("siem")
        try await harness.append(50)
        #expect(await poll { harness.engine.reconcile().targets[0].balance.delivered >= 90 })
        harness.engine.stop(within: .seconds(1))
        let live = harness.engine.reconcile()
        #expect(live.isBalanced)
        let store = try DeliveryStore.openReadOnly(folder: harness.folder.path)
        #expect(try Reconciliation(store: store, log: harness.log, statistics: harness.log.statistics()) == live)
        let targets = try TargetStatus.stopped(store: store, log: harness.log, statistics: harness.log.statistics())
        #expect(targets.map(\.standing) == [.stopped, .paused])
        #expect(targets.map(\.balance) == live.targets.map(\.balance))
    }

    @Test("while the state file cannot be written deliveries go on, and everything is written down afterwards")
    func stateFileFails() async throws {
        let harness = try EngineHarness()
        try harness.start()
        let other = try Database(path: DeliveryStore.path(in: harness.folder.path), mode: .readWrite)
        try other.execute("CREATE TRIGGER full BEFORE UPDATE ON targets BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        try await harness.append(100)
        #expect(await poll { harness.target("crm").received.count == 100 })
        #expect(await poll { harness.engine.storeFailure != nil })
        #expect(try harness.store.targets()[0].cursor.counters.delivered == 0)
        try other.execute("DROP TRIGGER full")
        #expect(harness.idle())
        #expect(harness.engine.storeFailure == nil)
        #expect(try harness.store.targets()[0].cursor.counters.delivered == 100)
        #expect(try harness.store.deliveries(DeliveryFilter(), newest: 1000).count == 100)
    }

    @Test("the log may remove nothing that some target still needs")
    func retention() async throws {
        let harness = try EngineHarness()
        harness.target("slow").answer { _ in .never }
        try harness.start(["quick", "slow"])
        try await harness.append(30)
        #expect(
            await poll { harness.target("quick").received.count == 30 && harness.target("slow").received.count == 8 })
        try harness.engine.pause("quick")
        #expect(harness.engine.lowestUnfinished() == harness.log.beginning)
        harness.target("slow").always(delivered)
        harness.target("slow").release(delivered)
        try harness.engine.resume("quick")
        #expect(harness.idle())
        try harness.engine.pause("quick")
        #expect(harness.engine.lowestUnfinished() == harness.log.head)
    }

    @Test("events too old for a target that takes none become dead letters; a wall clock that jumps makes none")
    func tooOld() async throws {
        let harness = try EngineHarness()
        let jump = SharedPosition(LogPosition(offsets: [0]))
        var retention = DeliveryRetention()
        retention.ageMs = 86_400_000
        harness.target("crm").always(refused)
        try harness.start(
            retention: retention,
            clock: {
                var now = Moment.now()
                now.wallMs += jump.value.offsets[0]
                return now
            })
        try await harness.append(50)
        #expect(await poll { harness.status.standing.name == "waiting" })
        jump.value = LogPosition(offsets: [365 * 86_400_000])
        harness.engine.keepHouse()
        #expect(harness.status.balance.dead == 0)

        // The same a while after a restart: then the clock is believed, and the target is old enough.
        try harness.reopen()
        try harness.start(
            retention: retention,
            clock: {
                var now = Moment.now()
                now.wallMs += 2 * 86_400_000
                return now
            })
        harness.engine.keepHouse()
        #expect(await poll { harness.status.balance.dead == 50 })
        #expect(harness.engine.reconcile().isBalanced)
        #expect(try harness.store.deadLetters(newest: 100).allSatisfy { $0.reason == "too_old" })
    }

    @Test("a cursor beyond the log's end is refused: the log has lost what was delivered")
    func logBehindState() async throws {
        let harness = try EngineHarness()
        try harness.start()
        try await harness.append(10)
        #expect(harness.idle())
        #expect(try harness.store.furthestPosition() == harness.log.head)
        harness.engine.stop(within: .seconds(1))
        let store = try DeliveryStore.open(folder: harness.folder.path)
        #expect(throws: DeliveryStoreError.self) {
            _ = try DeliveryEngine(
                log: MemoryEventLog(), store: store, plan: .empty, blueprints: [ScriptedBlueprint("crm")],
                metrics: harness.metrics, logger: .silent
            ) { _ in ScriptedTarget() }
        }
    }

    @Test("an event that killed the process several times becomes a dead letter unsent, and the others go on")
    func crasher() async throws {
        let harness = try EngineHarness()
        try harness.start()
        try await harness.append(5)
        #expect(harness.idle())
        try harness.reopen()
        let ids = try await harness.append(20)
        let sent = try #require(try harness.log.lookup(ids[3])).place
        let matched = try #require(try harness.log.lookup(ids[8])).place
        let target = try harness.store.targets()[0].id
        for suspect in [Suspect(target: target, place: sent), Suspect(target: 0, place: matched)] {
            for death in 0..<DeliveryStore.deathsToConvict {
                let (hasDied, convicted) = try harness.store.beginRun()
                #expect(hasDied == (death > 0 || suspect.target == 0))
                #expect(!convicted.contains(suspect))
                try harness.store.setAtWork(suspect)
            }
        }
        try harness.start()
        #expect(harness.idle())
        #expect(harness.target("crm").receivedSet.isDisjoint(with: [ids[3], ids[8]]))
        #expect(harness.status.balance.delivered == 23)
        #expect(harness.engine.reconcile().isBalanced)
        let letters = try harness.store.deadLetters(newest: 10)
        #expect(Set(letters.map(\.event)) == [ids[3], ids[8]])
        #expect(letters.allSatisfy { $0.reason == "crashed" })

        // The run ended in order, so the next one goes without care.
        try harness.reopen()
        #expect(try harness.store.beginRun().hasDied == false)
    }

    @Test("a person's event can be taken out of the copies that wait and of the dead letters")
    func erasingCopies() async throws {
        let harness = try EngineHarness()
        harness.target("crm").answer {
            $0.event.id!.low == 0 ? .now(badRequest) : .now(failure("http_409", .event, status: 409))
        }
        let later = SharedPosition(LogPosition(offsets: [0]))
        try harness.start(
            clock: { Moment.now().advanced(byMs: later.value.offsets[0]) },
            adjust: { policy in
                policy.retry.floorMs = 600_000
                policy.attempts = 2
            })
        let ids = try await harness.append(2)
        #expect(await poll { (try? harness.store.targets()[0].openCount) == 2 })
        #expect(try harness.store.erase(ids[0]) == 1)
        later.value = LogPosition(offsets: [3_600_000])
        harness.engine.keepHouse()
        #expect(harness.idle())
        #expect(harness.target("crm").received.count { $0 == ids[0] } == 1)
        #expect(harness.status.balance.discarded == 1)
        #expect(harness.status.balance.dead == 1)
        #expect(try harness.store.erase(ids[1]) == 1)
        #expect(try harness.store.deadLetters(newest: 10).isEmpty)
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("the metrics page shows every target's counters, lag, latency and failures by code")
    func metrics() async throws {
        let harness = try EngineHarness()
        let bad = EventID(high: 7, low: 1)
        harness.target("crm").answer { $0.event.id == bad ? .now(badRequest) : .now(delivered) }
        try harness.start()
        try await harness.append(10)
        #expect(harness.idle())
        let page = harness.metrics.render()
        for line in [
            #"gatehouse_target_delivered_total{target="crm"} 9"#, #"gatehouse_target_dead_total{target="crm"} 1"#,
            #"gatehouse_target_pending_events{target="crm"} 0"#, #"gatehouse_target_lag_seconds{target="crm"} 0"#,
            #"gatehouse_target_state{target="crm",state="running"} 1"#,
            #"gatehouse_target_attempts_failed_total{target="crm",code="http_400"} 5"#,
            #"gatehouse_target_delivery_latency_seconds_count{target="crm"} 9"#,
        ] {
            #expect(page.contains(line + "\n"), "\(line) is missing")
        }
    }

    @Test("who watches is told what routes took an event and why, and what became of it")
    func observed() async throws {
        let harness = try EngineHarness()
        let told = Told()
        let routes = "routes:\n  - {name: arrivals, when: {event: visitor.signin}, to: crm}\n"
        try harness.start(["crm"], routes: routes)
        harness.engine.observer = { told.hear($0) }
        try await harness.append(2) { $0 == 0 ? "visitor.signin" : "visitor.signout" }
        #expect(harness.idle())
        #expect(told.lines.contains { $0.hasPrefix("taken crm [\"arrivals\"]") && $0.contains("visitor.signin") })
        #expect(told.lines.contains("filtered visitor.signout"))
        #expect(told.lines.contains("delivered crm"))
    }
}
