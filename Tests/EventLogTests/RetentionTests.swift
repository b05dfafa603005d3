import Events
import Foundation
import Testing

@testable import EventLog

@Suite("Retention in the embedded log")
struct RetentionTests {
    let folder = TemporaryFolder()
    let clock = ManualClock()

    private func open(_ change: (inout EventLogOptions) -> Void) throws -> SQLiteEventLog {
        var options = EventLogOptions()
        options.now = { [clock] in clock.now }
        change(&options)
        return try SQLiteEventLog.open(folder: folder.path, options: options)
    }

    @Test("removes what is finished and old, and nothing that is unfinished")
    func age() async throws {
        let log = try open { $0.maximumAge = .seconds(600) }
        _ = try await log.append(
            (0..<3500).map { record($0, receivedAtMs: clock.now) }, quarantined: [quarantined(0, key: "q")])
        let floor = Box(log.beginning)
        log.retain { floor.value }
        clock.advance(.seconds(300))
        _ = try await log.append((3500..<3600).map { record($0, receivedAtMs: clock.now) })
        clock.advance(.seconds(301))
        try await Task.sleep(for: .milliseconds(1200))
        #expect(log.beginning == LogPosition(offsets: [1]), "nothing is finished")
        floor.set(LogPosition(offsets: [2001]))
        #expect(try await eventually { log.beginning == LogPosition(offsets: [2001]) })
        #expect(try await eventually { try log.quarantined(source: nil, sinceMs: nil, newest: 9).isEmpty })
        let failure = #expect(throws: LogFailure.self) {
            try log.read(from: LogPosition(offsets: [1]), maximumRecords: 1, maximumBytes: 1)
        }
        #expect(failure == LogFailure(.expired, "the records 1 to 2000 were removed by retention"))
        floor.set(log.head)
        #expect(try await eventually { log.beginning == LogPosition(offsets: [3501]) })
        #expect(try log.readAll(from: log.beginning).count == 100)
        #expect(try log.lookup(EventID(number: 0)) == nil)
        #expect(log.statistics().accepted == 3600)
        #expect(log.count(from: log.beginning, to: log.head) == 100)
    }

    @Test("at its size the oldest finished records give way; unfinished ones have the intake refused")
    func size() async throws {
        let log = try open { $0.maximumBytes = 4 << 20 }
        let floor = Box(log.beginning)
        log.retain { floor.value }
        let payload = String(repeating: "x", count: 4000)
        var number = 0
        let failure = await #expect(throws: LogFailure.self) {
            while number < 3000 {
                _ = try await log.append((number..<number + 50).map { record($0, payload: payload) })
                number += 50
            }
        }
        #expect(failure?.code == .full)
        #expect(number > 800)
        #expect(log.beginning == LogPosition(offsets: [1]))
        #expect(try log.readAll(from: log.beginning).count == number)
        #expect(log.statistics().unavailable?.code == .full)
        floor.set(log.head)
        #expect(try await eventually { log.statistics().unavailable == nil })
        for start in stride(from: number, to: number + 3000, by: 50) {
            _ = try await log.append((start..<start + 50).map { record($0, payload: payload) })
            floor.set(log.head)
        }
        #expect(log.statistics().bytes < 6 << 20)
        #expect(log.beginning.offsets[0] > 1)
        #expect(try log.readAll(from: log.beginning).count == Int(log.count(from: log.beginning, to: log.head)))
        #expect(try folder.size("events.db") < 8 << 20)
    }

    @Test("space that was freed goes back to the file system")
    func givingBack() async throws {
        let log = try open { $0.maximumAge = .seconds(60) }
        let payload = String(repeating: "x", count: 8000)
        for start in stride(from: 0, to: 4000, by: 200) {
            _ = try await log.append(
                (start..<start + 200).map { record($0, receivedAtMs: clock.now, payload: payload) })
        }
        let head = log.head
        log.retain { head }
        clock.advance(.seconds(100))
        #expect(try await eventually { log.beginning == log.head })
        #expect(try await eventually { try folder.size("events.db") < 16 << 20 })
        #expect(try await log.append([record(9999)]).map(isDuplicate) == [false])
    }

    @Test("an id is known as long as its event is in the log, and for the window at least; then it is new again")
    func window() async throws {
        let log = try open {
            $0.maximumAge = .seconds(3 * 86_400)
            $0.dedupeWindow = .seconds(86_400)
        }
        let floor = Box(log.beginning)
        log.retain { floor.value }
        _ = try await log.append([record(1, receivedAtMs: clock.now)])
        clock.advance(.seconds(2 * 86_400))
        _ = try await log.append([record(2, receivedAtMs: clock.now)])
        #expect(try await log.append([record(1)]) == [.duplicate], "beyond the window, but in the log")
        floor.set(log.head)
        clock.advance(.seconds(86_400 + 3600))
        #expect(try await eventually { log.beginning == LogPosition(offsets: [2]) })
        let isNew = try await eventuallyNew(log, record(1, receivedAtMs: clock.now))
        #expect(isNew, "beyond the window, and no longer in the log")
        #expect(try await log.append([record(2)]) == [.duplicate])
    }

    /// Appends until the record is not a repeat any more.
    private func eventuallyNew(_ log: SQLiteEventLog, _ record: NewRecord) async throws -> Bool {
        for _ in 0..<1000 {
            if try await log.append([record]) != [.duplicate] { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}
