import Events
import Kafka
import KafkaLog
import Logging
import Metrics
import Synchronization
import TestSupport
import Testing

@testable import Delivery
@testable import EventLog
@testable import KafkaDelivery

@Suite("A keeper of targets' state in Kafka", .enabled(if: KafkaCluster.isAvailable), .serialized)
struct KafkaStateKeeperTests {
    private func target(_ start: KeptTarget.Start = .beginning, name: String = "crm") -> KeptTarget {
        KeptTarget(name: name, type: "webhook", destination: "https://crm.example", start: start)
    }

    /// Two delivered, one filtered, one under way, one open, one dead.
    private func work(_ kept: KeptLog, shard: Int) -> KeptChange {
        let partition = kept.partition(shard)
        var state = RestoredShard.Partition(position: 6, holes: [3])
        state.counters.delivered = 2
        state.counters.filtered = 1
        state.counters.dead = 1
        let open = RecordPlace(partition: partition, offset: 4)
        let dead = RecordPlace(partition: partition, offset: 5)
        return KeptSamples.change(
            "crm", [partition: state],
            [
                .open(KeptSamples.entry(open), payload: Array("open \(shard)".utf8), nextAtMs: 23),
                .record(KeptSamples.history(open, .pending)),
                .bury(KeptSamples.letter(dead, Array("dead \(shard)".utf8))),
                .record(KeptSamples.history(dead, .dead)),
            ], count: kept.layout.count)
    }

    private func check(_ shard: RestoredShard, _ kept: KeptLog) throws {
        let partition = kept.partition(shard.shard)
        let found = try #require(shard.partitions[partition])
        #expect(found.position == 6 && found.holes == [3])
        #expect(found.counters.delivered == 2 && found.counters.filtered == 1 && found.counters.dead == 1)
        let open = try #require(shard.open.first)
        #expect(shard.open.count == 1 && open.record.place == RecordPlace(partition: partition, offset: 4))
        #expect(open.payload == Array("open \(shard.shard)".utf8) && open.routes == ["r1", "r\u{e9}"])
        #expect(open.record.key == 99 && open.record.nextAtMs == 23 && open.record.tries == 2)
        let dead = try #require(shard.dead.first)
        #expect(shard.dead.count == 1 && dead.place == RecordPlace(partition: partition, offset: 5))
        guard case .text(let text) = dead.payload else {
            Issue.record("the dead letter has no text")
            return
        }
        #expect(text == Array("dead \(shard.shard)".utf8) && dead.reason == "http_400" && dead.status == 400)
        #expect(shard.ahead.isEmpty)
    }

    @Test("what one instance kept the next one takes up, after an orderly end")
    func orderly() throws {
        let kept = try KeptLog()
        try kept.fill(10)
        let first = try kept.keeper("a")
        let engine = FollowingEngine(first, target())
        #expect(engine.has(KeptLog.partitions))
        for shard in engine.shards.values {
            #expect(shard.partitions[kept.partition(shard.shard)]?.position == 0)
            first.keep([work(kept, shard: shard.shard)])
        }
        #expect(first.flush(within: .seconds(30)))
        #expect(first.backlog == 0)
        first.close(within: .seconds(20))

        let second = try kept.keeper("b")
        defer { second.close(within: .seconds(20)) }
        let next = FollowingEngine(second, target(.now))
        #expect(next.has(KeptLog.partitions))
        for shard in next.shards.values { try check(shard, kept) }
    }

    @Test("a new target that begins now begins at the end everywhere, for good")
    func startNow() throws {
        let kept = try KeptLog()
        try kept.fill(5)
        let first = try kept.keeper("a")
        let engine = FollowingEngine(first, target(.now))
        #expect(engine.has(KeptLog.partitions))
        first.close(within: .seconds(20))
        // What comes while nobody is there is the target's.
        try kept.fill(3)
        let second = try kept.keeper("a")
        defer { second.close(within: .seconds(20)) }
        let next = FollowingEngine(second, target(.now))
        #expect(next.has(KeptLog.partitions))
        for shard in next.shards.values {
            #expect(shard.partitions[kept.partition(shard.shard)]?.position == 5)
            // Of topics that there are not yet, everything.
            #expect(shard.partitions[kept.layout.index(.sessionCreated, shard: shard.shard)]?.position == 0)
        }
    }

    @Test(
        "a second instance gets its part, with all that the first one kept of it, and all of it when the first one goes"
    )
    func handOver() throws {
        let kept = try KeptLog()
        try kept.fill(10)
        let first = try kept.keeper("a")
        let one = FollowingEngine(first, target())
        #expect(one.has(KeptLog.partitions))
        for shard in 0..<KeptLog.partitions { first.keep([work(kept, shard: shard)]) }

        let second = try kept.keeper("b")
        defer { second.close(within: .seconds(20)) }
        let other = FollowingEngine(second, target())
        #expect(other.has(KeptLog.partitions / 2))
        #expect(one.has(KeptLog.partitions / 2))
        #expect(Set(one.shards.keys).isDisjoint(with: other.shards.keys))
        for shard in one.shards.values { try check(shard, kept) }
        for shard in other.shards.values { try check(shard, kept) }

        let began = ContinuousClock.now
        first.close(within: .seconds(20))
        #expect(other.has(KeptLog.partitions))
        // Leaving in order is not noticed by time running out.
        #expect(began.duration(to: .now) < .seconds(9))
        for shard in other.shards.values { try check(shard, kept) }
    }

    @Test("when an instance is gone without a word, another one takes up what was kept, and ends what was begun")
    func crash() throws {
        let kept = try KeptLog()
        try kept.fill(10)
        var first: KafkaStateKeeper? = try kept.keeper("a")
        var one: FollowingEngine? = FollowingEngine(first!, target())
        #expect(one!.has(KeptLog.partitions))
        for shard in 0..<KeptLog.partitions { first!.keep([work(kept, shard: shard)]) }
        #expect(first!.flush(within: .seconds(30)))
        one = nil
        first = nil

        // The dead record of an open event is there, and its retry record as well; nothing is committed of it.
        let place = RecordPlace(partition: kept.partition(1), offset: 4)
        let letter = DeadRecord(
            StateKey(KeptSamples.entry(place).id), RecordStamp(epoch: 1, number: 1_000_000), place,
            .letter(KeptSamples.letter(place, [7])))
        let producer = try KafkaProducer(kept.options.kafka, timeout: .seconds(30))
        let topics = StateTopics(prefix: kept.options.prefix)
        producer.send(letter.encoded(topic: topics.dead("crm"), partition: 1, kept.layout)) { _ in }
        #expect(producer.flush(within: .seconds(30)))
        producer.close(within: .seconds(5))

        let second = try kept.keeper("b")
        let other = FollowingEngine(second, target())
        #expect(other.has(KeptLog.partitions))
        for shard in other.shards.values where shard.shard != 1 { try check(shard, kept) }
        let mended = try #require(other.shards[1])
        #expect(mended.open.isEmpty && mended.dead.count == 2)
        #expect(mended.partitions[place.partition]?.counters.dead == 2)
        second.close(within: .seconds(20))

        // What was mended is not mended again.
        let third = try kept.keeper("c")
        defer { third.close(within: .seconds(20)) }
        let last = FollowingEngine(third, target())
        #expect(last.has(KeptLog.partitions))
        #expect(last.shards[1]?.partitions[place.partition]?.counters.dead == 2)
        #expect(last.shards[1]?.open.isEmpty == true && last.shards[1]?.dead.count == 2)
    }

    @Test("a target that had come farther than a topic goes is not served: the topic, and both places, are named")
    func deletedTopic() async throws {
        let kept = try KeptLog()
        try kept.fill(10)
        let first = try kept.keeper("a")
        let engine = FollowingEngine(first, target())
        #expect(engine.has(KeptLog.partitions))
        for shard in engine.shards.values { first.keep([work(kept, shard: shard.shard)]) }
        #expect(first.flush(within: .seconds(30)))
        first.close(within: .seconds(20))
        let topic = kept.layout.topic(.visitorSignin)
        let admin = try KafkaAdmin(kept.options.kafka, timeout: .seconds(30))
        try admin.delete(topics: [topic])
        #expect(await poll(deadline: .seconds(60)) { (try? admin.topics()).map { $0[topic] == nil } == true })

        let log = try KafkaEventLog.open(kept.options, logger: .silent)
        defer { log.close(within: .zero) }
        let lines = Mutex<[LogLine]>([])
        let second = try KafkaStateKeeper(
            kept.options, log: log, logger: Logger { line in lines.withLock { $0.append(line) } },
            metrics: MetricsRegistry())
        defer { second.close(within: .seconds(20)) }
        let next = FollowingEngine(second, target())
        func told() -> LogLine? { lines.withLock { $0.first { $0.event == "kafka_state_unavailable" } } }
        #expect(await poll(deadline: .seconds(60)) { told() != nil })
        #expect(told()?.message.contains("\(topic) ends at 0 in partition") == true, "\(told()?.message ?? "")")
        #expect(told()?.message.contains("crm had come to 6") == true)
        #expect(next.shards.isEmpty)
    }

    @Test("what is switched off on one instance is switched off on all, and on those that come later")
    func standing() throws {
        let kept = try KeptLog()
        let first = try kept.keeper("a")
        let second = try kept.keeper("b")
        defer {
            first.close(within: .seconds(20))
            second.close(within: .seconds(20))
        }
        let one = FollowingEngine(first, target())
        let other = FollowingEngine(second, target())
        #expect(one.has(KeptLog.partitions / 2) && other.has(KeptLog.partitions / 2))
        first.keep([KeptSamples.change("crm", [:], paused: true, count: kept.layout.count)])
        #expect(other.wait { $0.standing?.isPaused == true })
        #expect(one.standing == nil)
        let third = try kept.keeper("c")
        defer { third.close(within: .seconds(20)) }
        let late = FollowingEngine(third, target())
        #expect(late.wait { $0.standing?.isPaused == true })
    }

    @Test("a target that is configured no more is left: another instance has its shards at once")
    func leave() throws {
        let kept = try KeptLog()
        let first = try kept.keeper("a")
        let second = try kept.keeper("b")
        defer {
            first.close(within: .seconds(20))
            second.close(within: .seconds(20))
        }
        let one = FollowingEngine(first, target())
        let other = FollowingEngine(second, target())
        #expect(one.has(KeptLog.partitions / 2) && other.has(KeptLog.partitions / 2))
        first.leave("crm")
        #expect(other.has(KeptLog.partitions))
        first.join(target())
        #expect(one.has(KeptLog.partitions / 2))
    }
}
