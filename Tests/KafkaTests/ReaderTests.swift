import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Kafka

@Suite("A reader of partitions", .enabled(if: KafkaCluster.isAvailable)) struct ReaderTests {
    private func reader(_ maximumBufferedBytes: Int = 1 << 20) throws -> KafkaReader {
        try KafkaReader(RealKafka.configuration(), maximumBufferedBytes: maximumBufferedBytes)
    }

    private func producer() throws -> KafkaProducer {
        try KafkaProducer(RealKafka.configuration(), timeout: .seconds(30))
    }

    @Test("gives every record as it was published, then the end")
    func records() async throws {
        let topic = try RealKafka.topic()
        let sent = [
            KafkaRecord(
                topic: topic, partition: 0, timestampMs: 1_600_000_000_001, key: Array("4567/1".utf8),
                headers: [.init("ce_id", "one"), .init("twice", "a"), .init("twice", "Zoë"), .init("empty", "")],
                value: [0x7b, 0x00, 0x7d]),
            KafkaRecord(topic: topic, partition: 0, timestampMs: 2, key: [], value: []),
            KafkaRecord(topic: topic, partition: 0, timestampMs: 3, key: Array("gone".utf8), value: nil),
            KafkaRecord(topic: topic, partition: 0, timestampMs: 4, key: nil, value: [0x61]),
        ]
        let producer = try producer()
        for (offset, record) in sent.enumerated() {
            #expect(try await producer.send(record).get() == KafkaPlace(partition: 0, offset: Int64(offset)))
        }
        let place = TopicPartition(topic: topic, partition: 0)
        let reader = try reader()
        try reader.assign([place: 0])
        let events = reader.events { $0.isEnd }
        #expect(
            events.messages
                == sent.enumerated().map { offset, record in
                    KafkaMessage(
                        topic: topic, partition: 0, offset: Int64(offset), timestampMs: record.timestampMs,
                        key: record.key, value: record.value, headers: record.headers)
                })
        #expect(events.ends == [place: 4])
        #expect(events.failures == [])
    }

    @Test("reads from the offset it is told, and follows what comes")
    func following() async throws {
        let topic = try RealKafka.topic()
        let producer = try producer()
        try producer.fill(topic, ["0", "1", "2"])
        let place = TopicPartition(topic: topic, partition: 0)
        let reader = try reader()
        try reader.assign([place: 2])
        #expect(reader.events { $0.isEnd }.messages.map(\.offset) == [2])
        try producer.fill(topic, ["3"])
        #expect(reader.events { $0.isEnd }.messages.map(\.offset) == [3])
    }

    @Test("reads other partitions when it is told others, and nothing of before comes after")
    func reassignment() throws {
        let topic = try RealKafka.topic(partitions: 3)
        let producer = try producer()
        for partition in 0..<3 as Range<Int32> {
            try producer.fill(topic, partition: partition, (0..<2_000).map { "\(partition) \($0)" })
        }
        let reader = try reader()
        let places = (0..<3).map { TopicPartition(topic: topic, partition: $0) }
        try reader.assign([places[0]: 0, places[1]: 0])
        _ = reader.events { _ in true }
        for start in [1_990, 0, 1_999] as [Int64] {
            try reader.assign([places[1]: start, places[2]: start])
            var ended: Set<TopicPartition> = []
            let events = reader.events {
                if case .end(let place, _) = $0 { ended.insert(place) }
                return ended.count == 2
            }
            #expect(events.failures == [])
            for place in places[1...] {
                #expect(events.messages.filter { $0.topicPartition == place }.map(\.offset) == Array(start..<2_000))
            }
            #expect(!events.messages.contains { $0.partition == 0 })
        }
    }

    @Test("says that an offset is out of range, beyond the end or removed, and reads the other partitions")
    func outOfRange() throws {
        let topic = try RealKafka.topic(partitions: 2)
        try producer().fill(topic, partition: 1, ["a"])
        let places = (0..<2).map { TopicPartition(topic: topic, partition: $0) }
        let reader = try reader()
        try reader.assign([places[0]: 7, places[1]: 0])
        var left = 2
        let events = reader.events { event in
            switch event {
            case .end, .failure: left -= 1
            default: break
            }
            return left == 0
        }
        guard
            case .failure(let place, let failure)? = events.first(where: {
                if case .failure = $0 { true } else { false }
            })
        else {
            Issue.record("nothing failed")
            return
        }
        #expect(place == places[0])
        #expect(failure.code == KafkaFailure.offsetOutOfRange)
        #expect(events.messages.map(\.topicPartition) == [places[1]])
    }

    @Test("calls back when there is something to read, and not after it is closed")
    func wakes() async throws {
        let topic = try RealKafka.topic()
        let reader = try reader()
        let counter = Counter()
        reader.onReadable { counter.increment() }
        try reader.assign([TopicPartition(topic: topic, partition: 0): 0])
        #expect(await poll(deadline: .seconds(30)) { counter.value > 0 })
        #expect(reader.events { $0.isEnd }.ends.count == 1)
        let before = counter.value
        try producer().fill(topic, ["a"])
        #expect(await poll(deadline: .seconds(30)) { counter.value > before })
        #expect(reader.events { $0.isEnd }.messages.count == 1)
        reader.close()
        let after = counter.value
        try producer().fill(topic, ["b"])
        #expect(counter.value == after)
        guard case .failure(nil, .closed) = reader.poll(within: .zero) else {
            Issue.record("a closed reader reads")
            return
        }
    }

    @Test("holds no more than it may of what it has not given yet")
    func budget() async throws {
        let topic = try RealKafka.topic()
        let text = String(repeating: "x", count: 10_000)
        try producer().fill(topic, (0..<3_000).map { _ in text })
        let held = Counter()
        let reader = try KafkaReader(
            RealKafka.configuration(["statistics.interval.ms": "100"]), maximumBufferedBytes: 1 << 20,
            onStatistics: { json in
                let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
                let topics = object?["topics"] as? [String: Any]
                let partitions = (topics?[topic] as? [String: Any])?["partitions"] as? [String: Any]
                held.raise(to: (partitions?["0"] as? [String: Any])?["fetchq_size"] as? Int ?? 0)
            })
        try reader.assign([TopicPartition(topic: topic, partition: 0): 0])
        // Given slowly enough for the reader to run ahead of it as far as it likes.
        var count = 0
        while count < 3_000 {
            if case .message = reader.poll(within: .seconds(10)) { count += 1 } else { break }
            if count % 100 == 0 { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(count == 3_000)
        #expect(held.value > 0)
        #expect(held.value <= 3 << 20)
    }

    @Test("says that no broker answers, and goes on by itself when one does")
    func outage() throws {
        let cluster = try MockCluster()
        cluster.create("visitors", partitions: 1)
        let producer = try KafkaProducer(KafkaConfiguration(cluster.brokers), timeout: .seconds(30))
        try producer.fill("visitors", ["a"])
        let reader = try KafkaReader(KafkaConfiguration(cluster.brokers), maximumBufferedBytes: 1 << 20)
        try reader.assign([TopicPartition(topic: "visitors", partition: 0): 0])
        #expect(reader.events { $0.isEnd }.messages.count == 1)
        cluster.goDown()
        let trouble = reader.events { if case .failure = $0 { true } else { false } }
        #expect(trouble.failures.count == 1)
        cluster.comeUp()
        try producer.fill("visitors", ["b"])
        let rest = reader.events { if case .message = $0 { true } else { false } }
        #expect(rest.messages.map(\.offset) == [1])
    }
}

/// Counted from any thread.
final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .acquiring) }
    func increment() { count.add(1, ordering: .acquiringAndReleasing) }
    func raise(to value: Int) { count.max(value, ordering: .acquiringAndReleasing) }
}
