internal import Events
package import Logging
internal import SQLite

/// What the embedded log is asked to keep, and its bounds.
package struct EventLogOptions: Sendable {
    /// Finished records older than this are removed.
    package var maximumAge: Duration = .seconds(30 * 86_400)
    /// Of used pages in `events.db`. Beyond it the oldest finished records are removed; when there are none, appending
    /// fails with `full`.
    package var maximumBytes: Int64 = 20 << 30
    /// How long a removed event's id is remembered, to the day.
    package var dedupeWindow: Duration = .seconds(7 * 86_400)
    /// What may wait for the writer; beyond it appending fails with `unavailable`. One larger batch is taken when
    /// nothing else waits.
    package var queuedRecords = 16_384
    package var queuedBytes = 8 << 20
    /// One batch, alone.
    package var batchBytes = 128 << 20
    /// Opens a damaged log with what is left of it; the damaged files stay in `<folder>/quarantine`.
    package var acceptLoss = false
    /// A position that was given out earlier, such as the furthest cursor: a head below it is damage.
    package var expectedHead: LogPosition?
    package var logger = Logger { _ in }
    /// The wall clock, milliseconds since 1970 UTC.
    package var now: @Sendable () -> Int64 = { Timestamp.now().milliseconds }
    /// A clock that only goes forward, in nanoseconds.
    package var clock: @Sendable () -> Int64 = { monotonicNanoseconds() }
    package var files: any LogFileSystem = SystemFileSystem()
    /// Ids kept in memory until they become a run; at most the default.
    package var recentIDs = RecentIDs.capacity
    /// Frames in the write-ahead log from which it is copied back, and from which readers pause until it begins again.
    package var checkpointFrames = CheckpointSchedule.passiveFrames
    package var restartFrames = CheckpointSchedule.restartFrames

    /// Called on the writer's thread before each commit, so that a test can make it fail.
    var beforeCommit: (@Sendable () throws(SQLiteError) -> Void)?

    /// Off, so that a test finds all of its commits in the write-ahead log.
    var checkpointsWhenIdle = true

    package init() {}

    var maximumAgeMs: Int64 { maximumAge.wholeMilliseconds }
    var dedupeWindowMs: Int64 { dedupeWindow.wholeMilliseconds }
}

extension Duration {
    /// Saturates beyond 290 million years.
    var wholeMilliseconds: Int64 {
        let (product, overflow) = components.seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product + components.attoseconds / 1_000_000_000_000_000
    }
}
