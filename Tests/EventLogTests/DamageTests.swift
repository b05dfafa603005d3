import Events
import Foundation
import Testing

@testable import EventLog

@Suite("Damage to the embedded log")
struct DamageTests {
    let folder = TemporaryFolder()
    static let frameSize = LogFile.pageSize + 24

    /// The files of a log that was killed after so many commits, none of them copied back.
    private func killed(commits: Int, eventsEach: Int = 1) async throws -> TemporaryFolder {
        var options = EventLogOptions()
        options.checkpointsWhenIdle = false
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        for commit in 0..<commits {
            _ = try await log.append(
                (0..<eventsEach).map { record(commit * eventsEach + $0, payload: "payload \(commit)") })
        }
        return try folder.crashImage()
    }

    private func refusal(_ folder: TemporaryFolder) throws -> LogOpenError {
        try #require(#expect(throws: LogOpenError.self) { try SQLiteEventLog.open(folder: folder.path) })
    }

    private func accepting(_ folder: TemporaryFolder) throws -> SQLiteEventLog {
        var options = EventLogOptions()
        options.acceptLoss = true
        return try SQLiteEventLog.open(folder: folder.path, options: options)
    }

    @Test("a torn tail that nobody was answered for is no damage", arguments: [1, 100, 4000, 8215, 8217, 12_000])
    func tornTail(bytes: Int) async throws {
        let torn = try await killed(commits: 30)
        // What a power cut leaves of a commit that was under way: frames that do not continue the chain of checksums.
        let name = "events.db-wal"
        let size = try torn.size(name)
        let frames = try Data(contentsOf: URL(fileURLWithPath: torn.file(name))).suffix(Self.frameSize * 2)
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: torn.file(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: frames.prefix(bytes))
        try handle.close()
        #expect(try torn.size(name) == size + bytes)
        let again = try SQLiteEventLog.open(folder: torn.path)
        #expect(again.head == LogPosition(offsets: [31]))
        #expect(try again.readAll(from: again.beginning).count == 30)
    }

    @Test("a bit flipped in the write-ahead log is named with its range, and the files are copied aside once")
    func flippedBit() async throws {
        let image = try await killed(commits: 60)
        let frames = (try image.size("events.db-wal") - 32) / Self.frameSize
        try image.flip("events.db-wal", byte: 32 + frames / 2 * Self.frameSize + 2000)
        let before = try Data(contentsOf: URL(fileURLWithPath: image.file("events.db-wal")))
        let error = try refusal(image)
        #expect(error.code == .damaged)
        #expect(error.message.contains("its write-ahead log is damaged at frame \(frames / 2)"))
        let match = try #require(try /the records (\d+) to 60 are lost/.firstMatch(in: error.message))
        let first = try #require(Int64(match.1))
        #expect(first > 10 && first < 50)
        #expect(try Data(contentsOf: URL(fileURLWithPath: image.file("events.db-wal"))) == before, "left as it is")
        _ = try refusal(image)
        let copies = try FileManager.default.contentsOfDirectory(atPath: image.file("quarantine"))
        #expect(copies.count == 1)
        #expect(error.message.contains("\(image.path)/quarantine/\(copies[0])"))
        let copy = image.file("quarantine/\(copies[0])/events.db-wal")
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == before)

        let log = try accepting(image)
        #expect(log.head == LogPosition(offsets: [61]), "what was lost is not given again")
        let kept = try log.readAll(from: log.beginning)
        #expect(kept.map(\.place.offset) == Array(1..<first))
        #expect(log.statistics().lost == 61 - first)
        #expect(log.count(from: log.beginning, to: log.head) == 60, "what was lost is accounted for")
        #expect(log.statistics().accepted == 60)
        let outcomes = try await log.append([record(0), record(59)])
        #expect(outcomes == [.duplicate, .appended(RecordPlace(partition: 0, offset: 61))])
        #expect(try log.readAll(from: log.beginning).last?.id == EventID(number: 59))
        log.close()
        try SQLiteEventLog.open(folder: image.path).close()
    }

    @Test("a bit flipped anywhere in the write-ahead log is never passed over in silence")
    func sweep() async throws {
        let image = try await killed(commits: 12)
        let size = try image.size("events.db-wal")
        for byte in stride(from: 0, to: size, by: 7919) {
            let copy = try image.crashImage()
            try copy.flip("events.db-wal", byte: byte, bit: UInt8(byte % 8))
            do {
                let log = try SQLiteEventLog.open(folder: copy.path)
                #expect(try log.readAll(from: log.beginning).count == 12, "a flip at \(byte) lost something")
                log.close()
            } catch let error as LogOpenError {
                #expect(error.code == .damaged)
            }
        }
    }

    @Test("a log cut short is noticed by the mark beside it", arguments: [0.0, 0.3, 0.9])
    func truncated(part: Double) async throws {
        let image = try await killed(commits: 40)
        try image.truncate("events.db-wal", to: Int(Double(image.size("events.db-wal")) * part))
        let error = try refusal(image)
        #expect(error.code == .damaged)
        #expect(error.message.contains("to 40 are lost"))
        let log = try accepting(image)
        #expect(log.head == LogPosition(offsets: [41]))
    }

    @Test("a missing file is noticed")
    func missing() async throws {
        let image = try await killed(commits: 5)
        for name in ["events.db", "events.db-wal"] { try FileManager.default.removeItem(atPath: image.file(name)) }
        let error = try refusal(image)
        #expect(error.message.contains("the file is missing"))
        let log = try accepting(image)
        #expect(log.head == LogPosition(offsets: [6]))
        #expect(try log.readAll(from: log.beginning).isEmpty)
        #expect(log.statistics().lost == 5)
    }

    @Test("a position somebody holds beyond the end is damage")
    func expectedHead() async throws {
        let image = try await killed(commits: 5)
        try FileManager.default.removeItem(atPath: image.file("head"))
        var options = EventLogOptions()
        options.expectedHead = LogPosition(offsets: [6])
        try SQLiteEventLog.open(folder: image.path, options: options).close()
        try FileManager.default.removeItem(atPath: image.file("head"))
        options.expectedHead = LogPosition(offsets: [9])
        let error = #expect(throws: LogOpenError.self) { try SQLiteEventLog.open(folder: image.path, options: options) }
        #expect(error?.message.contains("the records 6 to 8 are lost") == true)
    }

    @Test("a record that does not match its checksum is named when it is read, and never skipped")
    func recordChecksum() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append((0..<500).map { record($0, payload: "the payload of number \($0).") })
        log.close()
        try runSQL("UPDATE events SET payload = 'The' || substr(payload, 4) WHERE seq = 201", folder)
        let again = try SQLiteEventLog.open(folder: folder.path)
        let batch = try again.read(from: LogPosition(offsets: [190]), maximumRecords: 100, maximumBytes: .max)
        #expect(batch.records.map(\.place.offset) == Array(190...200), "what is sound before it is given first")
        for _ in 0..<2 {
            let failure = #expect(throws: LogFailure.self) {
                try again.read(from: batch.next, maximumRecords: 100, maximumBytes: .max)
            }
            #expect(failure == LogFailure(.damaged, "the record 201 does not match its checksum"))
        }
        #expect(throws: LogFailure.self) { try again.lookup(EventID(number: 200)) }
        #expect(try await eventually { again.statistics().damage == ["the record 201 does not match its checksum"] })
        again.close()

        let accepted = try accepting(folder)
        #expect(try accepted.readAll(from: accepted.beginning).count == 499)
        #expect(accepted.count(from: accepted.beginning, to: accepted.head) == 500)
        #expect(accepted.statistics().accepted == 500)
        accepted.close()
        let healed = try SQLiteEventLog.open(folder: folder.path)
        #expect(try healed.readAll(from: healed.beginning).count == 499)
    }

    @Test("a record that is gone is named, and accepted only as a loss")
    func missingRecord() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append((0..<300).map { record($0) })
        log.close()
        try runSQL("DELETE FROM events WHERE seq BETWEEN 100 AND 109", folder)
        let again = try SQLiteEventLog.open(folder: folder.path)
        let failure = #expect(throws: LogFailure.self) {
            try again.read(from: LogPosition(offsets: [100]), maximumRecords: 100, maximumBytes: .max)
        }
        #expect(failure == LogFailure(.damaged, "the records 100 to 109 are missing"))
        again.close()
        try runSQL("DELETE FROM events WHERE seq = 300", folder)
        #expect(try refusal(folder).message.contains("the record 300 is lost: records are missing"))
        let accepted = try accepting(folder)
        #expect(accepted.statistics().lost == 11)
        #expect(try accepted.readAll(from: accepted.beginning).count == 289)
        #expect(accepted.head == LogPosition(offsets: [301]))
    }

    @Test("a broken page stops the start, and what can be read of the rest is written anew when loss is accepted")
    func brokenPage() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        _ = try await log.append(
            (0..<2000).map { record($0, visitor: "v\($0)", payload: String(repeating: "x", count: 500)) },
            quarantined: [quarantined(0, key: "q")])
        _ = try await log.append([record(3)])
        log.close()
        // A page of records, whatever else lies where in the file.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("events.db")))
        let payload = try #require(
            bytes.range(of: Data(repeating: UInt8(ascii: "x"), count: 400), in: bytes.count / 2..<bytes.count))
        let page = payload.lowerBound / LogFile.pageSize * LogFile.pageSize
        bytes.replaceSubrange(page..<page + LogFile.pageSize, with: Data(repeating: 0xFF, count: LogFile.pageSize))
        try bytes.write(to: URL(fileURLWithPath: folder.file("events.db")))
        let error = try refusal(folder)
        #expect(error.code == .damaged)
        let accepted = try accepting(folder)
        let records = try accepted.readAll(from: accepted.beginning)
        #expect(records.count > 1900)
        #expect(records.count < 2000)
        #expect(accepted.head == LogPosition(offsets: [2001]))
        #expect(accepted.statistics().lost == Int64(2000 - records.count))
        #expect(accepted.statistics().accepted == 2000)
        #expect(accepted.statistics().duplicates == 1)
        #expect(try accepted.quarantined(source: nil, sinceMs: nil, newest: 9).count == 1)
        #expect(try accepted.find(.visitorID(Array("v1".utf8))).count == 1)
        let present = Set(records.map(\.id))
        let outcomes = try await accepted.append((0..<2000).map { record($0) })
        #expect(outcomes.count(where: isDuplicate) == present.count)
        accepted.close()
        try SQLiteEventLog.open(folder: folder.path).close()
    }

    @Test("a file that is no database is refused, and given up only when loss is accepted")
    func noDatabase() async throws {
        let image = try await killed(commits: 5)
        try FileManager.default.removeItem(atPath: image.file("events.db-wal"))
        try Data(repeating: 0x41, count: 20_000).write(to: URL(fileURLWithPath: image.file("events.db")))
        #expect(try refusal(image).code == .damaged)
        let log = try accepting(image)
        #expect(log.head == LogPosition(offsets: [6]))
        #expect(try await log.append([record(0)]).map(isDuplicate) == [false])
    }
}
