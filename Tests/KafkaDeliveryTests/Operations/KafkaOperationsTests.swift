import Delivery
import EventLog
import Events
import Kafka
import KafkaDelivery
import KafkaLog
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("Looking and acting, where several instances share the work", .enabled(if: KafkaCluster.isAvailable))
struct KafkaOperationsTests {
    let prefix = SharedCluster.prefix()
    let cluster: KafkaCluster

    init() throws {
        cluster = try SharedCluster.get()
    }

    private func balance(_ instance: WorkingInstance, _ target: String) throws -> TargetBalance {
        guard let found = try instance.operations.reconcile().targets.first(where: { $0.name == target }) else {
            throw DeliveryStoreError("the target \(target) is not there yet")
        }
        return found.balance
    }

    @Test("the accounts balance at every moment while two instances work, and after")
    func balanced() async throws {
        let crm = SharedReceiver()
        crm.refuse { $0.low % 10 == 3 }
        crm.delay(milliseconds: 3)
        let targets = ["crm": crm, "siem": SharedReceiver()]
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: targets)
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: targets)
        var unbalanced: [Reconciliation] = []
        for round in 0..<UInt64(10) {
            try await (round % 2 == 0 ? one : two).append(round * 100..<round * 100 + 100)
            let accounts = try (round % 3 == 0 ? one : two).operations.reconcile()
            if !accounts.isBalanced { unbalanced.append(accounts) }
        }
        var last = try one.operations.reconcile()
        let isDone = await poll(deadline: .seconds(60), every: .milliseconds(50)) {
            guard let accounts = try? one.operations.reconcile() else { return false }
            if !accounts.isBalanced { unbalanced.append(accounts) }
            last = accounts
            return accounts.targets.count == 2 && accounts.targets.allSatisfy { $0.balance.pending == 0 }
        }
        #expect(unbalanced.isEmpty, "\(unbalanced.map { String(decoding: $0.json, as: UTF8.self) })")
        #expect(isDone, "\(String(decoding: last.json, as: UTF8.self))")
        #expect(last.accepted == 1000)
        let balance = try balance(two, "crm")
        #expect(balance.filtered == 200)
        #expect(balance.dead == 100)
        #expect(balance.delivered == 700)
        #expect(try self.balance(two, "siem").delivered == 800)
        #expect(crm.received.values.allSatisfy { $0 == 1 })

        // The same when nobody runs any more, straight from Kafka.
        one.stop()
        two.stop()
        let options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: cluster.servers, clientID: "command"), prefix: prefix, partitions: 4,
            spoolFolder: TemporaryDirectory().path)
        let log = try KafkaEventLog.openReadOnly(options, logger: .silent)
        let view = try KafkaView(options, log: log, logger: .silent)
        let stopped = try view.reconcile()
        #expect(stopped.isBalanced)
        #expect(stopped.targets.map(\.name).sorted() == ["crm", "siem"])
        #expect(stopped.accepted == 1000)
        #expect(stopped.duplicates == 6)
        #expect(stopped.quarantined == 2)
        #expect(stopped.spooled == 0)
        #expect(try view.targets().allSatisfy { $0.standing == .stopped })
    }

    @Test("what happened to an event is told by the instance that did not do it too")
    func history() async throws {
        let crm = SharedReceiver()
        crm.refuse { $0.low == 3 }
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm])
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm])
        let ids = try await one.append(0..<20)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "crm").pending) == 0
            })
        for instance in [one, two] {
            let store = instance.view.store
            let delivered = await poll(deadline: .seconds(20), every: .milliseconds(50)) {
                (try? store.deliveries(DeliveryFilter(), newest: 100).count) == 16
            }
            #expect(delivered)
            let record = try #require(try instance.log.lookup(ids[3]))
            let row = try #require(try store.deliveries(of: record).first)
            #expect(row.state == .dead)
            #expect(row.attempts == 2)
            #expect(row.last?.reason == "http_400")
            let attempts = try store.attempts(at: row.place)[row.targetID] ?? []
            #expect(attempts.map(\.number) == [1, 2])
            let filtered = try #require(try instance.log.lookup(ids[4]))
            #expect(try store.deliveries(of: filtered).map(\.state) == [.filtered])
            #expect(try store.deadLetters(newest: 10).map(\.event) == [ids[3]])
        }
    }

    @Test("dead letters are sent again, or given up, whichever instance is asked and whichever owns them")
    func deadLetters() async throws {
        let crm = SharedReceiver()
        crm.refuse { $0.low % 2 == 1 }
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm])
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm])
        try await one.append(0..<40)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "crm").pending) == 0
            })
        #expect(try balance(two, "crm").dead == 16)
        crm.refuse { _ in false }
        var filter = DeadLetterFilter()
        filter.target = "crm"
        let discarded = try two.operations.carryOut(.discard, on: filter, by: "ada") { $0.event.low < 10 }
        #expect(discarded == DeadLetterDecision(done: 4))
        let requeued = try one.operations.carryOut(.requeue, on: filter, by: "ada") { _ in true }
        #expect(requeued == DeadLetterDecision(done: 12))
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(two, "crm").delivered) == 28
            })
        let accounts = try two.operations.reconcile()
        #expect(accounts.isBalanced)
        #expect(accounts.targets[0].balance.discarded == 4)
        #expect(accounts.targets[0].balance.dead == 0)
        #expect(try one.view.store.deadLetters(newest: 100).isEmpty)
        // Nothing is left of what was asked.
        let left = try two.view.control { if case .command = $0 { true } else { false } }
        #expect(left.isEmpty)
        let page = try two.view.store.auditEntries(from: nil, limit: 100)
        #expect(page.entries.count { $0.action == "dead-letters.requeue" } == 12)
        #expect(page.entries.allSatisfy { $0.actor == "ada" })
    }

    @Test("a target that is paused on one instance is paused on the others")
    func pausing() async throws {
        let crm = SharedReceiver()
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm])
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm])
        try await one.append(0..<4)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "crm").pending) == 0
            })
        try one.operations.pause("crm", by: "ada")
        #expect(await poll(deadline: .seconds(20)) { (try? two.operations.targets().first?.standing) == .paused })
        try await two.append(10..<14)
        #expect(try balance(one, "crm").delivered == 4)
        try two.operations.resume("crm", by: "ada")
        #expect(await poll(deadline: .seconds(30)) { (try? balance(one, "crm").pending) == 0 })
        #expect(throws: DeliveryStoreError.self) { try one.operations.pause("nobody", by: "ada") }
    }

    @Test("a target is forgotten once no instance is configured with it, everywhere and in Kafka")
    func forgetting() async throws {
        let targets = ["crm": SharedReceiver(), "siem": SharedReceiver()]
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: targets)
        try await one.append(0..<10)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "siem").pending) == 0
            })
        #expect(throws: DeliveryStoreError.self) { try one.operations.forget("siem", by: "ada") }
        one.stop()
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: targets, configured: ["crm"])
        #expect(try two.operations.reconcile().targets.map(\.name).sorted() == ["crm", "siem"])
        try two.operations.forget("siem", by: "ada")
        #expect(try two.operations.reconcile().targets.map(\.name) == ["crm"])
        let admin = try KafkaAdmin(KafkaConfiguration(brokers: cluster.servers))
        let gone = await poll(deadline: .seconds(20), every: .milliseconds(100)) {
            (try? admin.topics().keys.contains { $0.hasPrefix(prefix) && $0.hasSuffix(".siem") }) == false
        }
        #expect(gone)
    }

    // MARK: replays

    private func ended(_ number: Int64, _ instance: WorkingInstance) async throws -> ReplayStatus {
        _ = await poll(deadline: .seconds(30), every: .milliseconds(50)) {
            (try? instance.operations.replays().first { $0.number == number }?.state.isEnded) ?? false
        }
        return try #require(try instance.operations.replays().first { $0.number == number })
    }

    @Test("a replay is asked for on any instance, carried out once, and its accounts balance")
    func replay() async throws {
        let crm = SharedReceiver()
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm])
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm])
        let ids = try await one.append(0..<50)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "crm").delivered) == 40
            })
        crm.refuse { $0.low == 3 }
        for instance in [one, two] {
            let request = ReplayRequest(target: "crm", sinceMs: 0)
            let rehearsal = try instance.operations.rehearse(request, after: nil, limit: 100)
            #expect(rehearsal.taken == 40)
            let begun = try instance.operations.replay(request, by: "ada")
            let status = try await ended(begun.number, instance)
            #expect(status.state == .finished)
            #expect(status.balance.delivered == 39)
            #expect(status.balance.dead == 1)
            #expect(status.balance.filtered == 10)
            #expect(try two.operations.reconcile().isBalanced)
        }
        #expect(crm.received.values.allSatisfy { $0 == 1 })
        #expect(ids.filter { crm.replayed[$0] == 2 }.count == 39)
        // What a replay did not get through is decided about like any other dead letter.
        crm.refuse { _ in false }
        var filter = DeadLetterFilter()
        filter.event = ids[3]
        let decision = try one.operations.carryOut(.requeue, on: filter, by: "ada") { _ in true }
        #expect(decision == DeadLetterDecision(done: 2))
        #expect(await poll(deadline: .seconds(30), every: .milliseconds(50)) { crm.replayed[ids[3]] == 2 })
        #expect(try one.operations.replays().count == 2)
    }

    @Test("a replay goes on where its instance left off, and is cancelled from another one")
    func takenOver() async throws {
        let crm = SharedReceiver()
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm])
        try await one.append(0..<300)
        #expect(
            await poll(deadline: .seconds(30), every: .milliseconds(50)) {
                (try? balance(one, "crm").delivered) == 240
            })
        crm.delay(milliseconds: 40)
        let begun = try one.operations.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "ada")
        #expect(await poll(deadline: .seconds(30)) { crm.replayed.count > 20 })
        one.stop()
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm])
        let before = crm.replayed.count
        #expect(before < 240)
        #expect(await poll(deadline: .seconds(30)) { crm.replayed.count > before + 20 })
        #expect(try two.operations.reconcile().isBalanced)
        let cancelled = try two.operations.cancelReplay(begun.number, by: "eve")
        let status = cancelled.state.isEnded ? cancelled : try await ended(begun.number, two)
        #expect(status.state == .cancelled)
        #expect(status.reason == "cancelled by eve")
        #expect(status.balance.left > 0)
        #expect(status.balance.isBalanced)
        #expect(try two.operations.reconcile().isBalanced)
        #expect(throws: DeliveryStoreError.self) { try two.operations.cancelReplay(begun.number + 999, by: "eve") }
    }
}
