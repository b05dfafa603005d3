import Events
import Foundation
import Testing

@testable import EventLog

@Suite("The embedded log, closed and killed")
struct DurabilityTests {
    let folder = TemporaryFolder()

    @Test("everything is there again after closing, counters included", arguments: [false, true])
    func reopen(killed: Bool) async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        for number in 0..<40 {
            _ = try await log.append(
                [record(number), record(number / 2)], quarantined: [quarantined(0, key: "\(number)")])
        }
        let records = try log.readAll(from: log.beginning)
        let expected = log.statistics()
        let image = try killed ? folder.crashImage() : folder
        if !killed { log.close() }
        let again = try SQLiteEventLog.open(folder: image.path)
        #expect(try again.readAll(from: again.beginning) == records)
        #expect(again.statistics().sources == expected.sources)
        #expect(again.statistics().accepted == 40)
        #expect(again.statistics().duplicates == 40)
        #expect(again.statistics().quarantined == 40)
        #expect(try await again.append([record(39), record(40)]).map(isDuplicate) == [true, false])
    }

    @Test("files are for their owner only, and nothing is left but the log itself")
    func files() async throws {
        let inner = folder.file("data/log")
        let log = try SQLiteEventLog.open(folder: inner)
        _ = try await log.append([record(1)])
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(inner) == 0o700)
        for name in ["events.db", "events.db-wal", "head", "lock"] { #expect(try mode("\(inner)/\(name)") == 0o600) }
        log.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: inner).sorted() == ["events.db", "head", "lock"])
    }

    @Test("a second instance is refused, and told who holds the folder")
    func lock() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        let error = #expect(throws: LogOpenError.self) { try SQLiteEventLog.open(folder: folder.path) }
        #expect(error?.code == .locked)
        #expect(
            error?.message
                == "\(folder.path)/lock: process \(ProcessInfo.processInfo.processIdentifier) is using this folder; "
                + "stop it, or give this instance a `data:` folder of its own")
        log.close()
        try SQLiteEventLog.open(folder: folder.path).close()
    }

    @Test("a file of a newer version is refused and left alone")
    func newerSchema() async throws {
        try SQLiteEventLog.open(folder: folder.path).close()
        try changeFile("PRAGMA user_version = 99")
        let error = #expect(throws: LogOpenError.self) { try SQLiteEventLog.open(folder: folder.path) }
        #expect(error?.code == .newerSchema)
        #expect(error?.message.contains("schema version 99") == true)
        let other = #expect(throws: LogOpenError.self) { try SQLiteEventArchive.openReadOnly(folder: folder.path) }
        #expect(other?.code == .newerSchema)
    }

    @Test("a file of a version that did not keep the verifying secret is read as it is, and goes on from there")
    func olderSchema() async throws {
        do {
            let log = try SQLiteEventLog.open(folder: folder.path)
            _ = try await log.append((0..<50).map { record($0) })
            log.close()
        }
        try changeFile("ALTER TABLE events DROP COLUMN verified_by; PRAGMA user_version = 2")
        #expect(try SQLiteEventArchive.openReadOnly(folder: folder.path).lookup(EventID(number: 7))?.payload != nil)
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append([record(50, verifiedBy: "NEW")])
        let records = try log.readAll(from: log.beginning)
        #expect(records.count == 51)
        #expect(records.map(\.verifiedBy) == Array(repeating: nil, count: 50) + ["NEW"])
        log.close()
    }

    @Test("the name of the verifying secret is part of the checksum", arguments: ["'LONDON_OTHER'", "''", "NULL"])
    func changedVerifiedBy(value: String) async throws {
        do {
            let log = try SQLiteEventLog.open(folder: folder.path)
            _ = try await log.append([record(1), record(2, verifiedBy: "LONDON_SECRET"), record(3)])
            log.close()
        }
        try changeFile("UPDATE events SET verified_by = \(value) WHERE seq = 2")
        let error = #expect(throws: LogOpenError.self) { try SQLiteEventLog.open(folder: folder.path) }
        #expect(error?.code == .damaged)
    }

    @Test("sequences are never used again, though every record is gone")
    func sequences() async throws {
        let clock = ManualClock()
        var options = EventLogOptions()
        options.now = { clock.now }
        options.maximumAge = .seconds(60)
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        _ = try await log.append((0..<5).map { record($0, receivedAtMs: clock.now) })
        let head = log.head
        log.retain { head }
        clock.advance(.seconds(3600))
        #expect(try await eventually { log.beginning == head })
        log.close()
        let again = try SQLiteEventLog.open(folder: folder.path, options: options)
        #expect(again.head == head)
        #expect(
            try await again.append([record(9)])
                == [.appended(RecordPlace(partition: 0, offset: head.offsets[0]))])
    }

    @Test("closing finishes what waits and refuses what comes")
    func close() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        let answers = Box<[Bool]>([])
        for number in 0..<2000 {
            log.append(AppendBatch(records: [record(number)])) { result in
                answers.update { $0.append((try? result.get()) != nil) }
            }
        }
        log.close()
        log.close()
        #expect(answers.value.count == 2000)
        #expect(answers.value.allSatisfy { $0 })
        await #expect(throws: LogFailure.self) { try await log.append([record(1)]) }
        #expect(throws: LogFailure.self) { try log.read(from: log.beginning, maximumRecords: 1, maximumBytes: 1) }
    }

    @Test("a stopped instance is read without being changed", arguments: [false, true])
    func archive(killed: Bool) async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append(
            (0..<1200).map { record($0, visitor: "v\($0)") }, quarantined: [quarantined(0, key: "q")])
        let records = try log.readAll(from: log.beginning)
        let image = try killed ? folder.crashImage() : folder
        if !killed { log.close() }
        let before = try image.size("events.db")
        do {
            let archive = try SQLiteEventArchive.openReadOnly(folder: image.path)
            var read: [LogRecord] = []
            var position = archive.beginning
            while position != archive.head {
                let batch = try archive.read(from: position, maximumRecords: 1000, maximumBytes: .max)
                read += batch.records
                position = batch.next
            }
            #expect(read == records)
            #expect(archive.statistics().accepted == 1200)
            #expect(try archive.find(.visitorID(Array("v7".utf8))).map(\.id) == [EventID(number: 7)])
            #expect(try archive.lookup(EventID(number: 1199))?.id == EventID(number: 1199))
            #expect(try archive.quarantined(source: nil, sinceMs: nil, newest: 9).count == 1)
            #expect(throws: LogFailure.self) { try archive.erase(EventID(number: 1)) }
        }
        #expect(try image.size("events.db") == before)
        #expect(try killed == (image.size("events.db-wal") > 0))
    }

    @Test("a folder without a log says so")
    func noArchive() {
        let error = #expect(throws: LogOpenError.self) { try SQLiteEventArchive.openReadOnly(folder: folder.path) }
        #expect(error?.message.contains("there is no log here") == true)
    }

    @Test("an erased event is in none of the files")
    func eraseFromDisk() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        for number in 0..<50 {
            _ = try await log.append([record(number, payload: "Jane Doe was here, number \(number).")])
        }
        _ = try await log.append([], quarantined: [quarantined(0, key: "q", bytes: "Jane Doe was refused.")])
        #expect(try log.erase(EventID(number: 20)))
        #expect(try log.eraseQuarantined(key: "q"))
        #expect(try log.readAll(from: log.beginning).count == 50)
        for name in ["events.db", "events.db-wal"] {
            #expect(try !folder.contains(name, "number 20."))
            #expect(try !folder.contains(name, "was refused"))
        }
        #expect(try folder.contains("events.db", "number 21."))
    }

    private func changeFile(_ sql: String) throws {
        try runSQL(sql, folder)
    }
}
