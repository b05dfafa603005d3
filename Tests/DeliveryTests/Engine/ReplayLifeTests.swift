import EventLog
import Events
import Rules
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Delivery

@Suite("The life of a replay") struct ReplayLifeTests {
    @Test("a restart repeats only what was on its way, and goes on where it was", arguments: LogKind.allCases)
    func restart(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        let ids = try await harness.append(500)
        #expect(harness.idle())
        watch.watch(harness.target("crm")) {
            $0.replay != nil && $0.event.id!.low % 250 == 100 ? .never : .now(delivered)
        }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { watch.replayed.count { $0.event.low % 250 == 100 } == 2 })
        let delivering = harness.engine.reconcile()
        #expect(delivering.isBalanced)
        try harness.reopen(within: .zero)

        let before = watch.replayed.count
        watch.watch(harness.target("crm"))
        try harness.start()
        let done = try #require(await harness.ended(number))
        #expect(done.balance.delivered == 500)
        #expect(done.balance.isBalanced)
        #expect(Set(watch.replayed.map(\.event)) == Set(ids))
        #expect(Set(watch.replayed.dropFirst(before).map(\.event.low)).isSuperset(of: [100, 350]))
        #expect(watch.replayed.count == 502, "two were on their way")
        #expect(harness.engine.reconcile().isBalanced)
        try harness.reopen()
        try harness.start()
        #expect(try harness.replay(number) == done)
        #expect(harness.idle())
        #expect(watch.replayed.count == 502)
    }

    @Test("cancelled, it sends nothing more, gives up what waits, and the target's own events go on")
    func cancel() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(1000)
        #expect(harness.idle())
        watch.watch(harness.target("crm")) { outgoing in
            guard outgoing.replay != nil else { return .now(delivered) }
            return outgoing.event.id!.low == 7 ? .now(badRequest) : .never
        }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { watch.replayed.count >= 2 })
        let ending = try harness.engine.cancelReplay(number, by: "bob")
        #expect(ending.state == .cancelling)
        #expect(ending.reason == "cancelled by bob")
        harness.target("crm").release(delivered)
        let done = try #require(await harness.ended(number))
        #expect(done.state == .cancelled)
        #expect(done.balance.events == 1000)
        #expect(done.balance.pending == 0)
        #expect(done.balance.left > 900)
        #expect(done.balance.isBalanced)
        let sent = watch.replayed.count
        try await harness.append(10)
        #expect(harness.idle())
        #expect(watch.replayed.count == sent)
        #expect(harness.status.balance.delivered == 1010)
        #expect(try harness.engine.cancelReplay(number, by: "bob") == done, "once is enough")
        let audit = try harness.store.auditEntries(from: nil, limit: 10).entries
        #expect(audit.map(\.action) == ["replay.cancel", "replay.begin"])
        #expect(throws: DeliveryStoreError.self) { try harness.engine.cancelReplay(99, by: "bob") }
    }

    @Test(
        "an event that is not taken becomes a dead letter of the replay, which can be sent again after its end, or discarded"
    )
    func deadLetters() async throws {
        let harness = try EngineHarness(.embedded)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(20)
        #expect(harness.idle())
        watch.watch(harness.target("crm")) {
            $0.replay != nil && $0.event.id!.low < 2 ? .now(badRequest) : .now(delivered)
        }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        let done = try #require(await harness.ended(number))
        #expect(done.state == .finished)
        #expect(done.balance.dead == 2)
        #expect(harness.status.balance.dead == 0)
        let letters = try harness.store.deadLetters(target: "crm", newest: 10)
        #expect(letters.map(\.replay) == [number, number])
        #expect(letters.map(\.target) == ["crm", "crm"])

        watch.watch(harness.target("crm"))
        var filter = DeadLetterFilter()
        filter.id = letters[0].id
        #expect(try harness.engine.decide(.requeue, filter, by: "x") == 1)
        #expect(await poll { (try? harness.replay(number))??.balance.delivered == 19 })
        #expect(watch.replayed.last?.replay == number)
        filter.id = letters[1].id
        #expect(try harness.engine.decide(.discard, filter, by: "x") == 1)
        let settled = try #require(await harness.ended(number))
        #expect(settled.balance.dead == 0)
        #expect(settled.balance.discarded == 1)
        #expect(settled.balance.delivered == 19)
        #expect(settled.balance.isBalanced)
        #expect(harness.engine.reconcile().isBalanced)
        #expect(harness.status.balance.delivered == 20)
    }

    @Test("failures by the target's fault make it wait, and lose nothing")
    func waits() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(50)
        #expect(harness.idle())
        watch.watch(harness.target("crm")) { $0.replay == nil ? .now(delivered) : .now(refused) }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { (try? harness.replay(number))??.state == .waiting })
        #expect(try harness.replay(number)?.reason == "connect_refused")
        #expect(try harness.replay(number)?.balance.dead == 0)
        try await harness.append(10)
        #expect(await poll { harness.status.balance.delivered == 60 })
        watch.watch(harness.target("crm"))
        #expect(await harness.ended(number)?.balance.delivered == 50)
    }

    @Test("a target that says it is gone is switched off, and both go on when it is resumed")
    func gone() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(10)
        #expect(harness.idle())
        harness.target("crm").always(failure("http_410", .gone, status: 410))
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { harness.status.standing == .disabled(why: "http_410") })
        try await harness.append(5)
        watch.watch(harness.target("crm"))
        try harness.engine.resume("crm")
        #expect(await harness.ended(number)?.balance.delivered == 10)
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 15)
    }

    @Test("of one target one runs at a time, and so many may be begun")
    func queue() async throws {
        let harness = try EngineHarness()
        try harness.start()
        try await harness.append(10)
        #expect(harness.idle())
        try harness.engine.pause("crm")
        let request = ReplayRequest(target: "crm", sinceMs: 0)
        for _ in 0..<EngineCore.maximumActiveReplays { _ = try harness.engine.replay(request, by: "x") }
        #expect(throws: DeliveryStoreError.self) { try harness.engine.replay(request, by: "x") }
        let states = try harness.engine.replays().map(\.state)
        #expect(states.first == .waiting)
        #expect(states.dropFirst().allSatisfy { $0 == .queued })
        try harness.engine.resume("crm")
        #expect(harness.idle())
        #expect(try harness.engine.replays().allSatisfy { $0.state == .finished && $0.balance.delivered == 10 })
        #expect(harness.target("crm").received.count == 10 * (EngineCore.maximumActiveReplays + 1))
    }

    @Test("what makes no sense is refused, with the nearest name")
    func refusals() async throws {
        let harness = try EngineHarness()
        try harness.start(["crm", "siem"], routes: "routes:\n  - {name: all, to: crm}\n")
        func message(_ request: ReplayRequest) -> String {
            do {
                _ = try harness.engine.replay(request, by: "x")
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message(ReplayRequest(target: "crn", sinceMs: 0)) == "there is no target crn (did you mean crm?)")
        #expect(
            message(ReplayRequest(target: "crm", sinceMs: 0, route: "al")) == "there is no route al (did you mean all?)"
        )
        #expect(
            message(ReplayRequest(target: "siem", sinceMs: 0, route: "all"))
                == "the route all does not lead to the target siem, but to crm")
        #expect(
            message(ReplayRequest(target: "siem", sinceMs: 0))
                == "no route leads to the target siem: nothing would be sent")
        #expect(
            message(ReplayRequest(target: "crm", sinceMs: 5, untilMs: 5))
                == "the end of the time asked for is not after its beginning")
        #expect(message(ReplayRequest(target: "crm", sinceMs: 0, condition: "{sight: 1}")).contains("--where:1:"))
        #expect(
            message(ReplayRequest(target: "crm", sinceMs: 0, decodesAgain: true))
                == "there are no sources here to read the events again")
        #expect(try harness.engine.replays().isEmpty)
        #expect(try harness.store.auditEntries(from: nil, limit: 10).entries.isEmpty)
    }

    @Test("ends when its target, or its route, is no longer configured")
    func configuration() async throws {
        let harness = try EngineHarness()
        let blueprints = [ScriptedBlueprint("crm"), ScriptedBlueprint("siem")]
        try harness.start(
            blueprints, routes: "routes:\n  - {name: a, to: [crm, siem]}\n  - {name: b, to: [crm, siem]}\n")
        try await harness.append(10)
        #expect(harness.idle())
        for target in ["crm", "siem"] { try harness.engine.pause(target) }
        let first = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0, route: "b"), by: "x").number
        let second = try harness.engine.replay(ReplayRequest(target: "siem", sinceMs: 0), by: "x").number
        let left = [blueprints[0]]
        try harness.engine.reload(plan: try harness.plan("routes:\n  - {name: a, to: crm}\n", left), blueprints: left)
        #expect(await harness.ended(first)?.reason == "the route b no longer leads there")
        #expect(await harness.ended(second)?.reason == "the target siem is no longer configured")
        try harness.engine.forget("siem")
        #expect(try harness.engine.replays().map(\.number) == [first])
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("tells what would be sent, and sends and writes nothing")
    func rehearsal() async throws {
        let harness = try EngineHarness()
        try harness.start()
        let ids = try await harness.append(600) { $0 % 2 == 0 ? "visitor.signin" : "other" }
        #expect(harness.idle())
        var request = ReplayRequest(target: "crm", sinceMs: 0, condition: "{event: visitor.signin}")
        let all = try harness.engine.rehearse(request, limit: 5)
        #expect(all.events == 600)
        #expect(all.taken == 300)
        #expect(all.filtered == 300)
        #expect(all.list.count == 5)
        #expect(all.next == nil)
        let head = harness.log.head
        let cursor = try #require(ReplayCursor("\(head)-\(head)"))
        #expect(try harness.engine.rehearse(request, after: cursor).events == 0)

        request = ReplayRequest(target: "crm", sinceMs: 0, condition: "{event: visitor.signin}", decodesAgain: true)
        harness.engine.decodeAgain = { record, _ in
            record.id == ids[1]
                ? .event(payload: newRecord(1, type: "visitor.signin").payload, type: "visitor.signin")
                : record.type == "other"
                    ? .impossible("no such source") : .event(payload: record.payload, type: record.type)
        }
        let again = try harness.engine.rehearse(request, limit: 1000)
        #expect(again.taken == 301)
        #expect(again.retyped == 1)
        #expect(again.reasons == ["no such source": 299])
        #expect(again.list.first { $0.id == ids[1] }?.formerType == "other")
        #expect(harness.target("crm").received.count == 600)
        #expect(try harness.engine.replays().isEmpty)
        #expect(try harness.store.auditEntries(from: nil, limit: 10).entries.isEmpty)
    }

    @Test("reads events again where that is asked for, also after a restart", arguments: LogKind.allCases)
    func decodeAgain(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        let routes = "routes:\n  - {name: arrivals, when: {event: visitor.signin}, to: crm}\n"
        let decode: ReplayDecoder = { record, _ in
            record.id.low % 10 == 9
                ? .impossible("no such source")
                : .event(payload: newRecord(record.id.low, type: "visitor.signin").payload, type: "visitor.signin")
        }
        try harness.start(routes: routes)
        let ids = try await harness.append(40) { _ in "other" }
        #expect(harness.idle())
        #expect(watch.sent.isEmpty)
        harness.engine.decodeAgain = decode
        watch.watch(harness.target("crm")) { $0.event.id!.low == 5 ? .never : .now(delivered) }
        let request = ReplayRequest(target: "crm", sinceMs: 0, decodesAgain: true)
        let number = try harness.engine.replay(request, by: "x").number
        #expect(await poll { watch.replayed.count == 36 })
        try harness.reopen(within: .zero)
        watch.watch(harness.target("crm"))
        try harness.start(routes: routes)
        #expect(try harness.replay(number)?.state.isEnded == false, "there is nobody to read the events again yet")
        harness.engine.decodeAgain = decode
        try await harness.append(1)
        let done = try #require(await harness.ended(number))
        #expect(done.balance.delivered == 36)
        #expect(done.balance.skipped == 4)
        #expect(done.balance.isBalanced)
        #expect(Set(watch.replayed.map(\.event)) == Set(ids.filter { $0.low % 10 != 9 }))
        #expect(watch.replayed.allSatisfy { $0.type == "visitor.signin" && $0.routes == ["arrivals"] })
        #expect(harness.idle())
        #expect(harness.engine.reconcile().isBalanced)
    }

    @Test("does not hold back retention: what the log has given up meanwhile is counted as expired")
    func retention() async throws {
        let harness = try EngineHarness(.memory)
        let watch = ReplayWatch()
        watch.watch(harness.target("crm"))
        try harness.start()
        try await harness.append(600)
        #expect(harness.idle())
        // Operators' actions are on the disk at once.
        try harness.engine.pause("crm")
        try harness.engine.resume("crm")
        let log = try #require(harness.log as? MemoryEventLog)
        let engine = try #require(harness.engine)
        log.retain { engine.lowestUnfinished() }
        watch.watch(harness.target("crm")) { _ in .never }
        let number = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await poll { watch.replayed.count == 2 })
        #expect(harness.engine.lowestUnfinished() == log.head, "a replay needs nothing kept")
        log.expire(beforeMs: Int64.max)
        watch.watch(harness.target("crm"))
        harness.target("crm").release(delivered)
        let done = try #require(await harness.ended(number))
        #expect(done.balance.expired > 0)
        #expect(done.balance.delivered + done.balance.expired == 600)
        #expect(Int64(Set(watch.replayed.map(\.event)).count) == done.balance.delivered)
        #expect(done.balance.isBalanced)
    }

    @Test("those that ended long ago go, unless they have left dead letters")
    func forgetting() async throws {
        let harness = try EngineHarness()
        let watch = ReplayWatch()
        watch.watch(harness.target("crm")) { $0.replay == nil ? .now(delivered) : .now(badRequest) }
        try harness.start()
        try await harness.append(1)
        #expect(harness.idle())
        let first = try harness.engine.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "x").number
        #expect(await harness.ended(first)?.balance.dead == 1)
        let none = ReplayRequest(target: "crm", sinceMs: 0, untilMs: 1)
        let second = try harness.engine.replay(none, by: "x").number
        #expect(await harness.ended(second)?.balance.events == 0)
        for _ in 0..<DeliveryStore.endedReplays {
            #expect(await harness.ended(try harness.engine.replay(none, by: "x").number) != nil)
        }
        #expect(try harness.engine.replays().count == DeliveryStore.endedReplays)
        #expect(try harness.store.replayCount() == Int64(DeliveryStore.endedReplays) + 2)
        try harness.store.trimReplays(endedBeforeMs: 0)
        #expect(try harness.store.replayCount() == Int64(DeliveryStore.endedReplays) + 2, "they have history still")
        try harness.store.trimReplays(endedBeforeMs: Int64.max)
        #expect(try harness.store.replay(first) != nil)
        #expect(try harness.store.replay(second) == nil)
        #expect(try harness.store.replayCount() == Int64(DeliveryStore.endedReplays) + 1)
        try harness.reopen()
        try harness.start()
        #expect(harness.idle())
        #expect(harness.engine.targets().map(\.name) == ["crm"])
    }
}
