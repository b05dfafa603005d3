import Testing

/// One way in which a disk fails, at one of the program's files.
struct DiskFault: Sendable, CustomTestStringConvertible {
    /// A rule for `Faults`.
    var rule: String
    /// Whether senders are answered 503 meanwhile.
    var refuses = false
    /// The log events that tell of it, and that it is over.
    var told: String?
    var over: String?

    /// Whether it strikes a few times only, rather than until it is taken away.
    var passes: Bool { rule.contains("times=") }

    var testDescription: String { rule }

    /// At the log.
    static let log = [
        "sync events.db-wal EIO times=1", "sync events.db-wal EIO", "write events.db-wal EIO times=1",
        "write events.db-wal EIO after=3", "write events.db-wal ENOSPC", "write events.db* ENOSPC room=50000",
        "sync events.db* EIO times=3",
    ].map { DiskFault(rule: $0, refuses: true) }

    /// At the state file: what was delivered lately may be delivered again.
    static let state =
        [
            "sync state.db-wal EIO times=1", "write state.db-wal EIO times=1", "write state.db-wal EIO",
            "write state.db* EIO after=5",
        ].map { DiskFault(rule: $0, told: "state_unavailable", over: "state_restored") }
        + [DiskFault(rule: "write state.db* ENOSPC", told: "state_unavailable", over: "state_written")]

    /// At what a target writes, and at what is only looked at: nobody else notices.
    static let beside = [
        "write archive.ndjson ENOSPC", "write archive.ndjson EIO times=2", "sync archive.ndjson EIO times=2",
        "write head EIO",
    ].map { DiskFault(rule: $0) }
}
