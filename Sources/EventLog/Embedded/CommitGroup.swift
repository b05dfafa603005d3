internal import SQLite

/// The batches of one commit: at most 512 rows, or 2 ms from its begin.
struct CommitGroup {
    static let maximumRows = 512
    static let maximumNanoseconds: Int64 = 2_000_000
    /// Of the rows, kept for a large batch that waits.
    private static let rowsForLarge = 128
    /// The clock is looked at once so many rows.
    private static let rowsPerLook = 16

    /// Whatever was begun. Only the last may be incomplete; it is a large one, and goes on in a later commit.
    private(set) var batches: [PendingBatch] = []

    /// Writes what waits, inside an open transaction, until the bounds are reached.
    /// - Parameter clock: nanoseconds that only grow; `started` is its time of the begin.
    mutating func fill(
        from backlog: inout Backlog, into file: LogFile, started: Int64, clock: @Sendable () -> Int64
    ) throws(SQLiteError) {
        let deadline = started + Self.maximumNanoseconds
        let smallRows = Self.maximumRows - (backlog.hasLarge ? Self.rowsForLarge : 0)
        var rows = 0
        // What is urgent goes first, even when the commit's begin has taken all the time.
        while rows < smallRows, backlog.hasUrgent || clock() < deadline,
            let batch = backlog.nextSmall(ofAtMost: smallRows - rows)
        {
            rows += batch.size
            batches.append(batch)
            try Self.write(&batches[batches.count - 1], file, atMost: batch.size, until: .max, clock)
        }
        guard let batch = backlog.nextLarge() else { return }
        batches.append(batch)
        try Self.write(&batches[batches.count - 1], file, atMost: Self.maximumRows - rows, until: deadline, clock)
    }

    private static func write(
        _ pending: inout PendingBatch, _ file: LogFile, atMost limit: Int, until deadline: Int64,
        _ clock: @Sendable () -> Int64
    ) throws(SQLiteError) {
        for written in 0..<limit {
            if written % rowsPerLook == rowsPerLook - 1, clock() > deadline { return }
            let index = pending.outcomes.count
            if index < pending.batch.records.count {
                pending.outcomes.append(try file.append(pending.batch.records[index], pending.digests[index]))
            } else if pending.quarantined < pending.batch.quarantined.count {
                try file.quarantine(pending.batch.quarantined[pending.quarantined])
                pending.quarantined += 1
            } else {
                return
            }
        }
    }

    /// After the commit: what is to be answered, and what goes on.
    var divided: (complete: [PendingBatch], rest: PendingBatch?) {
        guard let last = batches.last, !last.isComplete else { return (batches, nil) }
        return (Array(batches.dropLast()), last)
    }
}
