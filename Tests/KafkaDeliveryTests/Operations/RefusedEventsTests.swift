import Delivery
import EventLog
import Events
import Kafka
import KafkaDelivery
import KafkaLog
import Logging
import Targets
import TestSupport
import Testing

/// Of ten events four are sent: one has no key, one no consent, one has opted out, one is a dead letter, and no route takes
/// two.
@Suite(
    "What a target itself does not take, where several instances share the work", .enabled(if: KafkaCluster.isAvailable)
)
struct RefusedEventsTests {
    let prefix = SharedCluster.prefix()
    let cluster: KafkaCluster

    private static let keys = """
        key: "{visitor.email}"
        only_if: {visitor: {id: {not: {ends_with: "1"}}}}
        opt_out: {visitor: {id: {ends_with: "2"}}}
        """
    /// Those whose id ends with 3 have opted out as well.
    private static let more =
        keys.split(separator: "\n").dropLast().joined(separator: "\n")
        + "\nopt_out: {visitor: {id: {ends_with: [\"2\", \"3\"]}}}"
    /// - Parameter tens: how often ten events came.
    private static func counts(_ tens: Int64) -> [Int64] {
        FilteredReason.allCases.map { $0 == .notEnabled ? 0 : tens }
    }

    init() throws {
        cluster = try SharedCluster.get()
    }

    private func balance(_ instance: WorkingInstance) throws -> TargetBalance {
        guard let found = try instance.operations.reconcile().targets.first else {
            throw DeliveryStoreError("the target is not there yet")
        }
        return found.balance
    }

    private func refused(_ balance: TargetBalance) -> [Int64] { refused(balance.refused) }

    private func refused(_ counts: RefusedCounts) -> [Int64] { FilteredReason.allCases.map { counts[$0] } }

    private func isDone(_ instance: WorkingInstance) async -> Bool {
        await poll(deadline: .seconds(60), every: .milliseconds(50)) { (try? balance(instance).pending) == 0 }
    }

    private func told(_ id: EventID, _ instance: WorkingInstance) throws -> (state: DeliveryState, reason: String?)? {
        guard let record = try instance.log.lookup(id) else { return nil }
        return try instance.view.store.deliveries(of: record).first.map { ($0.state, $0.reason) }
    }

    @Test("is counted by its reason and told on every instance, also after a hand-over and when nobody runs any more")
    func reasons() async throws {
        let crm = SharedReceiver()
        crm.refuse { $0.low % 10 == 3 }
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys)
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys)
        let ids = try await one.append(0..<100)
        #expect(await isDone(one))
        for instance in [one, two] {
            let balance = try balance(instance)
            #expect(refused(balance) == Self.counts(10) && balance.filtered == 50)
            #expect(balance.delivered == 40 && balance.dead == 10)
            for (number, reason) in [(0, "no_key"), (1, "no_consent"), (2, "opted_out"), (4, "no_route")] {
                let isTold = await poll(deadline: .seconds(20), every: .milliseconds(50)) {
                    guard let told = try? told(ids[number], instance) else { return false }
                    return told.state == .filtered && told.reason == reason
                }
                #expect(
                    isTold,
                    "\(number) on \(instance === one ? "one" : "two")"
                )
            }
        }

        // What the first one counted is the second one's now.
        one.stop()
        try await two.append(100..<200)
        #expect(await isDone(two))
        let handed = try balance(two)
        #expect(refused(handed) == Self.counts(20) && handed.filtered == 100 && handed.delivered == 80)
        #expect(try two.operations.reconcile().isBalanced)

        // A replay asks again, with reasons of its own.
        let begun = try two.operations.replay(ReplayRequest(target: "crm", sinceMs: 0), by: "ada")
        let isEnded = await poll(deadline: .seconds(60), every: .milliseconds(50)) {
            (try? two.operations.replays().first { $0.number == begun.number }?.state.isEnded) ?? false
        }
        let replay = try #require(try two.operations.replays().first { $0.number == begun.number })
        #expect(isEnded && replay.balance.isBalanced && refused(replay.balance.refused) == Self.counts(20))
        #expect(crm.received.keys.allSatisfy { $0.low % 10 > 3 } && crm.replayed.keys.allSatisfy { $0.low % 10 > 3 })
        two.stop()

        let options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: cluster.servers, clientID: "command"), prefix: prefix, partitions: 4,
            spoolFolder: TemporaryDirectory().path)
        let log = try KafkaEventLog.openReadOnly(options, logger: .silent)
        let stopped = try KafkaView(options, log: log, logger: .silent).reconcile()
        let last = try #require(stopped.targets.first).balance
        #expect(stopped.isBalanced && refused(last) == Self.counts(20))
    }

    @Test("is not sent although it was taken, and waits for another try when somebody opts out")
    func pending() async throws {
        let crm = SharedReceiver()
        crm.refuse { $0.low % 10 == 3 }
        let one = try WorkingInstance(
            "one", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys, attempts: 100_000)
        let ids = try await one.append(0..<100)
        #expect(await poll(deadline: .seconds(60)) { (try? balance(one).pending) == 10 })
        // They are in the open set, and the next owner takes them up from there.
        #expect(try one.operations.targets().first?.open == 10)
        one.stop()
        let two = try WorkingInstance(
            "two", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.more, attempts: 100_000)
        #expect(await isDone(two))
        let present = try balance(two)
        #expect(refused(present) == [10, 10, 20, 0] && present.filtered == 60 && present.dead == 0)
        #expect(present.delivered == 40 && crm.received.keys.allSatisfy { $0.low % 10 > 3 })
        #expect(try two.operations.reconcile().isBalanced)
        let isTold = await poll(deadline: .seconds(20), every: .milliseconds(50)) {
            guard let told = try? told(ids[3], two) else { return false }
            return told.state == .filtered && told.reason == "opted_out"
        }
        #expect(isTold)
        // The next one finds the same.
        two.stop()
        let three = try WorkingInstance("three", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys)
        #expect(await isDone(three))
        #expect(refused(try balance(three)) == [10, 10, 20, 0] && crm.received.count == 40)
    }

    @Test("stays a dead letter when somebody wants it sent again, whichever instance is asked")
    func requeue() async throws {
        let crm = SharedReceiver()
        crm.refuse { [3, 5].contains($0.low % 10) }
        let one = try WorkingInstance("one", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys)
        let two = try WorkingInstance("two", cluster, prefix: prefix, targets: ["crm": crm], keys: Self.keys)
        try await one.append(0..<40)
        #expect(await isDone(one))
        #expect(try balance(two).dead == 8)
        for instance in [one, two] { try instance.reload(["crm"], keys: Self.more) }
        crm.refuse { _ in false }
        var filter = DeadLetterFilter()
        filter.target = "crm"
        let decision = try two.operations.carryOut(.requeue, on: filter, by: "ada") { _ in true }
        #expect(decision == DeadLetterDecision(done: 4, kept: 4))
        #expect(await poll(deadline: .seconds(30), every: .milliseconds(50)) { (try? balance(one).delivered) == 16 })
        let present = try balance(one)
        #expect(present.dead == 4 && present.pending == 0 && refused(present) == Self.counts(4))
        #expect(crm.received.keys.allSatisfy { $0.low % 10 > 3 })
        #expect(try one.operations.reconcile().isBalanced)
    }
}
