/// When what has changed is written: soon, so that a kill repeats little, and together, so that it costs little.
struct CommitSchedule {
    /// A change waits at most so long, and at most until so many have come together.
    static let delayMs: Int64 = 5
    static let batch = 256
    /// How long refusals wait for each other.
    static let refusalDelayMs: Int64 = 200
    /// A power cut may take commits of at most so long ago; retention waits for that.
    static let durableDelayMs: Int64 = 10_000
    static let retryDelayMs: Int64 = 1000

    /// Since when there is something to write.
    var dirtySinceMs: Int64?
    var refusedSinceMs: Int64?
    /// Since when something written may not be on the disk yet.
    var undurableSinceMs: Int64?
    /// After a failure: when to try again.
    var blockedUntilMs: Int64 = 0

    func dueMs(_ now: Moment) -> Int64? {
        let dues = [
            dirtySinceMs.map { $0 + Self.delayMs }, refusedSinceMs.map { $0 + Self.refusalDelayMs },
            undurableSinceMs.map { $0 + Self.durableDelayMs },
        ]
        return dues.compactMap(\.self).min().map { max($0, blockedUntilMs) }
    }
}

/// When what grows old is looked at.
struct HousekeepingSchedule {
    static let intervalMs: Int64 = 30_000
    /// While there is more to remove than one step takes.
    static let busyIntervalMs: Int64 = 50

    var dueMs: Int64? = 0

    func isDue(_ now: Moment) -> Bool { dueMs.map { $0 <= now.monotonicMs } ?? false }
}
