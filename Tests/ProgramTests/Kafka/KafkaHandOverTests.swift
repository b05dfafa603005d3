import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("What an instance leaves behind", .enabled(if: KafkaCluster.isAvailable)) struct KafkaHandOverTests {
        /// What is promised, and what a machine that does other things at the same time may add to it.
        private static let afterStop = Duration.seconds(5)
        private static let afterCrash = Duration.seconds(15)
        private static let slowness = Duration.seconds(10)

        @Test("is taken up by the other: within 5 s after an orderly stop, without a repeat; within 15 s after a crash")
        func handOver() async throws {
            let cluster = try await KafkaCluster.shared()
            let ledger = try KafkaLedger(
                cluster, prefix: KafkaCluster.newPrefix("hand-over"), seed: 3, pauseMicroseconds: 10_000)
            defer { ledger.end() }
            let (leaving, staying) = (try ledger.instance("leaving"), try ledger.instance("staying"))
            try await ledger.ready(leaving)
            try await ledger.ready(staying)
            ledger.load.start()
            try await expectBothWork(ledger)
            // Nobody sends to it any more, as a load balancer is told before.
            ledger.load.aim(at: [staying])
            try await ledger.settle("the load balancer was told")
            let stop = ContinuousClock.now
            #expect(await leaving.stop() == .exited(0))
            try await ledger.settle("the stop")
            try await ledger.ready(leaving)
            try await expectBothWork(ledger)
            #expect(ledger.repeats.isEmpty, "an orderly stop had \(ledger.repeats.count) come again")
            try await ledger.during("the crash") {
                let crash = ContinuousClock.now
                await leaving.kill()
                try await ledger.settle("the crash")
                let shards = try await Shards(cluster, ledger)
                let (stopped, crashed) = (
                    shards.silence(ledger, from: "leaving", to: "staying", after: stop),
                    shards.silence(ledger, from: "leaving", to: "staying", after: crash)
                )
                ledger.say("taken up \(stopped) after a stop, \(crashed) after a crash")
                #expect(!stopped.isEmpty && !crashed.isEmpty, "the one that left had no shards")
                for (shard, time) in stopped { #expect(time <= Self.afterStop + Self.slowness, "shard \(shard)") }
                for (shard, time) in crashed { #expect(time <= Self.afterCrash + Self.slowness, "shard \(shard)") }
                try await ledger.ready(leaving)
            }
            ledger.load.aim(at: ledger.instances)
            try await ledger.finish()
        }

        @Test("of work is shared by two behind one address: each takes requests, and each delivers")
        func sharing() async throws {
            let cluster = try await KafkaCluster.shared()
            let ledger = try KafkaLedger(
                cluster, prefix: KafkaCluster.newPrefix("sharing"), seed: 4, pauseMicroseconds: 10_000)
            defer { ledger.end() }
            for name in ["one", "two"] { try await ledger.ready(try ledger.instance(name)) }
            ledger.load.start()
            try await expectBothWork(ledger)
            try await ledger.settle("the start")
            let count = ledger.ordered.count
            #expect(await poll(deadline: patience) { ledger.ordered.count > count + 300 })
            let shares = Dictionary(grouping: ledger.ordered.all.dropFirst(count), by: \.instance).mapValues(\.count)
            #expect(shares.count == 2 && shares.values.allSatisfy { $0 > 60 }, "\(shares)")
            let taken = Dictionary(grouping: ledger.load.acknowledged.values, by: \.instance).mapValues(\.count)
            #expect(taken.count == 2, "\(taken)")
            try await ledger.finish()
        }

        private func expectBothWork(_ ledger: KafkaLedger) async throws {
            let from = ledger.ordered.count
            let doBoth = await poll(deadline: patience, every: .milliseconds(50)) {
                Set(ledger.ordered.all.dropFirst(from).map(\.instance)).count == 2
            }
            #expect(doBoth, "one of two instances delivers nothing")
        }
    }
}

/// In which shard each event lies.
private struct Shards {
    private let byEvent: [String: Int]

    init(_ cluster: KafkaCluster, _ ledger: KafkaLedger) async throws {
        byEvent = Dictionary(
            try await KafkaTopics(cluster, prefix: ledger.prefix).events().map { ($0.id, $0.partition) }
        ) { first, _ in first }
    }

    /// By shard that the one had delivered last: how long after the moment the other delivered its first event of it.
    func silence(
        _ ledger: KafkaLedger, from: String, to other: String, after moment: ContinuousClock.Instant
    ) -> [Int: Duration] {
        var owners: [Int: String] = [:]
        var taken: [Int: Duration] = [:]
        for receipt in ledger.ordered.all {
            guard let shard = byEvent[receipt.id] else { continue }
            if receipt.at <= moment {
                owners[shard] = receipt.instance
            } else if owners[shard] == from, receipt.instance == other, taken[shard] == nil {
                taken[shard] = receipt.at - moment
            }
        }
        return taken
    }
}
