import Delivery
import EventLog
import Events
import Foundation
import Kafka
import KafkaDelivery
import KafkaLog
import Logging
import Synchronization
import Targets
import TestSupport
import Testing

@Suite("What is kept in Kafka, looked at without running", .enabled(if: KafkaCluster.isAvailable))
struct KafkaViewTests {
    let cluster: KafkaCluster
    let options: KafkaLogOptions
    let log: KafkaEventLog

    init() throws {
        cluster = try SharedCluster.get()
        options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: cluster.servers, clientID: "command"), prefix: SharedCluster.prefix(),
            partitions: 2, spools: false, types: [.visitorSignin], spoolFolder: TemporaryDirectory().path)
        log = try KafkaEventLog.open(options, logger: .silent)
    }

    private func publish(_ records: [KafkaRecord]) throws {
        let producer = try KafkaProducer(options.kafka, timeout: .seconds(10))
        let failures = Mutex<[KafkaFailure]>([])
        for record in records {
            producer.send(record) { result in
                if case .failure(let failure) = result { failures.withLock { $0.append(failure) } }
            }
        }
        #expect(producer.flush(within: .seconds(20)))
        #expect(failures.withLock { $0 }.isEmpty)
        producer.close()
    }

    private func control(_ key: ControlKey, _ record: some ControlRecord) -> KafkaRecord {
        KafkaRecord(
            topic: StateTopics(prefix: options.prefix).cursors, key: Array("\(key)".utf8),
            value: record.encoded(options.layout))
    }

    private func attempt(_ number: Int64, _ attempts: Int, _ state: DeliveryState, batch: String? = nil)
        -> AttemptRecord
    {
        let nowMs = Timestamp.now().milliseconds
        let entry = HistoryEntry(
            keptAt: RecordPlace(partition: 0, offset: number), id: EventID(high: 7, low: UInt64(number)),
            type: "visitor.signin", source: "london", receivedAtMs: nowMs, state: state, attempts: attempts,
            atMs: nowMs + Int64(attempts), status: 200, reason: nil, durationMs: 1, nextAtMs: nil,
            routes: RouteSet(id: 0, names: ["all"]), isAttempt: true, exchange: nil, batch: nil)
        return AttemptRecord(entry, target: "crm", replay: nil, instance: "one", batch: batch, request: nil)
    }

    private var target: KafkaRecord {
        control(.target("crm"), TargetRecord(type: "http", destination: "there", writer: "one", atMs: 1))
    }

    @Test("nothing of it is left on the disk, not even while it is open")
    func folder() throws {
        func folders() throws -> Set<String> {
            Set(
                try FileManager.default.contentsOfDirectory(
                    atPath: ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
                ).filter { $0.hasPrefix("gatehouse-view-") })
        }
        let before = try folders()
        let view = try KafkaView(options, log: log, logger: .silent)
        try publish([target])
        #expect(try view.targets().map(\.name) == ["crm"])
        #expect(try folders().subtracting(before).isEmpty)
    }

    @Test("a cluster nobody has used yet has no targets, and its accounts balance")
    func empty() throws {
        let view = try KafkaView(options, log: log, logger: .silent)
        let accounts = try view.reconcile()
        #expect(accounts.isBalanced)
        #expect(accounts.accepted == 0)
        #expect(accounts.targets.isEmpty)
        #expect(try view.store.deliveries(DeliveryFilter(), newest: 10).isEmpty)
        #expect(try view.store.auditEntries(from: nil, limit: 10).entries.isEmpty)
    }

    @Test("a long history is read on from where the time was up, and tells how far it is")
    func long() throws {
        let topic = StateTopics(prefix: options.prefix).attempts
        let records = (0..<Int64(20_000)).map { attempt($0, 1, .delivered).encoded(topic: topic, options.layout) }
        try publish([target] + records)
        let told = Mutex<[(Int64, Int64)]>([])
        let view = try KafkaView(options, log: log, logger: .silent) { part, done, total in
            if part == .history { told.withLock { $0.append((done, total)) } }
        }
        #expect(throws: (any Error).self) { try view.refresh([.history], within: .zero) }
        var tries = 0
        while tries < 1000 {
            tries += 1
            if (try? view.refresh([.history], within: .milliseconds(300))) != nil { break }
        }
        #expect(tries < 1000)
        let filter = DeliveryFilter()
        #expect(try view.store.deliveries(filter, newest: 30_000).count == 20_000)
        let last = try #require(told.withLock { $0.last })
        #expect(last.0 == last.1)
        #expect(view.place(of: EventID(high: 7, low: 19_999)) == RecordPlace(partition: 0, offset: 19_999))
        #expect(view.place(of: EventID(high: 8, low: 1)) == nil)
    }

    @Test("the request of a batch is known to all its events, whichever partition has it")
    func batches() throws {
        let topic = StateTopics(prefix: options.prefix).attempts
        var records = (0..<Int64(40)).map { attempt($0, 1, .delivered, batch: "b") }
        let members = records.map(\.entry.place)
        let source = AttemptRecord.Request(digest: members.count)
        var first = source
        first.members = members
        records[39].request = first
        try publish([target] + records.map { $0.encoded(topic: topic, options.layout) })
        let view = try KafkaView(options, log: log, logger: .silent)
        for row in try view.store.deliveries(DeliveryFilter(), newest: 100) {
            let sent = try #require(try view.store.attempts(at: row.place)[row.targetID]?.first?.request)
            #expect(sent.isBatch)
            #expect(try view.store.members(of: sent) == members)
        }
    }

    @Test("a record that cannot be read is left out")
    func unreadable() throws {
        let names = StateTopics(prefix: options.prefix)
        try publish([
            target, KafkaRecord(topic: names.attempts, key: Array("nonsense".utf8), value: Array("{".utf8)),
            KafkaRecord(topic: names.cursors, key: Array("target/".utf8), value: Array("[]".utf8)),
            KafkaRecord(topic: names.audit, value: Array("no".utf8)),
            attempt(1, 1, .delivered).encoded(topic: names.attempts, options.layout),
        ])
        let view = try KafkaView(options, log: log, logger: .silent)
        #expect(try view.store.deliveries(DeliveryFilter(), newest: 100).count == 1)
        #expect(try view.store.auditEntries(from: nil, limit: 10).entries.isEmpty)
    }

    @Test("commits a group has lost are taken from what was written down besides")
    func backup() throws {
        let place = options.layout.topicPartition(options.layout.index(.visitorSignin, shard: 1))
        var metadata = CommitMetadata(start: 2, createdAtMs: 5)
        metadata.counters.delivered = 3
        metadata.holes = [6]
        let commit = KafkaCommit(offset: 7, metadata: metadata.encoded(position: 7))
        try publish([
            target, control(.cursor(target: "crm", shard: 1), CursorBackup(atMs: 1, commits: [place: commit])),
        ])
        let view = try KafkaView(options, log: log, logger: .silent)
        _ = try view.refreshed(within: .seconds(20))
        let stored = try #require(try view.store.targets().first)
        let partition = options.layout.index(.visitorSignin, shard: 1)
        #expect(stored.cursor.position.offsets[Int(partition)] == 7)
        #expect(stored.cursor.holes == [RecordPlace(partition: partition, offset: 6)])
        #expect(stored.cursor.counters.delivered == 3)
        #expect(stored.beforeStart == 2)
        #expect(stored.createdAtMs == 5)
    }
}

extension AttemptRecord.Request {
    /// Of no configuration, and of a made-up digest.
    fileprivate init(digest size: Int) {
        let exchange = Exchange(
            digest: Array(repeating: 7, count: 32), size: size, version: nil, signedAtSeconds: nil, answer: nil,
            request: nil)
        self.init(exchange)
    }
}
