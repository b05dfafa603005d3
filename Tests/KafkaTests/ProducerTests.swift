import Addresses
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Kafka

@Suite struct ProducerTests {
    private static let loopback = AddressGuard(allow: [IPNetwork("127.0.0.0/8")!])

    private func producer(
        _ brokers: [String], timeout: Duration = .seconds(30), addressGuard: AddressGuard? = loopback,
        _ properties: [String: String] = [:]
    ) throws -> KafkaProducer {
        try KafkaProducer(
            KafkaConfiguration(brokers: brokers, properties: properties, addressGuard: addressGuard), timeout: timeout)
    }

    private func send(_ record: KafkaRecord, by producer: KafkaProducer) async -> Result<KafkaPlace, KafkaFailure> {
        await withCheckedContinuation { continuation in
            producer.send(record) { continuation.resume(returning: $0) }
        }
    }

    @Test("A record arrives with its key, headers and value, and one without a key has none")
    func arrival() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers)
        let record = KafkaRecord(
            topic: "visitors", key: Array("4567/1".utf8),
            headers: [.init("ce_id", "one"), .init("ce_subject", "Zoë \u{1F600}"), .init("empty", "")],
            value: Array(#"{"name":"Zoë"}"#.utf8))
        let place = try await send(record, by: producer).get()
        #expect(place.offset == 0)
        _ = try await send(KafkaRecord(topic: "visitors", value: Array("2".utf8)), by: producer).get()
        let read = try readTopic("visitors", cluster.brokers)
        let first = try #require(read.first { $0.key != nil })
        #expect(first.key == "4567/1")
        #expect(first.headers == ["ce_id": "one", "ce_subject": "Zoë \u{1F600}", "empty": ""])
        #expect(first.value == #"{"name":"Zoë"}"#)
        #expect(read.contains { $0.key == nil && $0.value == "2" })
        producer.close()
    }

    @Test("Records of one key stand in one partition, in the order they were sent")
    func order() async throws {
        let cluster = try MockCluster()
        cluster.create("ordered", partitions: 8)
        let producer = try producer(cluster.brokers)
        let results = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                let (results, continuation) = AsyncStream<Bool>.makeStream()
                producer.send(
                    KafkaRecord(topic: "ordered", key: Array("\(number % 5)".utf8), value: Array("\(number)".utf8))
                ) { result in
                    continuation.yield((try? result.get()) != nil)
                    continuation.finish()
                }
                group.addTask { await results.first { _ in true } ?? false }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count == 200 && results.allSatisfy { $0 })
        let read = try readTopic("ordered", cluster.brokers)
        for key in 0..<5 {
            let mine = read.filter { $0.key == "\(key)" }
            #expect(Set(mine.map(\.partition)).count == 1)
            #expect(mine.map(\.value) == stride(from: key, to: 200, by: 5).map { "\($0)" })
        }
        producer.close()
    }

    @Test("What no broker would take blames the record, and others go on")
    func tooLarge() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers)
        let large = await send(
            KafkaRecord(topic: "visitors", value: Array(repeating: 0x61, count: 2_000_000)), by: producer)
        #expect(throws: KafkaFailure.self) { try large.get() }
        if case .failure(let failure) = large {
            #expect(failure.code == "msg_size_too_large")
            #expect(failure.concern == .record)
        }
        _ = try await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer).get()
        producer.close()
    }

    @Test("An error that passes is tried again until it has passed")
    func retries() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers)
        cluster.refuseToPublish([.notLeader, .timedOut])
        _ = try await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer).get()
        #expect(try readTopic("visitors", cluster.brokers).count == 1)
        producer.close()
    }

    @Test("What the cluster does not permit blames the cluster")
    func unauthorised() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers)
        cluster.refuseToPublish([.unauthorised])
        let result = await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer)
        guard case .failure(let failure) = result else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.code == "topic_authorization_failed")
        #expect(failure.concern == .cluster)
        producer.close()
    }

    @Test("Without a broker a record fails when its time is over, and blames the cluster")
    func down() async throws {
        let cluster = try MockCluster()
        cluster.goDown()
        let producer = try producer(cluster.brokers, timeout: .milliseconds(300))
        guard case .failure(let failure) = await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer)
        else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.code == "msg_timed_out")
        #expect(failure.concern == .cluster)
        producer.close()
    }

    @Test("An address that the guard refuses is not connected to, and the failure says which and what to do")
    func guarded() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers, timeout: .milliseconds(500), addressGuard: AddressGuard())
        guard case .failure(let failure) = await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer)
        else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.code == "address_refused")
        #expect(failure.message.contains("127.0.0.1") && failure.message.contains("allow:"))
        producer.close()
    }

    @Test("A property that librdkafka does not take is named, and its value is not")
    func properties() throws {
        let unknown = KafkaConfiguration(brokers: ["127.0.0.1:1"], properties: ["sasl.pasword": "hunter2"])
        #expect(unknown.flaw()?.property == "sasl.pasword")
        let wrong = KafkaConfiguration(brokers: ["127.0.0.1:1"], properties: ["socket.timeout.ms": "hunter2"])
        let flaw = try #require(wrong.flaw())
        #expect(flaw.property == "socket.timeout.ms" && !flaw.message.contains("hunter2"))
        #expect(KafkaConfiguration(brokers: [], properties: ["compression.type": "lz4"]).flaw() == nil)
        #expect(throws: KafkaFailure.self) { try KafkaProducer(wrong, timeout: .seconds(1)) }
    }

    @Test("A record goes to the partition and has the time it names; without a value it is a tombstone")
    func placed() async throws {
        let cluster = try MockCluster()
        cluster.create("placed", partitions: 4)
        let producer = try producer(cluster.brokers)
        for partition in 0..<4 as Range<Int32> {
            let record = KafkaRecord(
                topic: "placed", partition: partition, timestampMs: 1_700_000_000_000 + Int64(partition),
                key: Array("same".utf8), value: partition == 3 ? nil : [])
            #expect(try await send(record, by: producer).get() == KafkaPlace(partition: partition, offset: 0))
        }
        let reader = try KafkaReader(KafkaConfiguration(cluster.brokers), maximumBufferedBytes: 1 << 20)
        try reader.assign(Dictionary(uniqueKeysWithValues: (0..<4).map { (.init(topic: "placed", partition: $0), 0) }))
        var left = 4
        let read = reader.events {
            left -= $0.isEnd ? 1 : 0
            return left == 0
        }.messages.sorted { $0.partition < $1.partition }
        #expect(read.map(\.timestampMs) == (0..<4).map { 1_700_000_000_000 + $0 })
        #expect(read.map(\.value) == [[], [], [], nil])
        producer.close()
    }

    @Test("Keys fall on partitions as with Java's client")
    func partitioner() async throws {
        let cluster = try MockCluster()
        cluster.create("keyed", partitions: 100)
        let producer = try producer(cluster.brokers)
        // murmur2 of Kafka's own tests (org.apache.kafka.common.utils.UtilsTest), positive, modulo 100.
        for (key, hash) in [("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536)]
        {
            let record = KafkaRecord(topic: "keyed", key: Array(key.utf8), value: [0x61])
            #expect(try await send(record, by: producer).get().partition == Int32((hash & 0x7fff_ffff) % 100))
        }
        producer.close()
    }

    @Test("A full queue refuses the record at once, and takes it when others are acknowledged")
    func fullQueue() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers, ["queue.buffering.max.messages": "10", "linger.ms": "0"])
        cluster.delayAnswers(milliseconds: 300)
        let results = Mutex<[Result<KafkaPlace, KafkaFailure>]>([])
        for _ in 0..<20 {
            producer.send(KafkaRecord(topic: "visitors", value: [0x61])) { result in
                results.withLock { $0.append(result) }
            }
        }
        let refused = results.withLock { $0 }.compactMap { if case .failure(let failure) = $0 { failure } else { nil } }
        #expect(refused.count == 10)
        #expect(refused.allSatisfy { $0.code == KafkaFailure.queueFull && !$0.mayBeKept })
        #expect(producer.queued == 10)
        #expect(producer.flush(within: .seconds(30)))
        #expect(await poll { producer.queued == 0 })
        _ = try await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer).get()
        producer.close()
    }

    @Test("A record that was on its way when time ran out may be kept; one that never left is not")
    func mayBeKept() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers, timeout: .seconds(2))
        _ = try await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer).get()
        cluster.delayAnswers(milliseconds: 6_000)
        let sent = await send(KafkaRecord(topic: "visitors", value: [0x62]), by: producer)
        guard case .failure(let late) = sent else {
            Issue.record("it was acknowledged")
            return
        }
        #expect(late.mayBeKept)
        cluster.goDown()
        let never = try self.producer(cluster.brokers, timeout: .milliseconds(300))
        guard case .failure(let unsent) = await send(KafkaRecord(topic: "visitors", value: [0x63]), by: never) else {
            Issue.record("it was acknowledged")
            return
        }
        #expect(!unsent.mayBeKept)
        producer.close()
        never.close()
    }

    @Test("librdkafka's statistics are handed on")
    func statistics() async throws {
        let cluster = try MockCluster()
        let texts = Mutex<[[UInt8]]>([])
        let producer = try KafkaProducer(
            KafkaConfiguration(cluster.brokers, ["statistics.interval.ms": "50"]), timeout: .seconds(30),
            onStatistics: { text in texts.withLock { $0.append(text) } })
        #expect(await poll(deadline: .seconds(30)) { texts.withLock { $0.count > 1 } })
        let text = try #require(texts.withLock { $0.first })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
        #expect(object["type"] as? String == "producer")
        producer.close()
    }

    @Test(
        "An error that ends the client for good fails what is under way, and what comes later goes through a new one",
        arguments: [false, true])
    func fatal(tellsOfRestart: Bool) async throws {
        let cluster = try MockCluster()
        let configuration = KafkaConfiguration(brokers: cluster.brokers, addressGuard: Self.loopback)
        let producer = try KafkaProducer(configuration, timeout: .seconds(60), tellsOfRestart: tellsOfRestart)
        _ = try await send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer).get()
        cluster.refuseToPublish([.outOfOrder])
        let results = Mutex<[Result<KafkaPlace, KafkaFailure>]>([])
        for _ in 0..<20 {
            producer.send(KafkaRecord(topic: "visitors", value: [0x62])) { result in
                results.withLock { $0.append(result) }
            }
        }
        #expect(await poll(deadline: .seconds(60)) { results.withLock(\.count) == 20 }, "each is answered once")
        #expect(results.withLock { $0.contains { (try? $0.get()) == nil } }, "the client has not ended")
        // Until the last of the old client is told, and once more where that is asked for, nothing is taken.
        var refusals: [KafkaFailure] = []
        while refusals.count < 6000 {
            guard case .failure(let failure) = await send(KafkaRecord(topic: "visitors", value: [0x63]), by: producer)
            else { break }
            refusals.append(failure)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(refusals.count < 6000, "nothing is taken any more")
        if tellsOfRestart {
            let before = results.withLock { $0 }.contains(.failure(.restarting))
            #expect(before || refusals.contains(.restarting))
        }
        let read = try readTopic("visitors", cluster.brokers).map(\.value)
        #expect(read.filter { $0 == "c" }.count == 1)
        producer.close()
    }

    @Test("Closing waits for what is under way as long as it may; the rest fails, and so does what is sent later")
    func closing() async throws {
        let cluster = try MockCluster()
        let producer = try producer(cluster.brokers)
        async let first = send(KafkaRecord(topic: "visitors", value: [0x61]), by: producer)
        _ = try await first.get()
        cluster.goDown()
        let (results, continuation) = AsyncStream<Result<KafkaPlace, KafkaFailure>>.makeStream()
        producer.send(KafkaRecord(topic: "visitors", value: [0x62])) { continuation.yield($0) }
        producer.close(within: .milliseconds(50))
        let left = try #require(await results.first { _ in true })
        #expect(throws: KafkaFailure.self) { try left.get() }
        let late = await send(KafkaRecord(topic: "visitors", value: [0x63]), by: producer)
        #expect(late == .failure(.closed))
    }
}
