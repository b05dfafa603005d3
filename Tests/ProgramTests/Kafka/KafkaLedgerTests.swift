import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Several instances on three brokers", .enabled(if: KafkaCluster.isAvailable)) struct KafkaLedgerTests {
        private let seed = Torture.seed

        @Test(
            "lose nothing they acknowledged while brokers are killed, hang or are all gone, and instances are killed and join"
        )
        func faults() async throws {
            let cluster = try await KafkaCluster.started(brokers: 3)
            let ledger = try KafkaLedger(cluster, prefix: "ledger", seed: seed)
            defer { ledger.end() }
            var random = SeededGenerator(seed)
            for name in ["one", "two"] { try await ledger.ready(try ledger.instance(name)) }
            ledger.load.start()
            try await ledger.settle("the start")
            for round in 1...Torture.rounds {
                for scenario in Scenario.allCases.shuffled(using: &random) {
                    try await scenario.play(ledger, &random)
                    let instance = try #require(
                        ledger.instances.filter { $0.service != nil }.randomElement(using: &random))
                    try await ledger.expectBalance(instance, "running after \(scenario) of round \(round)")
                }
            }
            try await ledger.finish()
            #expect(ledger.load.acknowledgedCount > 500 * Torture.rounds, "the load was no load")
        }
    }
}

/// What goes wrong with a log in Kafka, and with those who share it.
private enum Scenario: CaseIterable {
    case leaderKilled, brokerHangs, allBrokersGone, instancesKilled, anotherJoins

    func play(_ ledger: KafkaLedger, _ random: inout SeededGenerator) async throws {
        switch self {
        case .leaderKilled: try await killLeader(ledger, &random)
        case .brokerHangs: try await pauseBroker(ledger, &random)
        case .allBrokersGone: try await killAllBrokers(ledger)
        case .instancesKilled: try await killInstances(ledger, &random)
        case .anotherJoins: try await join(ledger)
        }
    }

    /// Each broker leads a third of all partitions, and one of them the cluster.
    private func killLeader(_ ledger: KafkaLedger, _ random: inout SeededGenerator) async throws {
        let broker = Int.random(in: 1...3, using: &random)
        try await ledger.during("broker \(broker) is killed") {
            try await ledger.cluster.kill(broker)
            try await ledger.settle("the death of broker \(broker)")
            try await ledger.cluster.restart(broker)
        }
    }

    private func pauseBroker(_ ledger: KafkaLedger, _ random: inout SeededGenerator) async throws {
        let broker = Int.random(in: 1...3, using: &random)
        try await ledger.during("broker \(broker) hangs for \(Torture.brokerPause) s") {
            try await ledger.cluster.pause(broker)
            try await Task.sleep(for: .seconds(Torture.brokerPause))
            try await ledger.cluster.resume(broker)
        }
    }

    private func killAllBrokers(_ ledger: KafkaLedger) async throws {
        try await ledger.during("all brokers are gone for \(Torture.brokersGone) s") {
            for broker in 1...3 { try await ledger.cluster.kill(broker) }
            let count = ledger.load.acknowledgedCount
            try await Task.sleep(for: .seconds(Torture.brokersGone))
            #expect(ledger.load.acknowledgedCount > count, "nothing was spooled")
            try await ledger.cluster.startAgain()
            try await expectDrained(ledger)
        }
    }

    private func expectDrained(_ ledger: KafkaLedger) async throws {
        for instance in ledger.instances {
            let isDrained = try await eventually { try await instance.spooled() == 0 }
            #expect(isDrained, "\(instance.name) has a spool although Kafka is back")
        }
    }

    private func killInstances(_ ledger: KafkaLedger, _ random: inout SeededGenerator) async throws {
        for instance in ledger.instances.prefix(2) {
            let pause = Int.random(in: 0...3000, using: &random)
            try await ledger.during("\(instance.name) is killed, and started \(pause) ms later") {
                await instance.kill()
                try await Task.sleep(for: .milliseconds(pause))
                try await ledger.ready(instance)
            }
        }
    }

    /// No fault: whoever joins or leaves in good order has nobody get anything twice.
    private func join(_ ledger: KafkaLedger) async throws {
        let instance = try ledger.instance("number-\(ledger.instances.count + 1)")
        ledger.say("\(instance.name) joins")
        try await ledger.ready(instance)
        let works = await poll(deadline: patience) { ledger.ordered.all.contains { $0.instance == instance.name } }
        #expect(works, "\(instance.name) was given nothing to do")
        try await ledger.settle("\(instance.name) joined")
    }
}
