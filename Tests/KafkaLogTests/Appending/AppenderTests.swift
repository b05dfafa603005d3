import EventLog
import Events
import Foundation
import Kafka
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KafkaLog

@Suite struct AppenderTests {
    private func cluster(_ topics: [CanonicalType] = [.visitorSignin]) throws -> MockCluster {
        let cluster = try MockCluster()
        for type in topics { cluster.create("test.\(type.rawValue)", partitions: 3) }
        cluster.create("test.quarantine", partitions: 1)
        return cluster
    }

    @Test("An event is answered with its place, stands in its key's partition, and its repeat is a duplicate")
    func direct() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers)
        let appender = try bench.open()
        bench.append(1, to: appender)
        let outcomes = try #require(await bench.answer(1)).get()
        let partition = bench.options.layout.index(.visitorSignin, key: Array("4567/1".utf8))
        #expect(outcomes == [.appended(RecordPlace(partition: partition, offset: 0))])
        #expect(appender.recentPlace(of: EventID(high: 3, low: 1)) == RecordPlace(partition: partition, offset: 0))
        #expect(bench.acknowledged == [RecordPlace(partition: partition, offset: 0)])
        bench.append(AppendBatch(records: [AppenderWorkbench.record(1)]), as: 2, to: appender)
        #expect(try #require(await bench.answer(2)).get() == [.duplicate])
        #expect(appender.statistics.accepted == 1 && appender.statistics.duplicates == 1)
        #expect(appender.close(within: .seconds(10)) == 0)
        #expect(try readTopic(bench.topic, cluster.brokers).map(\.partition) == [Int(partition % 3)])
        bench.append(3, to: appender)
        #expect(await bench.failure(3)?.code == .unavailable)
    }

    @Test("Partitions are chosen as librdkafka chooses them by the key")
    func partitions() async throws {
        let cluster = try MockCluster()
        cluster.create("test.visitor.signin", partitions: 3)
        cluster.create("plain", partitions: 3)
        let bench = AppenderWorkbench(cluster.brokers)
        let appender = try bench.open()
        let producer = try KafkaProducer(bench.options.kafka, timeout: .seconds(30))
        let keys = (0..<40).map { "\($0 * 7919)/\($0)" } + [""]
        let places = Mutex<[Int: Int32]>([:])
        for (number, key) in keys.enumerated() {
            bench.append(number, to: appender, key: key)
            producer.send(KafkaRecord(topic: "plain", key: Array(key.utf8), value: [1])) { result in
                if let place = try? result.get() { places.withLock { $0[number] = place.partition } }
            }
        }
        #expect(await poll(deadline: .seconds(30)) { places.withLock { $0.count } == keys.count })
        for number in keys.indices {
            guard case .appended(let place)? = try await bench.answer(number)?.get().first else {
                Issue.record("\(number) was not appended")
                continue
            }
            #expect(places.withLock { $0[number] } == place.partition % 3, "key \(keys[number])")
        }
        producer.close()
        _ = appender.close(within: .seconds(10))
    }

    @Test("A quarantined element is in its topic when the batch is answered")
    func quarantine() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers)
        let appender = try bench.open()
        let element = QuarantinedElement(
            source: "sydney", index: 4, receivedAtMs: 1_700_000_000_000, reason: "malformed", bytes: [0x7B], size: 1,
            sha256: "00", key: "sydney\n4\n00")
        bench.append(AppendBatch(records: [AppenderWorkbench.record(1)], quarantined: [element]), as: 1, to: appender)
        bench.append(AppendBatch(records: [], quarantined: [element]), as: 2, to: appender)
        #expect(try #require(await bench.answer(1)).get().count == 1)
        #expect(try #require(await bench.answer(2)).get().isEmpty)
        #expect(try readTopic("test.quarantine", cluster.brokers).count == 1)
        #expect(appender.statistics.quarantined == 1)
        _ = appender.close(within: .seconds(10))
    }

    @Test("While no broker answers events are acknowledged by the spool, and go to Kafka in order when one does")
    func outage() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .milliseconds(400))
        let appender = try bench.open()
        bench.append(0, to: appender)
        _ = try #require(await bench.answer(0)).get()
        cluster.goDown()
        for number in 1...40 { bench.append(number, to: appender, key: "4567/\(number % 4)") }
        for number in 1...40 { _ = try #require(await bench.answer(number)).get() }
        #expect(appender.spooled >= 40 && appender.status.isKafkaAway && !appender.status.isDraining)
        #expect(appender.status.oldestMs == 1_700_000_000_000)
        bench.append(41, to: appender, key: "4567/1")
        _ = try #require(await bench.answer(41)).get()
        cluster.comeUp()
        #expect(await appender.drained())
        #expect(appender.close(within: .seconds(10)) == 0)
        let read = try readTopic(bench.topic, cluster.brokers)
        for key in 0..<4 {
            var numbers: [Int] = []
            for record in read where record.key == "4567/\(key)" {
                let number = bench.number(in: record.value)
                if !numbers.contains(number) { numbers.append(number) }
            }
            let expected = (0...41).filter { ($0 == 0 || $0 == 41 ? 1 : $0 % 4) == key }
            #expect(numbers == expected)
        }
        #expect(bench.events.contains("kafka_away") && bench.events.contains("kafka_back"))
        #expect(appender.statistics.accepted == 42)
    }

    @Test("What stays in the spool at the end is told, and the next program publishes it")
    func restart() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .milliseconds(400))
        cluster.goDown()
        var appender: Appender? = try bench.open()
        for number in 1...10 { bench.append(number, to: try #require(appender)) }
        #expect(appender?.close(within: .milliseconds(100)) == 10)
        for number in 1...10 { _ = try #require(await bench.answer(number)).get() }
        appender = nil
        cluster.comeUp()
        let next = try bench.open()
        #expect(next.spooled == 10)
        bench.append(11, to: next)
        _ = try #require(await bench.answer(11)).get()
        #expect(next.close(within: .seconds(60)) == 0)
        let numbers = try readTopic(bench.topic, cluster.brokers).map { bench.number(in: $0.value) }
        #expect(numbers == Array(1...11))
    }

    @Test("Without a spool an event that is not acknowledged is refused, to be sent again")
    func noSpool() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .milliseconds(400)) { $0.spools = false }
        let appender = try bench.open()
        cluster.goDown()
        bench.append(1, to: appender)
        let failure = try #require(await bench.failure(1))
        #expect(failure.code == .unavailable && failure.retryAfterSeconds > 0)
        #expect(appender.statistics.unavailable?.code == .unavailable)
        cluster.comeUp()
        #expect(await bench.appendUntilTaken(from: 2, to: appender))
        #expect(appender.statistics.unavailable == nil)
        #expect(appender.close(within: .seconds(10)) == 0)
    }

    @Test("A record that no broker would take is refused at once, and nothing of its batch is kept")
    func tooLarge() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers) { $0.kafka.properties["message.max.bytes"] = "20000" }
        let appender = try bench.open()
        bench.append(
            AppendBatch(records: [AppenderWorkbench.record(1), AppenderWorkbench.record(2, bytes: 30_000)]), as: 1,
            to: appender)
        let failure = try #require(await bench.failure(1))
        #expect(failure.code == .tooLarge && failure.message.contains("20000"))
        bench.append(3, to: appender)
        _ = try #require(await bench.answer(3)).get()
        #expect(appender.close(within: .seconds(10)) == 0)
        #expect(try readTopic(bench.topic, cluster.brokers).count == 1)
    }

    @Test("What Kafka does not permit is refused, and not acknowledged by way of the spool")
    func unauthorised() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .seconds(60))
        let appender = try bench.open()
        bench.append(1, to: appender)
        _ = try #require(await bench.answer(1)).get()
        cluster.refuseToPublish([.unauthorised])
        bench.append(2, to: appender)
        let failure = try #require(await bench.failure(2))
        #expect(failure.code == .unavailable && appender.spooled == 0)
        #expect(await bench.appendUntilTaken(from: 3, to: appender))
        #expect(appender.close(within: .seconds(10)) == 0)
    }

    @Test("What Kafka does not permit after it was acknowledged becomes a dead letter, and draining goes on")
    func deadLetter() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .milliseconds(400))
        cluster.goDown()
        var appender: Appender? = try bench.open()
        for number in 1...3 { bench.append(number, to: try #require(appender)) }
        #expect(appender?.close(within: .milliseconds(100)) == 3)
        appender = nil
        cluster.refuseToPublish([.unauthorised])
        cluster.comeUp()
        let next = try bench.open()
        #expect(await next.drained())
        let dead = next.status.deadLetters
        #expect(dead >= 1)
        #expect(next.close(within: .seconds(10)) == 0)
        #expect(try readTopic(bench.topic, cluster.brokers).count == 3 - Int(dead))
        #expect(
            bench.lines.withLock { $0.filter { $0.event == "spool_dead_letter" && $0.level == .error }.count } == dead)
    }

    @Test("A dead letter of the spool is shown, and published by the next start when an operator has it queued again")
    func requeued() async throws {
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, limit: .milliseconds(400))
        let letters = SpoolDeadLetters(bench.options)
        func list() throws -> [SpoolDeadLetter] {
            var all: [SpoolDeadLetter] = []
            try letters.forEach { all.append($0) }
            return all
        }
        #expect(try list().isEmpty && letters.requeue(nil) == 0, "there is no spool yet")
        cluster.goDown()
        var appender: Appender? = try bench.open()
        for number in 1...3 { bench.append(number, to: try #require(appender), key: "\(number)") }
        #expect(appender?.close(within: .milliseconds(100)) == 3)
        appender = nil
        cluster.refuseToPublish([.unauthorised])
        cluster.comeUp()
        let refused = try bench.open()
        #expect(await refused.drained())
        let dead = try list()
        #expect(dead.count == Int(refused.status.deadLetters) && dead.count > 0)
        #expect(dead.allSatisfy { $0.reason.contains("authorization") && $0.source == "london" && $0.size > 10 })
        #expect(throws: LogOpenError.self) { try letters.requeue(nil) }
        #expect(refused.close(within: .seconds(10)) == 0)

        let given = try #require(dead.last)
        #expect(try letters.requeue([given.number, 1 << 40]) == 1)
        #expect(try list() == Array(dead.dropLast()))
        #expect(try letters.discard(nil) == dead.count - 1)
        #expect(try list().isEmpty)
        let next = try bench.open()
        #expect(next.spooled == 1 && next.status.deadLetters == 0)
        #expect(next.close(within: .seconds(60)) == 0)
        let numbers = try readTopic(bench.topic, cluster.brokers).map { bench.number(in: $0.value) }
        #expect(Set(numbers).count == 3 - dead.count + 1 && numbers.contains(Int(given.id.low)))
    }

    @Test("No more waits for Kafka than may, and what waits is answered when the log is closed")
    func bounded() async throws {
        let cluster = try cluster()
        cluster.goDown()
        let bench = AppenderWorkbench(cluster.brokers)
        let appender = try bench.open()
        let batch = AppendBatch(records: (0..<1000).map { AppenderWorkbench.record($0) })
        for number in 0..<16 {
            let records = batch.records.map { record in
                var record = record
                record.id = EventID(high: 4, low: UInt64(number) << 32 | record.id.low)
                return record
            }
            bench.append(AppendBatch(records: records), as: number, to: appender)
        }
        bench.append(batch, as: 16, to: appender)
        #expect(await bench.failure(16)?.code == .unavailable)
        #expect(appender.close(within: .milliseconds(50)) == 16_000)
        for number in 0..<16 { #expect(try #require(await bench.answer(number)).get().count == 1000) }
    }

    @Test("An event whose topic is not there yet is acknowledged by the spool, and published when it is")
    func missingTopic() async throws {
        let topics = ScriptedTopics()
        topics.areThere.store(false, ordering: .relaxed)
        let cluster = try cluster()
        let bench = AppenderWorkbench(cluster.brokers, topics: topics, limit: .milliseconds(400))
        let appender = try bench.open()
        bench.append(1, to: appender)
        _ = try #require(await bench.answer(1)).get()
        #expect(appender.spooled == 1)
        topics.areThere.store(true, ordering: .relaxed)
        #expect(await appender.drained())
        #expect(appender.close(within: .seconds(10)) == 0)
        #expect(try readTopic(bench.topic, cluster.brokers).count == 1)
    }

    @Test(
        "While a broker hangs events are acknowledged; when it goes on all of them are in Kafka, in order per key",
        .enabled(if: KafkaCluster.isAvailable))
    func hangingBroker() async throws {
        let cluster = try KafkaCluster.start()
        var options = AppenderWorkbench(cluster.servers).options
        options.replication = 1
        let topics = TopicAdministration(options, admin: try KafkaAdmin(options.kafka), logger: .silent)
        try topics.prepare()
        let bench = AppenderWorkbench(cluster.servers, topics: topics, limit: .seconds(2)) { $0.replication = 1 }
        let appender = try bench.open()
        bench.append(0, to: appender, key: "key/0")
        _ = try #require(await bench.answer(0)).get()
        try cluster.pause(1)
        for number in 1..<200 { bench.append(number, to: appender, key: "key/\(number % 5)") }
        // The broker hangs until all of them are answered: the spool did that.
        for number in 1..<200 { _ = try #require(await bench.answer(number)).get() }
        #expect(appender.spooled > 0 && appender.status.isKafkaAway)
        try cluster.resume(1)
        for number in 200..<300 { bench.append(number, to: appender, key: "key/\(number % 5)") }
        for number in 200..<300 { _ = try #require(await bench.answer(number)).get() }
        #expect(await appender.drained())
        #expect(appender.close(within: .seconds(30)) == 0)
        let read = try readTopic(bench.topic, cluster.servers)
        for key in 0..<5 {
            var numbers: [Int] = []
            for record in read where record.key == "key/\(key)" {
                let number = bench.number(in: record.value)
                if !numbers.contains(number) { numbers.append(number) }
            }
            #expect(numbers == stride(from: key, to: 300, by: 5).map { $0 })
        }
    }
}
