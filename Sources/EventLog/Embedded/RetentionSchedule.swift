internal import Logging
internal import SQLite

/// Removes what is finished and too old, or finished and in the way; at most 1 000 records a commit.
struct RetentionSchedule {
    enum Verdict: Equatable {
        case idle
        /// There is more to remove.
        case more
        /// The space is used up and nothing may be removed.
        case full
    }

    private let options: EventLogOptions
    private(set) var usedBytes: Int64 = 0
    /// Of the monotonic clock.
    private var nextAgeCheck: Int64 = 0
    private var nextWarning: Int64 = 0
    private var hasMore = false

    init(options: EventLogOptions) {
        self.options = options
    }

    /// Whether `step` has something to do. Ages are looked at once a second, or while there is more to remove.
    mutating func isDue(
        _ file: LogFile, nowMs: Int64, lowestUnfinished: (@Sendable () -> LogPosition)?
    ) throws(SQLiteError) -> Bool {
        usedBytes = try file.usedBytes()
        if usedBytes > options.maximumBytes || hasMore { return true }
        let now = options.clock()
        guard now >= nextAgeCheck else { return false }
        nextAgeCheck = now + 1_000_000_000
        guard let limit = lowestUnfinished?().offsets[0] else { return false }
        warn(file, limit)
        let cut = cut(nowMs)
        if let oldest = try file.oldestReceivedMs(), oldest < cut, limit > file.beginning { return true }
        return try file.oldestQuarantinedMs().map { $0 < cut } ?? false
    }

    /// Inside an open transaction.
    mutating func step(
        _ file: LogFile, nowMs: Int64, lowestUnfinished: (@Sendable () -> LogPosition)?
    ) throws(SQLiteError) -> Verdict {
        hasMore = false
        guard let limit = lowestUnfinished?().offsets[0] else {
            return usedBytes > options.maximumBytes ? .full : .idle
        }
        if usedBytes > options.maximumBytes {
            warn(file, limit)
            return try file.removeOldest(below: limit, cutMs: 0, regardlessOfAge: true) > 0 ? .more : .full
        }
        let removed = try file.removeOldest(below: limit, cutMs: cut(nowMs), regardlessOfAge: false)
        let removedQuarantined = try file.removeQuarantined(beforeMs: cut(nowMs))
        hasMore = removed == LogFile.removalsPerCommit || removedQuarantined == LogFile.removalsPerCommit
        return hasMore ? .more : .idle
    }

    private func cut(_ nowMs: Int64) -> Int64 { nowMs - min(options.maximumAgeMs, nowMs) }

    /// Outside a transaction: whether appending would fail.
    func isFull(_ file: LogFile, lowestUnfinished: (@Sendable () -> LogPosition)?) -> Bool {
        guard let used = try? file.usedBytes(), used > options.maximumBytes else { return false }
        return (lowestUnfinished?().offsets[0] ?? 0) <= file.beginning
    }

    /// From 80 % on, once a minute.
    private mutating func warn(_ file: LogFile, _ limit: Int64) {
        let kept = file.next - file.beginning
        let now = options.clock()
        guard kept > 0, now >= nextWarning else { return }
        let unfinished = Double(usedBytes) * Double(file.next - max(limit, file.beginning)) / Double(kept)
        guard unfinished >= 0.8 * Double(options.maximumBytes) else { return }
        nextWarning = now + 60_000_000_000
        options.logger.warning(
            "log_nearly_full", "unfinished events take most of `retention.size`; at its end events are refused",
            ["bytes": .integer(Int64(unfinished)), "of": .integer(options.maximumBytes)])
    }
}
