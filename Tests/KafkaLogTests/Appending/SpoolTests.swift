import EventLog
import Events
import Foundation
import Logging
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import KafkaLog

/// What a spool said, in order.
final class SpoolListener: Sendable {
    private let events = Mutex<[SpoolEvent]>([])

    var tell: @Sendable (SpoolEvent) -> Void {
        { [self] event in events.withLock { $0.append(event) } }
    }

    var all: [SpoolEvent] { events.withLock { $0 } }

    var written: [UInt64: Int64] {
        var found: [UInt64: Int64] = [:]
        for case .written(let rows) in all { for row in rows { found[row.token] = row.sequence } }
        return found
    }

    var refused: [UInt64: LogFailure] {
        var found: [UInt64: LogFailure] = [:]
        for case .refused(let tokens, let failure) in all { for token in tokens { found[token] = failure } }
        return found
    }

    /// Ids of the rows of each load, nil for a damaged one.
    var loads: [[EventID?]] {
        all.compactMap { event in
            if case .loaded(_, let rows, _) = event { rows.map { $0.item?.id } } else { nil }
        }
    }
}

@Suite struct SpoolTests {
    private static let lanes = Lanes(layout: LogLayout(prefix: "test", partitions: 2))
    private let folder = TemporaryDirectory()

    private func open(
        _ listener: SpoolListener, maximumBytes: Int64 = 1 << 30, acceptsLoss: Bool = false,
        lanes: Lanes = Self.lanes, logger: Logger = .silent
    ) throws -> Spool {
        try Spool(
            folder: folder.file("spool"), lanes: lanes, maximumBytes: maximumBytes, acceptsLoss: acceptsLoss,
            logger: logger, onEvent: listener.tell)
    }

    private func record(_ number: Int, bytes: Int = 10) -> NewRecord {
        NewRecord(
            id: EventID(high: 1, low: UInt64(number)), type: "visitor.signin",
            partitionKey: Array("4567/\(number)".utf8),
            timeMs: 17, receivedAtMs: Int64(1000 + number), source: "london", verifiedBy: "LONDON_SECRET",
            payload: [UInt8](repeating: 0x61, count: bytes))
    }

    private func write(_ number: Int, lane: Int = 0, bytes: Int = 10) -> SpoolOperation {
        .write(SpoolEntry(token: UInt64(number), lane: lane, item: .event(record(number, bytes: bytes))))
    }

    private func load(_ lane: Int, from sequence: Int64 = 0) -> SpoolOperation {
        .load(lane: lane, from: sequence, limit: 100, maximumBytes: 1 << 20)
    }

    private func ids(_ numbers: Int...) -> [EventID] { numbers.map { EventID(high: 1, low: UInt64($0)) } }

    @Test("Rows of a lane are read in order, leave one by one, and are there after it is opened again")
    func queue() throws {
        let first = SpoolListener()
        let spool = try open(first)
        spool.perform([write(1), write(2, lane: 3), write(3), write(4)])
        spool.perform([.delete(sequence: 3), load(0), load(3)])
        spool.close()
        #expect(first.written == [1: 1, 2: 2, 3: 3, 4: 4])
        #expect(first.loads == [ids(1, 4), ids(2)])
        #expect(spool.status.events == 3 && spool.status.oldestMs == 1001)
        let second = SpoolListener()
        let again = try open(second)
        #expect(again.found.lanes.mapValues(\.rows) == [0: 2, 3: 1])
        #expect(again.found.lanes[3]?.first == 2)
        #expect(Set(again.found.ids) == Set(ids(1, 2, 4)))
        again.perform([write(5), load(0, from: 2)])
        again.close()
        #expect(second.written == [5: 5])
        #expect(second.loads == [ids(4, 5)])
    }

    @Test("Sequences are never used again, though all rows are gone")
    func sequences() throws {
        let listener = SpoolListener()
        let spool = try open(listener)
        spool.perform([write(1), .delete(sequence: 1)])
        spool.close()
        let again = try open(listener)
        again.perform([write(2)])
        again.close()
        #expect(listener.written == [1: 1, 2: 2])
    }

    @Test("An event and a quarantined element come back as they went in, but for people's keys")
    func coding() throws {
        var event = record(1)
        event.visitorID = [1]
        guard case .event(let decoded) = SpoolCoding.decode(SpoolCoding.encode(.event(event))) else {
            Issue.record("it was not decoded")
            return
        }
        #expect(decoded.id == event.id && decoded.type == event.type && decoded.partitionKey == event.partitionKey)
        #expect(decoded.timeMs == 17 && decoded.receivedAtMs == 1001 && decoded.source == "london")
        #expect(decoded.verifiedBy == "LONDON_SECRET" && decoded.payload == event.payload && decoded.visitorID == nil)
        for bytes in [nil, [], [1, 2]] as [[UInt8]?] {
            let element = QuarantinedElement(
                source: "sydney", index: 3, receivedAtMs: 5, reason: "depth", bytes: bytes, size: 9, sha256: "ab",
                key: "k")
            guard case .quarantined(let again) = SpoolCoding.decode(SpoolCoding.encode(.quarantined(element))) else {
                Issue.record("it was not decoded")
                return
            }
            #expect(again == element)
        }
        let whole = SpoolCoding.encode(.event(event))
        for count in 0..<whole.count { #expect(SpoolCoding.decode(Array(whole.prefix(count)))?.id == nil) }
    }

    @Test("Beyond its size a row is refused, and one is taken again when there is room")
    func full() async throws {
        let listener = SpoolListener()
        let spool = try open(listener, maximumBytes: 256 << 10)
        for number in 1...20 { spool.perform([write(number, bytes: 32 << 10)]) }
        #expect(await poll { listener.written.count + listener.refused.count == 20 })
        #expect(listener.refused.values.allSatisfy { $0.code == .full } && !listener.refused.isEmpty)
        #expect(!listener.written.isEmpty && spool.status.bytes <= 256 << 10)
        spool.perform(listener.written.values.map { .delete(sequence: $0) })
        spool.perform([write(30)])
        spool.close()
        #expect(listener.written[30] != nil && spool.status.unavailable == nil)
    }

    @Test("What Kafka refused is kept beside the queue, with the reason")
    func dead() throws {
        let listener = SpoolListener()
        let spool = try open(listener)
        spool.perform([write(1), write(2), .bury(sequence: 1, reason: "too large"), load(0)])
        spool.close()
        #expect(listener.loads == [ids(2)])
        #expect(spool.status.events == 1 && spool.status.deadLetters == 1)
        let database = try Database(path: folder.file("spool/spool.db"), mode: .readOnly)
        #expect(try database.text("SELECT reason FROM dead WHERE seq = 1") == "too large")
        #expect(try open(SpoolListener()).status.deadLetters == 1)
    }

    @Test("A row that does not match its checksum is told as damaged, and the others are read")
    func damagedRow() throws {
        let listener = SpoolListener()
        var spool: Spool? = try open(listener)
        spool?.perform([write(1), write(2), write(3)])
        spool?.close()
        spool = nil
        let database = try Database(path: folder.file("spool/spool.db"), mode: .readWrite)
        try database.execute("UPDATE spool SET body = CAST(replace(body, 'london', 'sydney') AS BLOB) WHERE seq = 2")
        spool = try open(listener)
        spool?.perform([load(0)])
        spool?.close()
        #expect(listener.loads == [[ids(1)[0], nil, ids(3)[0]]])
    }

    @Test("A missing row stops the start, until loss is accepted; then what is left goes on")
    func missingRow() throws {
        let listener = SpoolListener()
        var spool: Spool? = try open(listener)
        spool?.perform([write(1), write(2), write(3)])
        spool?.close()
        spool = nil
        do {
            let database = try Database(path: folder.file("spool/spool.db"), mode: .readWrite)
            try database.execute("DELETE FROM spool WHERE seq = 2")
        }
        let error = #expect(throws: LogOpenError.self) { try open(listener) }
        #expect(error?.code == .damaged && error?.message.contains("--accept-loss") == true)
        spool = try open(listener, acceptsLoss: true)
        #expect(spool?.found.ids.count == 2)
        spool?.perform([load(0), load(1)])
        spool?.close()
        #expect(Set(listener.loads.flatMap { $0 }) == Set(ids(1, 3)))
    }

    @Test("A file that is no database stops the start")
    func noDatabase() throws {
        try FileManager.default.createDirectory(atPath: folder.file("spool"), withIntermediateDirectories: true)
        try folder.write("spool/spool.db", String(repeating: "not a database ", count: 1000))
        let error = #expect(throws: LogOpenError.self) { try open(SpoolListener()) }
        #expect(error?.code == .damaged)
        let spool = try open(SpoolListener(), acceptsLoss: true)
        #expect(spool.status.events == 0)
    }

    @Test("After a failed sync the file is opened anew, says what it has, and takes rows again")
    func failedSync() async throws {
        let listener = SpoolListener()
        let failing = Atomic(true)
        let lines = Mutex<[String]>([])
        let spool = try Spool(
            folder: folder.file("spool"), lanes: Self.lanes, maximumBytes: 1 << 30,
            logger: Logger { line in lines.withLock { $0.append(line.event) } },
            beforeCommit: { () throws(SQLiteError) in
                guard failing.load(ordering: .relaxed) else { return }
                throw SQLiteError(code: .inputOutput, operation: "commit", message: "the disk is gone")
            }, onEvent: listener.tell)
        spool.perform([write(1), load(0)])
        #expect(await poll { listener.refused[1] != nil })
        #expect(listener.refused[1]?.code == .unavailable && listener.refused[1]?.retryAfterSeconds == 5)
        #expect(await poll { spool.status.unavailable?.contains("the disk is gone") == true })
        failing.store(false, ordering: .relaxed)
        let isOpenAgain = await poll(deadline: .seconds(30)) {
            listener.all.contains { if case .reopened = $0 { true } else { false } }
        }
        #expect(isOpenAgain)
        spool.perform([write(2), load(0)])
        spool.close()
        #expect(listener.written.keys.sorted() == [2] && spool.status.unavailable == nil)
        #expect(listener.loads == [ids(2)])
        #expect(lines.withLock { $0 } == ["spool_unavailable", "spool_available"])
    }

    @Test("A full disk refuses what comes, and keeps what Kafka has until it can be removed")
    func fullDisk() async throws {
        let listener = SpoolListener()
        let failing = Atomic(false)
        let spool = try Spool(
            folder: folder.file("spool"), lanes: Self.lanes, maximumBytes: 1 << 30, logger: .silent,
            beforeCommit: { () throws(SQLiteError) in
                guard failing.load(ordering: .relaxed) else { return }
                throw SQLiteError(code: .full, operation: "commit", message: "full")
            }, onEvent: listener.tell)
        spool.perform([write(1), write(2)])
        #expect(await poll { listener.written.count == 2 })
        failing.store(true, ordering: .relaxed)
        spool.perform([.delete(sequence: 1), write(3)])
        #expect(await poll { listener.refused[3]?.code == .unavailable })
        failing.store(false, ordering: .relaxed)
        spool.perform([load(0)])
        spool.close()
        #expect(listener.loads == [ids(2)] && spool.status.events == 1)
    }

    @Test("Two processes do not share a spool")
    func lock() throws {
        let spool = try open(SpoolListener())
        #expect(throws: LogOpenError.self) { try open(SpoolListener()) }
        spool.close()
    }

    @Test("When partitions mean something else, rows go to the lanes of today")
    func otherLanes() throws {
        let layout = LogLayout(prefix: "test", partitions: 12)
        let listener = SpoolListener()
        var spool: Spool? = try open(listener)
        spool?.perform((1...50).map { write($0) })
        spool?.close()
        spool = nil
        let again = try open(listener, lanes: Lanes(layout: layout))
        var expected: [Int: Int] = [:]
        for number in 1...50 {
            expected[Int(layout.index(.visitorSignin, key: record(number).partitionKey)), default: 0] += 1
        }
        #expect(again.found.lanes.mapValues(\.rows) == expected)
    }
}
