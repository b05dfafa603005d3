internal import SQLite

/// Compares an open log with what it must hold.
struct LogInspection {
    private let file: LogFile
    private let expectedNext: Int64

    /// SQLite's own check reads every page: at most this much of a file is checked so before the start.
    private static let quickCheckBytes: Int64 = 16 << 20
    /// Records looked at from either end.
    private static let sample: Int64 = 64

    init(file: LogFile, expectedNext: Int64) {
        self.file = file
        self.expectedNext = expectedNext
    }

    /// - Parameter everyRecord: reads the whole log; else its ends, in a few milliseconds.
    func damage(everyRecord: Bool) throws -> [LogDamage] {
        var found: [LogDamage] = []
        if everyRecord ? true : try file.usedBytes() <= Self.quickCheckBytes,
            let verdict = try file.database.text("PRAGMA quick_check(1)"), verdict != "ok"
        {
            return [LogDamage(reason: "SQLite's check says: \(verdict)", isStructural: true)]
        }
        if let last = try file.database.integer("SELECT max(seq) FROM events"), last >= file.next {
            return [LogDamage(reason: "it holds records beyond its own end", isStructural: true)]
        }
        if everyRecord {
            found += try unsound(in: file.beginning..<file.next)
        } else {
            let tail = max(file.beginning, file.next - Self.sample)
            found += try unsound(in: file.beginning..<min(file.beginning + Self.sample, tail))
            found += try unsound(in: tail..<file.next)
        }
        if file.next < expectedNext {
            found.append(
                LogDamage(
                    range: file.next..<expectedNext,
                    reason: "the log ends before what it has already given out"))
        }
        return found
    }

    /// Records that are missing or do not match their checksum, as ranges.
    private func unsound(in range: Range<Int64>) throws -> [LogDamage] {
        let bounds = LogState.Bounds(beginning: file.beginning, next: file.next, losses: file.losses)
        let connection = try LogConnection(path: file.database.path)
        var found: [LogDamage] = []
        var expected = range.lowerBound
        func reach(_ sequence: Int64) {
            if expected < sequence, !bounds.areLost(expected..<sequence) {
                found.append(LogDamage(range: expected..<sequence, reason: "records are missing"))
            }
            expected = sequence
        }
        while expected < range.upperBound {
            let stop = try connection.forEachRecord(
                from: expected, below: range.upperBound, maximumRows: LogConnection.maximumRows,
                maximumBytes: LogConnection.maximumBytes
            ) { record in
                reach(record.place.offset)
                expected += 1
                return true
            }
            switch stop {
            case .limit: break
            case .end: reach(range.upperBound)
            case .damaged(let sequence, let reason):
                reach(sequence)
                found.append(LogDamage(range: sequence..<sequence + 1, reason: "a record \(reason)"))
                expected = sequence + 1
            }
        }
        return found
    }
}
