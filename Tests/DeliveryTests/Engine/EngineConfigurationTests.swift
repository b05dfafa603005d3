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

@Suite("The configuration of a running engine") struct EngineConfigurationTests {
    @Test("a reload swaps routes and targets without losing or repeating an event")
    func reload() async throws {
        let harness = try EngineHarness()
        let crm = ScriptedBlueprint("crm")
        try harness.start([crm])
        var sent: [EventID] = []
        for round in 0..<10 {
            sent += try await harness.append(200)
            let extra = round % 2 == 0 ? [crm, ScriptedBlueprint("extra")] : [crm]
            try harness.engine.reload(plan: try harness.plan(nil, extra), blueprints: extra)
        }
        #expect(harness.idle())
        #expect(harness.target("crm").received.count == 2000)
        #expect(harness.target("crm").receivedSet == Set(sent))
        #expect(harness.status("extra")?.standing == .removed)
        #expect(harness.engine.reconcile().isBalanced)

        try harness.engine.forget("extra")
        #expect(harness.engine.targets().map(\.name) == ["crm"])
        #expect(throws: DeliveryStoreError.self) { try harness.engine.forget("crm") }
    }

    @Test("a changed target gets its new settings, the old one closes when its last attempt has ended")
    func changedTarget() async throws {
        let harness = try EngineHarness()
        harness.target("crm").answer { _ in .never }
        try harness.start()
        try await harness.append(1)
        #expect(await poll { harness.target("crm").received.count == 1 })
        let changed = ScriptedBlueprint("crm") { $0.fingerprint = "2" }
        try harness.engine.reload(plan: try harness.plan(nil, [changed]), blueprints: [changed])
        #expect(!harness.target("crm").isClosed)
        harness.target("crm").release(delivered)
        #expect(await poll { harness.target("crm").isClosed })
        #expect(harness.status.balance.delivered == 1)
    }

    @Test("410 switches a target off until it is resumed; nothing is lost meanwhile")
    func gone() async throws {
        let harness = try EngineHarness()
        harness.target("crm").always(failure("http_410", .gone, status: 410))
        try harness.start()
        try await harness.append(20)
        #expect(await poll { harness.status.standing == .disabled(why: "http_410") })
        try harness.reopen()
        harness.target("crm").always(delivered)
        try harness.start()
        #expect(harness.status.standing == .disabled(why: "http_410"))
        try harness.engine.resume("crm")
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 20)
    }

    @Test("a paused target gets nothing, a target without `enabled` neither, and both keep what waits for them")
    func switchedOff() async throws {
        let harness = try EngineHarness()
        try harness.start(["crm"])
        try harness.engine.pause("crm")
        try await harness.append(10)
        let off = ScriptedBlueprint("crm") { $0.enabled = false }
        #expect(harness.status.standing == .paused)
        try harness.engine.reload(plan: try harness.plan(nil, [off]), blueprints: [off])
        try harness.engine.resume("crm")
        #expect(harness.status.standing == .disabled(why: "configuration"))
        #expect(harness.target("crm").received.isEmpty)
        let on = ScriptedBlueprint("crm")
        try harness.engine.reload(plan: try harness.plan(nil, [on]), blueprints: [on])
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 10)
    }

    @Test("what waits for a target that is taken out of the configuration is not given up, and goes when it is back")
    func removedWhileFailing() async throws {
        let harness = try EngineHarness()
        let later = SharedPosition(LogPosition(offsets: [0]))
        let blueprint = ScriptedBlueprint("crm") { $0.giveUpAfter = .seconds(3600) }
        harness.target("crm").always(refused)
        try harness.start([blueprint], clock: { Moment.now().advanced(byMs: later.value.offsets[0]) })
        try await harness.append(50)
        #expect(await poll { harness.status.standing.name == "waiting" })
        try harness.engine.reload(plan: .empty, blueprints: [])
        // What was on its way ends before the time has come.
        #expect(await poll { harness.status.inFlight == 0 })
        try await harness.append(50)
        later.value = LogPosition(offsets: [2 * 3_600_000])
        harness.engine.keepHouse()
        #expect(harness.status.standing.name == "removed")
        #expect(harness.status.balance.dead == 0)

        harness.target("crm").always(delivered)
        try harness.engine.reload(plan: try harness.plan(nil, [blueprint]), blueprints: [blueprint])
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 100)
        #expect(harness.engine.reconcile().isBalanced)
    }
}
