internal import SQLite

/// Compares an open log with what it must hold.
struct LogInspection {
    private let file: LogFile
    private let expectedNext: Int64
    private let files: any LogFileSystem

    /// SQLite's own check reads every page: at most this much of a file is checked so before the start.
    private static let quickCheckBytes: Int64 = 16 << 20
    /// Records looked at from either end.
    private static let sample: Int64 = 64

    init(file: LogFile, expectedNext: Int64, files: any LogFileSystem) {
        self.file = file
        self.expectedNext = expectedNext
        self.files = files
    }

    /// - Parameter everyRecord: reads the whole log; else its ends, in a few milliseconds.
    func damage(everyRecord: Bool) throws -> [LogDamage] {
        var found: [LogDamage] = []
        if everyRecord ? true : try file.usedBytes() <= Self.quickCheckBytes,
            let verdict = try quickCheck(distrustingReads: !everyRecord)
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

    /// What SQLite's check finds wrong; nil when it finds nothing. It tells of a read that failed in the words it has for
    /// damage, so it is asked again, and what it says counts once the whole file could be read.
    private func quickCheck(distrustingReads: Bool) throws -> String? {
        for round in 1...3 {
            guard let verdict = try file.database.text("PRAGMA quick_check(1)"), verdict != "ok" else { return nil }
            if !distrustingReads || round == 3 { return verdict }
            try readWhole(file.database.path)
        }
        return nil
    }

    private func readWhole(_ path: String) throws {
        guard let handle = try files.open(path, creating: false) else { return }
        var page = [UInt8](repeating: 0, count: LogFile.pageSize)
        var offset = 0
        while true {
            guard let count = unsafe page.withUnsafeMutableBytes({ unsafe handle.read(into: $0, at: offset) }) else {
                throw SQLiteError(code: .inputOutput, operation: "quick_check", message: handle.failure)
            }
            if count == 0 { return }
            offset += count
        }
    }

    /// Records that are missing or do not match their checksum, as ranges.
    private func unsound(in range: Range<Int64>) throws -> [LogDamage] {
        let bounds = LogState.Bounds(beginning: file.beginning, next: file.next, losses: file.losses)
        let connection = try LogConnection(path: file.database.path, vfs: files.vfs)
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
