import EventLog
import Events
import Rules
import Synchronization
import Testing

@testable import Delivery

@Suite("A rehearsal of a replay, with a log that is far away") struct RehearsalTests {
    private func rehearse(_ log: HesitantLog) throws -> ReplayRehearsal {
        let plan = try rulePlan("routes:\n  - {name: all, to: [crm]}\n", targets: ["crm"])
        let range = ReplayRange(start: log.beginning, end: log.head)
        let rehearsed = RehearsedReplay(
            request: ReplayRequest(target: "crm", sinceMs: 0), plan: plan, range: range, unfinished: [], decode: nil)
        return try rehearsed.piece(log, limit: 10)
    }

    @Test("goes on to the end although the log has nothing at hand for a moment")
    func hesitant() throws {
        let found = try rehearse(HesitantLog(count: 1200, hesitations: 3))
        #expect(found.taken == 1200 && found.next == nil)
    }

    @Test("leaves out what the log holds twice, as the replay does, and says so")
    func repeats() throws {
        let found = try rehearse(HesitantLog(count: 100, repeats: [7, 8]))
        #expect(found.events == 100 && found.taken == 98)
        #expect(found.reasons == ["the log holds the event twice": 2])
    }
}

/// A log of one partition that is asked some times in vain before each piece.
private final class HesitantLog: LogReader {
    let head: LogPosition
    let beginning = LogPosition(offsets: [0])
    private let hesitations: Int
    private let repeats: Set<Int64>
    private let asked = Mutex(0)

    init(count: Int64, hesitations: Int = 0, repeats: Set<Int64> = []) {
        head = LogPosition(offsets: [count])
        self.hesitations = hesitations
        self.repeats = repeats
    }

    func read(from position: LogPosition, maximumRecords: Int, maximumBytes: Int) throws(LogFailure) -> LogBatch {
        let answers = asked.withLock { asked in
            asked = asked < hesitations ? asked + 1 : 0
            return asked == 0
        }
        let first = position.offsets[0]
        let end = min(head.offsets[0], first + Int64(maximumRecords))
        guard answers, first >= 0, first < end else { return LogBatch(records: [], next: position) }
        let records = (first..<end).map { offset in
            let new = newRecord(UInt64(offset))
            return LogRecord(
                place: RecordPlace(partition: 0, offset: offset), id: new.id, type: new.type,
                receivedAtMs: new.receivedAtMs, source: new.source, payload: new.payload,
                isRepeat: repeats.contains(offset))
        }
        return LogBatch(records: records, next: LogPosition(offsets: [end]))
    }

    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { beginning }
    func count(from: LogPosition, to: LogPosition) -> Int64 { to.offsets[0] - from.offsets[0] }
}
