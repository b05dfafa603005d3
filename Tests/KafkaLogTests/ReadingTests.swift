import EventLog
import Events
import JSON
import Kafka
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KafkaLog

@Suite("Reading a log in Kafka", .enabled(if: KafkaCluster.isAvailable))
struct ReadingTests {
    let folder = TemporaryDirectory()
    let other = TemporaryDirectory()

    private func open(
        _ prefix: String, types: Set<CanonicalType> = [.visitorSignin], in folder: TemporaryDirectory? = nil
    ) throws -> KafkaEventLog {
        try KafkaEventLog.open(
            SharedKafka.options(prefix: prefix, types: types, folder: folder ?? self.folder), logger: .silent)
    }

    @Test("an event that came through two instances is a repeat where it stands second, for every reader")
    func repeats() async throws {
        let prefix = SharedKafka.prefix()
        let logs = try [open(prefix), open(prefix, in: other)]
        for number in 0..<40 {
            try await logs[number % 2].append([event(number)])
            if number % 4 == 0 { try await logs[1 - number % 2].append([event(number)]) }
        }
        try await logs[0].append([event(100)])
        let end = try logs[0].position(at: .max)
        let found = try logs.map { try $0.readAll(from: $0.beginning, to: end) }
        #expect(found[0].count == 51)
        let repeats = Set(found[0].filter(\.isRepeat).map(\.place))
        #expect(repeats.count == 10)
        #expect(Set(found[1].filter(\.isRepeat).map(\.place)) == repeats)
        for place in repeats {
            let copies = found[0].filter { record in found[0].contains { $0.place == place && $0.id == record.id } }
            #expect(copies.map(\.place.offset).max() == place.offset)
        }
        // Another instance that takes up the partitions in the middle goes back for the ids.
        let late = try KafkaEventLog.openReadOnly(logs[0].options, logger: .silent)
        var middle = late.beginning
        for place in repeats { middle.offsets[Int(place.partition)] = place.offset }
        let after = try late.readAll(from: middle, to: end)
        #expect(after.allSatisfy { $0.isRepeat == repeats.contains($0.place) })
        #expect(after.contains { $0.isRepeat })
    }

    @Test("a record that somebody else wrote is given as one that nobody can read, told of, and not in the way")
    func foreign() async throws {
        let told = Mutex<[String]>([])
        let logger = Logger { line in told.withLock { $0.append(line.message) } }
        let options = try SharedKafka.options(prefix: SharedKafka.prefix(), folder: folder)
        let log = try KafkaEventLog.open(options, logger: logger)
        try await log.append([event(1, key: "one")])
        let producer = try KafkaProducer(options.kafka, timeout: .seconds(10))
        let place = try await withCheckedThrowingContinuation { continuation in
            producer.send(
                KafkaRecord(
                    topic: log.layout.topic(.visitorSignin), key: Array("one".utf8),
                    value: Array(#"{"data":{"visitor":{"id":"7"}}}"#.utf8))
            ) { result in continuation.resume(with: result) }
        }
        producer.close()
        try await log.append([event(2, key: "one")])
        let records = try log.readAll(from: log.beginning)
        #expect(records.count == 3)
        #expect(records.map(\.text).first == "event 1" && records.map(\.text).last == "event 2")
        #expect(records[1].place.offset == place.offset && !records[1].isErased)
        #expect(try EventView(records[1]) == nil)
        #expect(told.withLock { $0 }.contains { $0.contains("the record \(place.offset) of partition") })
    }

    @Test("whoever fell behind reads everything in order, while others read the end")
    func behind() async throws {
        let prefix = SharedKafka.prefix()
        let log = try open(prefix)
        for batch in 0..<20 {
            try await log.append((0..<1000).map { event(batch * 1000 + $0, key: "key \($0 % 5)") })
        }
        let head = log.head
        // More of them than there are readers for places before the end.
        var positions = (0..<5).map { start in LogPosition(offsets: head.offsets.map { min(Int64(start), $0) }) }
        let starts = positions
        var found = positions.map { _ in [LogRecord]() }
        var tail = head
        var appended = 0
        var atEnd: [LogRecord] = []
        let deadline = ContinuousClock.now + .seconds(60)
        while positions.contains(where: { !$0.isAtEnd(of: head) }), ContinuousClock.now < deadline {
            for index in positions.indices where !positions[index].isAtEnd(of: head) {
                let batch = try log.read(from: positions[index], maximumRecords: 256, maximumBytes: 256 << 10)
                found[index] += batch.records
                positions[index] = batch.next
            }
            if appended < 50 {
                try await log.append([event(100_000 + appended)])
                appended += 1
            }
            let batch = try log.read(from: tail, maximumRecords: 256, maximumBytes: 256 << 10)
            atEnd += batch.records
            tail = batch.next
        }
        atEnd += try log.readAll(from: tail)
        #expect(atEnd.count == appended && Set(atEnd.map(\.place)).count == appended)
        for (index, records) in found.enumerated() {
            let below = records.filter { head.isPast($0.place) }
            #expect(Int64(below.count) == log.count(from: starts[index], to: head))
            for partition in Set(below.map { $0.place.partition }) {
                let offsets = below.filter { $0.place.partition == partition }.map { $0.place.offset }
                #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0 + 1 == $1 })
            }
            #expect(records.allSatisfy { !$0.isRepeat })
        }
    }

    @Test("a reader that owns some partitions is given nothing of the others")
    func shards() async throws {
        let log = try open(SharedKafka.prefix(), types: [.visitorSignin, .visitorSignout])
        let start = log.beginning
        try await log.append((0..<200).map { event($0, type: $0 % 2 == 0 ? .visitorSignin : .visitorSignout) })
        var read: [LogRecord] = []
        for shard in 0..<3 {
            var position = LogPosition.none(count: start.offsets.count)
            for index in log.layout.indices(ofShard: shard) { position.offsets[Int(index)] = 0 }
            let records = try log.readAll(from: position)
            #expect(records.allSatisfy { log.layout.shard(of: $0.place.partition) == shard })
            read += records
        }
        #expect(Set(read.map(\.place)).count == 200 && read.count == 200)
    }

    @Test("what Kafka's retention removed is expired, and reading goes on behind it")
    func expired() async throws {
        let log = try open(SharedKafka.prefix())
        try await log.append((0..<100).map { event($0, key: "one") })
        let start = log.beginning
        let records = try log.readAll(from: start)
        let place = try #require(records.first?.place)
        try removeRecords(
            of: log.layout.topic(.visitorSignin), partition: Int32(log.layout.shard(of: place.partition)), before: 60,
            log.options.kafka.brokers)
        #expect(await poll(deadline: .seconds(30)) { log.beginning.offsets[Int(place.partition)] == 60 })
        let failure = #expect(throws: LogFailure.self) {
            try log.read(from: start, maximumRecords: 10, maximumBytes: 1 << 20)
        }
        #expect(failure?.code == .expired)
        #expect(try log.record(at: place) == nil)
        #expect(try log.readAll(from: log.beginning).map(\.text) == (60..<100).map { "event \($0)" })
        #expect(log.count(from: log.beginning, to: log.head) == 40)
        #expect(try log.lookup(event(5).id) == nil)
        #expect(try log.list(EventFilter(), newest: 1000).count == 40)
        // A reader that was not told of it notices by itself.
        let looking = try KafkaEventLog.openReadOnly(log.options, logger: .silent)
        #expect(try looking.readAll(from: looking.beginning).count == 40)
    }

    @Test("single records are read wherever they stand, and not where there is none")
    func spots() async throws {
        let log = try open(SharedKafka.prefix())
        let outcomes = try await log.append((0..<300).map { event($0) })
        for number in [299, 0, 150, 151, 152, 7] {
            guard case .appended(let place) = outcomes[number] else {
                Issue.record("a duplicate")
                continue
            }
            #expect(try log.record(at: place)?.text == "event \(number)")
        }
        let head = log.head
        for partition in log.topics.partitions {
            let beyond = RecordPlace(partition: partition, offset: head.offsets[Int(partition)])
            #expect(try log.record(at: beyond) == nil)
        }
        #expect(try log.record(at: RecordPlace(partition: Int32(head.offsets.count - 1), offset: 0)) == nil)
        #expect(try log.record(at: RecordPlace(partition: 9999, offset: 0)) == nil)
    }

    @Test("a topic that another instance creates is noticed, and what comes there is told of")
    func newTopic() async throws {
        let prefix = SharedKafka.prefix()
        let log = try open(prefix)
        let another = try open(prefix, in: other)
        let told = Mutex(0)
        log.onAppend { told.withLock { $0 += 1 } }
        try await another.append([event(1, type: .invitationSent)])
        let isSeen = await poll(deadline: .seconds(40)) { log.count(from: log.beginning, to: log.head) == 1 }
        #expect(isSeen)
        #expect(await poll { told.withLock { $0 } > 0 })
        #expect(try log.readAll(from: log.beginning).map(\.text) == ["event 1"])
    }

    @Test("what another instance appends is told of and read")
    func anotherInstance() async throws {
        let prefix = SharedKafka.prefix()
        let log = try open(prefix)
        log.follow(shards: [0, 1, 2])
        let another = try open(prefix, in: other)
        let position = log.head
        let told = Mutex(0)
        log.onAppend { told.withLock { $0 += 1 } }
        for number in 0..<20 {
            let before = told.withLock { $0 }
            try await another.append([event(number)])
            #expect(await poll { told.withLock { $0 } > before })
        }
        #expect(await poll { log.count(from: position, to: log.head) == 20 })
        #expect(try log.readAll(from: position).count == 20)
    }

    @Test("pages go back through everything, the newest first")
    func pages() async throws {
        let log = try open(SharedKafka.prefix(), types: [.visitorSignin, .visitorSignout])
        let start: Int64 = 1_700_000_000_000
        for batch in 0..<10 {
            try await log.append(
                (0..<100).map { number in
                    let number = batch * 100 + number
                    return event(
                        number, type: number % 3 == 0 ? .visitorSignout : .visitorSignin,
                        receivedAtMs: start + Int64(number))
                })
        }
        func all(_ filter: EventFilter, limit: Int, scanning: Int) throws -> [Int64] {
            var times: [Int64] = []
            var position: LogPosition?
            repeat {
                let page = try log.newest(
                    filter, before: position, limit: limit, scanning: scanning, maximumBytes: 1 << 20)
                #expect(page.records.count <= limit)
                times += page.records.map { $0.receivedAtMs - start }
                position = page.next
            } while position != nil
            return times
        }
        var filter = EventFilter()
        #expect(try all(filter, limit: 7, scanning: 1000) == (0..<1000).reversed())
        #expect(try all(filter, limit: 1000, scanning: 33) == (0..<1000).reversed())
        filter.types = ["visitor.signout"]
        filter.sinceMs = start + 500
        filter.untilMs = start + 700
        #expect(try all(filter, limit: 10, scanning: 50) == (500..<700).filter { $0 % 3 == 0 }.reversed())
    }

    @Test("an event is found by whoever only looks, and by what else knows its place")
    func lookups() async throws {
        let log = try open(SharedKafka.prefix())
        let outcomes = try await log.append((0..<500).map { event($0) })
        let looking = try KafkaEventLog.openReadOnly(log.options, logger: .silent)
        #expect(try looking.lookup(event(0).id)?.text == "event 0")
        #expect(try looking.lookup(event(999).id) == nil)
        guard case .appended(let place) = outcomes[3] else {
            Issue.record("a duplicate")
            return
        }
        let asked = Mutex(0)
        looking.locate { id in
            asked.withLock { $0 += 1 }
            return id == event(3).id ? place : nil
        }
        #expect(try looking.lookup(event(3).id)?.place == place)
        #expect(asked.withLock { $0 } == 1)
        #expect(throws: LogFailure.self) { try looking.erase(event(3).id) }
        let failure = await #expect(throws: LogFailure.self) { try await looking.append([event(1)]) }
        #expect(failure?.code == .unavailable)
    }
}

extension EventView {
    fileprivate init?(_ record: LogRecord) throws {
        try self.init(parsing: record.payload, with: JSONParser())
    }
}
