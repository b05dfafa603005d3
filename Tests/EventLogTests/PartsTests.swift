import Events
import Foundation
import SQLite
import Testing

@testable import EventLog

@Suite("Parts of the embedded log")
struct PartsTests {
    @Test("a record's checksum notices every single flipped bit")
    func flippedBits() throws {
        var payload = Array("{\"name\":\"Jane Doe\",\"padding\":\"0123456789012345678901234567890123456789\"}".utf8)
        func sum() -> UInt64 {
            unsafe payload.withUnsafeBytes {
                unsafe RecordDigest.sum(id: EventID(number: 1), receivedAtMs: 5, type: "t", source: "s", payload: $0)
            }
        }
        let sound = sum()
        for index in payload.indices {
            for bit in 0..<8 {
                payload[index] ^= 1 << UInt8(bit)
                #expect(sum() != sound)
                payload[index] ^= 1 << UInt8(bit)
            }
        }
        #expect(sum() == sound)
        #expect(RecordDigest.checksum(sound, sequence: 1) != RecordDigest.checksum(sound, sequence: 2))
    }

    @Test("a record's checksum tells its fields apart")
    func fields() {
        func sum(_ id: Int, _ at: Int64, _ type: String, _ source: String, _ payload: String) -> UInt64 {
            unsafe Array(payload.utf8).withUnsafeBytes {
                unsafe RecordDigest.sum(
                    id: EventID(number: id), receivedAtMs: at, type: type, source: source, payload: $0)
            }
        }
        let sums = [
            sum(1, 1, "a", "b", "c"), sum(2, 1, "a", "b", "c"), sum(1, 2, "a", "b", "c"), sum(1, 1, "ab", "", "c"),
            sum(1, 1, "", "ab", "c"), sum(1, 1, "a", "", "bc"), sum(1, 1, "a", "b", "c\u{0}"), sum(1, 1, "a", "b", ""),
        ]
        #expect(Set(sums).count == sums.count)
    }

    @Test("a filter misses no id, folded or not, and gives few false alarms")
    func filter() throws {
        var filter = IDFilter(capacity: 20_000)
        for number in 0..<20_000 { filter.insert(EventID(number: number)) }
        #expect((0..<20_000).allSatisfy { filter.mayContain(.init(EventID(number: $0))) })
        let alarms = (20_000..<60_000).count { filter.mayContain(.init(EventID(number: $0))) }
        #expect(alarms < 40_000 / 100)
        let folded = filter.folded()
        #expect(folded.byteCount == filter.byteCount / 2)
        #expect((0..<20_000).allSatisfy { folded.mayContain(.init(EventID(number: $0))) })
        #expect(IDFilter(bytes: filter.bytes) == filter)
        for count in [0, 31, 33, 96] { #expect(IDFilter(bytes: [UInt8](repeating: 0, count: count)) == nil) }
        var smallest = IDFilter(capacity: 1)
        smallest.insert(EventID(number: 1))
        #expect(smallest.folded() == smallest)
    }

    @Test("recent ids are found at their places, and taken back as if they had never been added")
    func recentIDs() {
        var ids = RecentIDs(first: 100)
        for number in 0..<50_000 { ids.append(EventID(number: number)) }
        let extra = (50_000..<50_512).map { EventID(number: $0) }
        for id in extra { ids.append(id) }
        #expect(ids.end == 100 + 50_512)
        ids.removeLast(extra)
        #expect(ids.end == 100 + 50_000)
        for number in stride(from: 0, to: 50_000, by: 7) {
            let found = ids.sequence(of: EventID(number: number)) { $0 == Int64(100 + number) }
            #expect(found == Int64(100 + number))
        }
        for id in extra {
            let found = ids.sequence(of: id) { _ in
                Issue.record("a candidate for an id that was taken back")
                return true
            }
            #expect(found == nil)
        }
    }

    @Test("ids become runs when they are many, in steps, and are known all the while")
    func sealing() throws {
        let folder = TemporaryFolder()
        let database = try Database(path: folder.file("a.db"), mode: .create)
        try database.useWriteAheadLog(.normal, pageSize: LogFile.pageSize)
        try database.migrate(LogSchema.migrations)
        let dedupe = try Dedupe(database, next: 1)
        var number = 0
        var steps = 0
        func commit(_ count: Int) throws {
            try database.withTransaction {
                if dedupe.needsMaintenance(nowMs: 0, windowMs: 1000, beginning: 1) {
                    try dedupe.maintain(nowMs: 0, windowMs: 1000, beginning: 1)
                    steps += 1
                }
                for _ in 0..<count {
                    dedupe.append(EventID(number: number))
                    number += 1
                }
                try dedupe.write(nowMs: 0)
            }
            dedupe.didCommit(nowMs: 0)
        }
        while dedupe.runs.isEmpty { try commit(512) }
        #expect(steps == 16)
        #expect(dedupe.runs[0].count >= RecentIDs.capacity)
        #expect(number > dedupe.runs[0].count, "ids were added while the run was made")
        for known in stride(from: 0, to: number, by: 997) {
            #expect(try dedupe.sequence(of: EventID(number: known)) == Int64(known + 1))
        }
        for unknown in number..<number + 2000 { #expect(try dedupe.sequence(of: EventID(number: unknown)) == nil) }
        let again = try Dedupe(database, next: Int64(number + 1))
        for known in stride(from: 0, to: number, by: 1009) {
            #expect(try again.sequence(of: EventID(number: known)) == Int64(known + 1))
        }
        #expect(try database.integer("SELECT count(*) FROM recent_ids WHERE first <= \(dedupe.runs[0].last)") == 0)
    }

    @Test("a rolled back step of a run leaves every id known", arguments: [1, 2, 16])
    func sealingRolledBack(failingStep: Int) throws {
        struct Failure: Error {}
        let folder = TemporaryFolder()
        let database = try Database(path: folder.file("a.db"), mode: .create)
        try database.useWriteAheadLog(.normal, pageSize: LogFile.pageSize)
        try database.migrate(LogSchema.migrations)
        let dedupe = try Dedupe(database, next: 1)
        try database.withTransaction {
            for number in 0..<5000 { dedupe.append(EventID(number: number)) }
            try dedupe.write(nowMs: 0)
        }
        dedupe.didCommit(nowMs: 0)
        let tomorrow: Int64 = 90_000_000
        var step = 0
        var hasFailed = false
        while dedupe.needsMaintenance(nowMs: tomorrow, windowMs: tomorrow, beginning: 1) {
            step += 1
            do {
                try database.withTransaction {
                    try dedupe.maintain(nowMs: tomorrow, windowMs: tomorrow, beginning: 1)
                    dedupe.append(EventID(number: 5000 + step))
                    try dedupe.write(nowMs: tomorrow)
                    if step == failingStep, !hasFailed {
                        hasFailed = true
                        throw Failure()
                    }
                }
                dedupe.didCommit(nowMs: tomorrow)
            } catch is Failure {
                dedupe.didRollBack()
                #expect(try dedupe.sequence(of: EventID(number: 5000 + step)) == nil)
                step -= 1
            }
            for known in stride(from: 0, to: 5000, by: 499) {
                #expect(try dedupe.sequence(of: EventID(number: known)) == Int64(known + 1))
            }
        }
        #expect(hasFailed)
        #expect(dedupe.runs.count == 1)
        for known in 5001...5000 + step {
            #expect(try dedupe.sequence(of: EventID(number: known)) != nil)
        }
    }

    @Test("imported ids are known, and have no record")
    func remember() async throws {
        let folder = TemporaryFolder()
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append([record(1)])
        try log.remember((100..<5000).map { EventID(number: $0) })
        #expect(
            try await log.append([record(1), record(100), record(4999), record(5000)]).map(isDuplicate) == [
                true, true, true, false,
            ])
        #expect(try log.lookup(EventID(number: 100)) == nil)
        log.close()
        let again = try SQLiteEventLog.open(folder: folder.path)
        #expect(
            try await again.append([record(1), record(2000), record(5001)]).map(isDuplicate) == [true, true, false])
    }

    @Test("the mark survives, and a torn one is no mark")
    func mark() throws {
        let folder = TemporaryFolder()
        let mark = try HeadMark(path: folder.file("head"))
        #expect(mark.read() == nil)
        mark.write(next: 77)
        #expect(mark.read() == 77)
        #expect(try HeadMark(path: folder.file("head")).read() == 77)
        try folder.flip("head", byte: 9)
        #expect(mark.read() == nil)
        try folder.truncate("head", to: 20)
        #expect(mark.read() == nil)
    }

    @Test("a failure decides what is told, when it is tried again, and whether the connection is believed")
    func refusals() {
        var schedule = RefusalSchedule(maximumBytes: 1000)
        let full = schedule.refuse(.database(SQLiteError(code: .full, operation: "o", message: "m")), now: 0)
        #expect(full.failure == LogFailure(.unavailable, "the disk is full", retryAfterSeconds: 2))
        #expect(!full.isConnectionLost)
        #expect(full.isNews)
        #expect(schedule.until == 500_000_000)
        let again = schedule.refuse(.database(SQLiteError(code: .full, operation: "o", message: "m")), now: 1)
        #expect(!again.isNews)
        let later = schedule.refuse(
            .database(SQLiteError(code: .full, operation: "o", message: "m")), now: 61_000_000_000)
        #expect(later.isNews)
        #expect(schedule.refuse(.logIsFull, now: 0).failure.code == .full)
        var delays: [Int64] = []
        for _ in 0..<6 {
            let lost = schedule.refuse(.database(SQLiteError(code: .inputOutput, operation: "o", message: "m")), now: 0)
            #expect(lost.isConnectionLost)
            delays.append((schedule.until ?? 0) / 1_000_000_000)
        }
        #expect(delays == [1, 2, 4, 5, 5, 5])
        let recoveries = [schedule.didRecover(), schedule.didRecover()]
        #expect(recoveries == [true, false], "told once")
        schedule.didReopen()
        schedule.end()
        #expect(schedule.until == nil)
        schedule.delayReopening(now: 0)
        #expect(schedule.until == 1_000_000_000)
    }

    @Test("small requests go before the rest of a large batch, which still goes on")
    func backlog() {
        func batch(_ size: Int) -> PendingBatch {
            PendingBatch(
                batch: AppendBatch(records: (0..<size).map { record($0) }), digests: [], byteCount: 0,
                completion: { _ in })
        }
        var backlog = Backlog()
        backlog.add([batch(500), batch(1), batch(600), batch(3)])
        #expect(backlog.hasLarge)
        #expect(backlog.nextSmall(ofAtMost: 10)?.size == 1)
        #expect(backlog.nextSmall(ofAtMost: 2) == nil)
        let large = backlog.nextLarge()
        #expect(large?.size == 500)
        backlog.putBack(large!)
        #expect(backlog.nextLarge()?.size == 500)
        #expect(backlog.removeAll().map(\.size) == [3, 600])
        #expect(backlog.isEmpty)
    }
}
