internal import EventLog
internal import SQLite

extension DeliveryStore {
    /// Removes at most 1000 rows of finished deliveries before a position.
    /// - Returns: whether there may be more.
    func trimHistory(before position: LogPosition) throws -> Bool {
        try withWriter { writer in
            try writer.transaction {
                var removed = 0
                for (part, offset) in position.offsets.enumerated() {
                    try writer.database.execute(
                        """
                        DELETE FROM deliveries WHERE (part, offset, target) IN (SELECT part, offset, target FROM deliveries
                        WHERE part = ? AND offset < ? AND state != ? LIMIT ?)
                        """,
                        [
                            .integer(part), .integer(offset), .integer(DeliveryState.pending.rawValue),
                            .integer(Self.pageSize - removed),
                        ])
                    removed += writer.database.changes
                }
                if removed > 0 {
                    try writer.database.execute(
                        "INSERT OR REPLACE INTO meta (key, value) VALUES ('history_trimmed', ?)",
                        [.text(position.description)])
                    try writer.database.execute("PRAGMA incremental_vacuum(200)")
                }
                return removed >= Self.pageSize
            }
        }
    }

    /// Removes at most 1000 dead letters older than a moment of the wall clock. They stay counted.
    /// - Returns: whether there may be more.
    func trimDeadLetters(beforeMs: Int64) throws -> Bool {
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute(
                    "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE at < ? LIMIT ?)",
                    [.integer(beforeMs), .integer(Self.pageSize)])
                return writer.database.changes >= Self.pageSize
            }
        }
    }
}
