import EventLog
import Events
import Synchronization
import Targets
import Testing

@testable import Delivery

/// What the limits of a target's configuration mean once an engine runs it.
@Suite struct EngineLimitTests {
    @Test(
        "batches go out whole, each event is counted, and a restart sends none of them again",
        arguments: LogKind.allCases)
    func batches(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let blueprint = ScriptedBlueprint("crm") { settings in
            var batch = BatchLimits()
            batch.maximumEvents = 40
            batch.every = .milliseconds(50)
            settings.batch = batch
        }
        try harness.start([blueprint])
        let ids = try await harness.append(250)
        #expect(harness.idle())
        #expect(harness.target("crm").received.count == 250)
        #expect(harness.target("crm").batches.allSatisfy { $0 <= 40 })
        #expect(harness.target("crm").batches.contains(40))
        #expect(harness.status.balance.delivered == 250)
        #expect(harness.engine.reconcile().isBalanced)
        try harness.reopen()
        try harness.start([blueprint])
        #expect(harness.idle())
        #expect(Set(ids) == harness.target("crm").receivedSet)
        #expect(harness.target("crm").received.count == 250)
    }

    @Test("with order: key every key's events arrive in order, although some fail", arguments: LogKind.allCases)
    func order(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        let failures = Mutex<[EventID: Int]>([:])
        harness.target("crm").answer { outgoing in
            guard let id = outgoing.event.id, id.low % 10 == 3 else { return .after(milliseconds: 1, delivered) }
            let count = failures.withLock { failures in
                failures[id, default: 0] += 1
                return failures[id, default: 0]
            }
            return .after(milliseconds: 1, count < 3 ? badRequest : delivered)
        }
        try harness.start([ScriptedBlueprint("crm") { $0.order = .key }])
        try await harness.append(200)
        #expect(harness.idle())
        #expect(harness.status.balance.delivered == 200)
        // The last time an event was sent is when it was delivered.
        var last: [EventID: Int] = [:]
        for (index, id) in harness.target("crm").received.enumerated() { last[id] = index }
        // Keys are numbers modulo 7 here, and on a log of several partitions one key is in one of them.
        for key in 0..<7 as Range<UInt64> {
            let order = last.filter { $0.key.low % 7 == key }.sorted { $0.value < $1.value }.map(\.key.low)
            #expect(order == order.sorted(), "key \(key)")
        }
    }

    @Test(
        "what waits behind another event of its key is shown so, and goes on after a restart",
        arguments: LogKind.allCases)
    func waiting(kind: LogKind) async throws {
        let harness = try EngineHarness(kind)
        harness.target("crm").answer { $0.event.id?.low == 0 ? .now(badRequest) : .now(delivered) }
        let slow: @Sendable (inout TargetPolicy) -> Void = { policy in
            policy.retry.floorMs = 500
            policy.attempts = 1_000_000
        }
        try harness.start([ScriptedBlueprint("crm") { $0.order = .key }], adjust: slow)
        try await harness.append(15)
        #expect(eventually { harness.status.balance.delivered == 12 && harness.status.open == 3 })
        #expect(eventually { (try? harness.store.deliveries(DeliveryFilter(), newest: 100).count) == 15 })
        let rows = try harness.store.deliveries(DeliveryFilter(), newest: 100).filter { $0.state == .pending }
        #expect(rows.map(\.event.low) == [0, 7, 14])
        #expect(rows.map(\.reason) == [nil, "waits_for_key", "waits_for_key"])
        harness.target("crm").always(delivered)
        try harness.reopen()
        try harness.start([ScriptedBlueprint("crm") { $0.order = .key }])
        #expect(harness.idle())
        #expect(harness.target("crm").received.suffix(3).map(\.low) == [0, 7, 14])
    }
}

private func eventually(_ holds: () -> Bool) -> Bool {
    let deadline = Moment.now().monotonicMs + 20_000
    while Moment.now().monotonicMs < deadline {
        if holds() { return true }
        WakeUp.pause(milliseconds: 2)
    }
    return holds()
}
