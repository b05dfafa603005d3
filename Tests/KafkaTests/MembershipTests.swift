import Foundation
import TestSupport
import Testing

@testable import Kafka

@Suite("A member of a group", .enabled(if: KafkaCluster.isAvailable)) struct MembershipTests {
    private func group() -> String { "g-\(UUID().uuidString.prefix(8))" }

    private func member(
        _ group: String, _ topic: String, _ name: String = "one", releases: Bool = true,
        _ properties: [String: String] = [:]
    ) throws -> Member {
        try Member(
            RealKafka.configuration(properties, clientID: name), group: group, topic: topic, releases: releases)
    }

    private func committed(_ group: String, _ partitions: [TopicPartition]) throws -> [TopicPartition: KafkaCommit] {
        try KafkaAdmin(RealKafka.configuration(), timeout: .seconds(30)).committed(group: group, partitions)
    }

    @Test("alone has every partition, shares them with another, and has all again when that one leaves")
    func sharing() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 6))
        let first = try member(group, topic, "one")
        #expect(await first.owns([0, 1, 2, 3, 4, 5]))
        let second = try member(group, topic, "two")
        // Members stand in the order of their names.
        #expect(await second.owns([3, 4, 5]))
        #expect(await first.owns([0, 1, 2]))
        second.membership.close(within: .seconds(10))
        #expect(second.events.last == .revoked([3, 4, 5]))
        #expect(await first.owns([0, 1, 2, 3, 4, 5]))
        #expect(
            first.events == [
                .assigned([0, 1, 2, 3, 4, 5]), .revoked([0, 1, 2, 3, 4, 5]), .assigned([0, 1, 2]), .revoked([0, 1, 2]),
                .assigned([0, 1, 2, 3, 4, 5]),
            ])
        first.membership.close(within: .seconds(10))
    }

    @Test("has the same partitions in every group whose members have the same names")
    func alike() async throws {
        var members: [[String: Member]] = []
        for order in [["a", "b"], ["b", "a"], ["a", "b"]] {
            let (group, topic) = (group(), try RealKafka.topic(partitions: 4))
            members.append(try Dictionary(uniqueKeysWithValues: order.map { ($0, try member(group, topic, $0)) }))
        }
        for pair in members {
            #expect(await pair["a"]!.owns([0, 1]))
            #expect(await pair["b"]!.owns([2, 3]))
        }
        for member in members.flatMap(\.values) { member.membership.close(within: .seconds(10)) }
    }

    @Test("commits partitions of topics it has not subscribed to, with metadata that is read back")
    func commits() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 2))
        let logs = try (0..<3).map { _ in try RealKafka.topic(partitions: 2) }
        let member = try member(group, topic)
        #expect(await member.owns([0, 1]))
        let metadata = #"{"v":1,"d":3,"h":"Zoë"}"# + String(repeating: " ", count: 3_000)
        var offsets: [TopicPartition: KafkaCommit] = [:]
        for (number, log) in logs.enumerated() {
            offsets[TopicPartition(topic: log, partition: 0)] = KafkaCommit(offset: Int64(number), metadata: metadata)
            offsets[TopicPartition(topic: log, partition: 1)] = KafkaCommit(offset: 7)
        }
        try await member.commit(offsets).get()
        let asked = Array(offsets.keys) + [TopicPartition(topic: topic, partition: 0)]
        #expect(try committed(group, asked) == offsets)
        member.membership.close(within: .seconds(10))
    }

    @Test("cannot commit what has passed to another member")
    func passedOn() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 2))
        let log = try RealKafka.topic(partitions: 2)
        let places = (0..<2).map { TopicPartition(topic: log, partition: $0) }
        let first = try member(group, topic, "one")
        #expect(await first.owns([0, 1]))
        try await first.commit([places[0]: .init(offset: 1), places[1]: .init(offset: 1)]).get()
        let second = try member(group, topic, "two")
        #expect(await second.owns([1]))
        #expect(await first.owns([0]))
        let refused = await first.commit([places[1]: .init(offset: 2)])
        #expect(throws: KafkaFailure.self) { try refused.get() }
        if case .failure(let failure) = refused { #expect(failure.code == KafkaFailure.notOwned) }
        try await first.commit([places[0]: .init(offset: 2)]).get()
        try await second.commit([places[1]: .init(offset: 3)]).get()
        #expect(try committed(group, places).mapValues(\.offset) == [places[0]: 2, places[1]: 3])
        for member in [first, second] { member.membership.close(within: .seconds(10)) }
    }

    @Test("keeps what is revoked, and may commit it, until it releases it")
    func releasing() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 2))
        let place = TopicPartition(topic: try RealKafka.topic(partitions: 2), partition: 1)
        let first = try member(group, topic, "one", releases: false)
        #expect(await first.owns([0, 1]))
        let second = try member(group, topic, "two")
        #expect(await poll(deadline: .seconds(30)) { first.events.last == .revoked([0, 1]) })
        #expect(second.owned == [])
        try await first.commit([place: .init(offset: 5, metadata: "last")]).get()
        first.membership.released()
        #expect(await second.owns([1]))
        #expect(try committed(group, [place]) == [place: .init(offset: 5, metadata: "last")])
        for member in [first, second] { member.membership.close(within: .milliseconds(10)) }
    }

    @Test("loses what it does not release in time")
    func unreleased() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 2))
        let place = TopicPartition(topic: try RealKafka.topic(partitions: 2), partition: 1)
        let first = try member(group, topic, "one", releases: false)
        #expect(await first.owns([0, 1]))
        let second = try member(group, topic, "two")
        #expect(await second.owns([1]))
        #expect(first.events.prefix(3) == [.assigned([0, 1]), .revoked([0, 1]), .lost([0, 1])])
        let refused = await first.commit([place: .init(offset: 5)])
        #expect(throws: KafkaFailure.self) { try refused.get() }
        for member in [first, second] { member.membership.close(within: .milliseconds(10)) }
    }

    @Test("loses everything when the group believes it dead, cannot commit then, and comes back by itself")
    func fencing() async throws {
        // A cluster of its own, because its broker hangs.
        let cluster = try KafkaCluster.start()
        let configuration = KafkaConfiguration(
            cluster.servers, ["session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"])
        let admin = try KafkaAdmin(configuration, timeout: .seconds(30))
        #expect(try admin.create([NewTopic(name: "work", partitions: 2), NewTopic(name: "log", partitions: 2)]) == [:])
        let place = TopicPartition(topic: "log", partition: 0)
        let member = try Member(configuration, group: "fenced", topic: "work")
        #expect(await member.owns([0, 1]))
        try await member.commit([place: .init(offset: 1)]).get()
        try cluster.pause(1)
        async let underWay = member.commit([place: .init(offset: 2)])
        #expect(await poll(deadline: .seconds(60)) { member.events.last == .lost([0, 1]) })
        let late = await member.commit([place: .init(offset: 3)])
        #expect(throws: KafkaFailure.self) { try late.get() }
        #expect(member.membership.trouble != nil)
        try cluster.resume(1)
        _ = await underWay
        #expect(await member.owns([0, 1]))
        #expect(member.membership.trouble == nil)
        #expect(try #require(try admin.committed(group: "fenced", [place])[place]).offset < 3)
        try await member.commit([place: .init(offset: 4)]).get()
        member.membership.close(within: .seconds(10))
        cluster.stop()
    }

    @Test("never fetches a record of its topic")
    func fetchesNothing() async throws {
        let (group, topic) = (group(), try RealKafka.topic(partitions: 2))
        let producer = try KafkaProducer(RealKafka.configuration(), timeout: .seconds(30))
        try producer.fill(topic, (0..<1_000).map { "\($0)" })
        let fetched = Counter()
        let rounds = Counter()
        let member = try Member(
            RealKafka.configuration(["statistics.interval.ms": "100"]), group: group, topic: topic,
            onStatistics: { json in
                let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
                fetched.raise(to: object?["rxmsgs"] as? Int ?? 0)
                rounds.increment()
            })
        #expect(await member.owns([0, 1]))
        try producer.fill(topic, (0..<1_000).map { "\($0)" })
        let now = rounds.value
        #expect(await poll(deadline: .seconds(60)) { rounds.value > now + 5 })
        #expect(fetched.value == 0)
        member.membership.close(within: .seconds(10))
    }
}
