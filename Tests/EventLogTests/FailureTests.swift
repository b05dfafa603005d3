import Events
import Foundation
import SQLite
import Testing
import Threads

@testable import EventLog

@Suite("The embedded log when the disk fails")
struct FailureTests {
    let folder = TemporaryFolder()

    /// A log whose commits fail with `error` while it is set.
    private func open(
        failing error: Box<SQLiteError?>, commits: Box<Int> = Box(0),
        _ change: (inout EventLogOptions) -> Void = { _ in }
    ) throws -> SQLiteEventLog {
        var options = EventLogOptions()
        options.beforeCommit = { () throws(SQLiteError) in
            commits.update { $0 += 1 }
            if let error = error.value { throw error }
        }
        change(&options)
        return try SQLiteEventLog.open(folder: folder.path, options: options)
    }

    private static let full = SQLiteError(code: .full, operation: "test", message: "database or disk is full")
    private static let syncFailed = SQLiteError(code: .inputOutput, operation: "test", message: "disk I/O error")

    @Test("a failed commit fails everybody in it, the repeats too, and nothing of it is counted or kept")
    func sharedFailure() async throws {
        let error = Box<SQLiteError?>(nil)
        let log = try open(failing: error)
        _ = try await log.append([record(0)])
        error.set(Self.full)
        let results = await withTaskGroup(of: Result<[AppendOutcome], any Error>.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    await Result {
                        try await log.append([record(1), record(0)], quarantined: [quarantined(0, key: "q")])
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for result in results {
            guard case .failure(let failure as LogFailure) = result else {
                Issue.record("answered although nothing was kept")
                continue
            }
            #expect(failure.code == .unavailable)
            #expect(failure.retryAfterSeconds > 0)
        }
        #expect(log.statistics().accepted == 1)
        #expect(log.statistics().duplicates == 0)
        #expect(log.statistics().quarantined == 0)
        #expect(log.statistics().unavailable != nil)
        #expect(try log.readAll(from: log.beginning).count == 1, "reading goes on")
        error.set(nil)
        #expect(try await eventually { log.statistics().unavailable == nil })
        #expect(try await log.append([record(1), record(0), record(1)]).map(isDuplicate) == [false, true, true])
        #expect(log.head == LogPosition(offsets: [3]), "a sequence that failed is given again")
    }

    @Test("while the disk is full appends are refused at once, and taken again without a restart")
    func diskFull() async throws {
        let log = try open(failing: Box(nil))
        _ = try await log.append([record(0)])
        try log.onWriter { (writer) throws(LogFailure) in
            do {
                try writer.withFile {
                    let pages = try $0.database.integer("PRAGMA page_count") ?? 0
                    try $0.database.execute("PRAGMA max_page_count = \(pages + 4)")
                }
            } catch {
                throw LogFailure(.unavailable, "\(error)")
            }
        }
        let large = String(repeating: "x", count: 8000)
        let failure = await #expect(throws: LogFailure.self) {
            for number in 1..<100 { _ = try await log.append([record(number, payload: large)]) }
        }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message == "the disk is full")
        let kept = log.head
        #expect(try log.readAll(from: log.beginning).count == Int(kept.offsets[0]) - 1)
        try log.onWriter { (writer) throws(LogFailure) in
            do {
                try writer.withFile { try $0.database.execute("PRAGMA max_page_count = 1000000") }
            } catch {
                throw LogFailure(.unavailable, "\(error)")
            }
        }
        #expect(try await eventually { log.statistics().unavailable == nil })
        let again = try await log.append((0..<100).map { record($0, payload: large) })
        #expect(again.count(where: isDuplicate) == Int(kept.offsets[0]) - 1)
        #expect(log.statistics().accepted == 100)
    }

    @Test("after an I/O error nothing is acknowledged until the database was opened anew")
    func inputOutputError() async throws {
        let error = Box<SQLiteError?>(nil)
        let commits = Box(0)
        let log = try open(failing: error, commits: commits)
        _ = try await log.append([record(0)])
        error.set(Self.syncFailed)
        let before = commits.value
        let answer = Box<(failure: LogFailure?, commits: Int)?>(nil)
        log.append(AppendBatch(records: [record(1)])) { result in
            if case .failure(let failure) = result { answer.set((failure, commits.value)) }
        }
        #expect(try await eventually { answer.value != nil })
        #expect(answer.value?.failure?.code == .unavailable)
        #expect(answer.value?.commits == before + 1, "a failed commit is not tried again")
        #expect(log.statistics().unavailable != nil)
        error.set(nil)
        #expect(try await eventually { log.statistics().unavailable == nil })
        #expect(try await log.append([record(0), record(1)]).map(isDuplicate) == [true, false])
        #expect(log.statistics().accepted == 2)
        #expect(log.statistics().duplicates == 1)
        #expect(try log.readAll(from: log.beginning).map(\.id) == [EventID(number: 0), EventID(number: 1)])
    }

    @Test("a batch that fails midway leaves what was committed, which its repeat finds")
    func largeBatch() async throws {
        let error = Box<SQLiteError?>(nil)
        let commits = Box(0)
        var options = EventLogOptions()
        options.beforeCommit = { () throws(SQLiteError) in
            if commits.update({
                $0 += 1; return $0
            }) == 4 {
                throw Self.full
            }
        }
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        let batch = (0..<5000).map { record($0) }
        await #expect(throws: LogFailure.self) { try await log.append(batch) }
        let kept = log.count(from: log.beginning, to: log.head)
        #expect(kept > 0)
        #expect(kept < 5000)
        #expect(try await eventually { log.statistics().unavailable == nil })
        let outcomes = try await log.append(batch)
        #expect(outcomes.count(where: isDuplicate) == Int(kept))
        #expect(log.count(from: log.beginning, to: log.head) == 5000)
        #expect(error.value == nil)
    }

    @Test("more than may wait is refused at once, and never grows the queue")
    func queueBound() async throws {
        let held = DispatchSemaphore(value: 0)
        var options = EventLogOptions()
        options.queuedRecords = 100
        options.queuedBytes = 4000
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        let isHeld = Box(false)
        let blocked = Thread.indispensable(name: "blocked") {
            try? log.onWriter { _ in
                isHeld.set(true)
                held.wait()
            }
        }
        #expect(try await eventually { isHeld.value })
        let answers = Box<[Result<[AppendOutcome], LogFailure>]>([])
        for number in 0..<150 {
            log.append(AppendBatch(records: [record(number, payload: "x")])) { result in
                answers.update { $0.append(result) }
            }
        }
        #expect(answers.value.count == 50)
        #expect(answers.value.allSatisfy { (try? $0.get()) == nil })
        #expect(log.statistics().queuedBatches == 100)
        held.signal()
        blocked.join()
        #expect(try await eventually { answers.value.count == 150 })
        #expect(log.head == LogPosition(offsets: [101]))
        let tooLarge = String(repeating: "x", count: 200 << 20)
        let failure = await #expect(throws: LogFailure.self) { try await log.append([record(999, payload: tooLarge)]) }
        #expect(failure?.code == .tooLarge)
    }

    @Test("readers that never stop do not let the write-ahead log grow without end")
    func walBound() async throws {
        let log = try SQLiteEventLog.open(folder: folder.path)
        let isDone = Box(false)
        let readers = (0..<3).map { _ in
            Thread.indispensable(name: "reader") {
                while !isDone.value {
                    _ = try? log.read(from: log.beginning, maximumRecords: 1000, maximumBytes: 1 << 20)
                }
            }
        }
        let payload = String(repeating: "x", count: 4000)
        for start in stride(from: 0, to: 26_000, by: 500) {
            _ = try await log.append((start..<start + 500).map { record($0, payload: payload) })
        }
        isDone.set(true)
        for reader in readers { reader.join() }
        #expect(try folder.size("events.db-wal") < 80 << 20)
        #expect(log.head == LogPosition(offsets: [26_001]))
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
