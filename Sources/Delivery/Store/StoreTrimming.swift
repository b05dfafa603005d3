internal import EventLog
internal import SQLite

extension DeliveryStore {
    /// Rows looked at by one step.
    private static let trimmingStep = 4 * pageSize

    /// Removes at most 1000 rows of finished deliveries of events before a position. Steps go round: what has to stay is
    /// looked at again only when all the rest was.
    /// - Parameter endedBeforeMs: the wall clock; what happened to an event later stays.
    /// - Returns: whether there may be more.
    func trimHistory(before position: LogPosition, endedBeforeMs: Int64 = Int64.max) throws -> Bool {
        try withWriter { writer in
            try writer.transaction {
                var removed = 0
                var hasMore = false
                for (part, end) in position.offsets.enumerated() where removed < Self.pageSize {
                    let step = try Self.trim(
                        writer, part, before: end, endedBeforeMs: endedBeforeMs, limit: Self.pageSize - removed)
                    removed += step.removed
                    hasMore = hasMore || step.hasMore && step.removed > 0
                }
                if removed > 0 {
                    try writer.database.execute(
                        "INSERT OR REPLACE INTO meta (key, value) VALUES ('history_trimmed', ?)",
                        [.text(position.description)])
                    try writer.database.execute("PRAGMA incremental_vacuum(200)")
                }
                return hasMore || removed >= Self.pageSize
            }
        }
    }

    private static func trim(
        _ writer: StoreWriter, _ part: Int, before end: Int64, endedBeforeMs: Int64, limit: Int
    ) throws -> (removed: Int, hasMore: Bool) {
        let database = writer.database
        let start = writer.trimmed[part] ?? 0
        let last = try database.integer(
            """
            SELECT offset FROM deliveries WHERE part = ? AND offset >= ? AND offset < ? ORDER BY offset LIMIT 1 OFFSET ?
            """, [.integer(part), .integer(start), .integer(end), .integer(trimmingStep)])
        try database.execute(
            """
            DELETE FROM deliveries WHERE (part, offset, target) IN (SELECT part, offset, target FROM deliveries
            WHERE part = ? AND offset >= ? AND offset < ? AND state != ? AND at < ? LIMIT ?)
            """,
            [
                .integer(part), .integer(start), .integer(last.map { $0 + 1 } ?? end),
                .integer(DeliveryState.pending.rawValue), .integer(endedBeforeMs), .integer(limit),
            ])
        let removed = database.changes
        if removed < limit { writer.trimmed[part] = last }
        return (removed, last != nil)
    }

    /// Removes a part of what history keeps beside the rows of deliveries: earlier attempts, answers, bodies, batches and
    /// configurations older than a moment of the wall clock.
    /// - Parameter versions: the hashes of the configurations in use.
    /// - Returns: whether there may be more.
    func trimAttempts(beforeMs: Int64, versions: Set<String>, nowMs: Int64) throws -> Bool {
        try withWriter { writer in
            try writer.transaction {
                let database = writer.database
                var hasMore = false
                // Their numbers grow with time, roughly: the first that is too young ends the step.
                for (table, age) in [("attempts", 0), ("batches", 0), ("answers", AnswerTable.lifetimeMs)] {
                    try database.execute(
                        "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) ORDER BY id LIMIT ?) AND at < ?",
                        [.integer(Self.pageSize), .integer(beforeMs - age)])
                    hasMore = hasMore || database.changes >= Self.pageSize
                }
                try database.execute(
                    "DELETE FROM sent_bodies WHERE id IN (SELECT id FROM sent_bodies WHERE at < ? ORDER BY at LIMIT 100)",
                    [.integer(beforeMs - AnswerTable.lifetimeMs)])
                hasMore = hasMore || database.changes >= 100
                try writer.trimVersions(unusedBeforeMs: beforeMs - AnswerTable.lifetimeMs, versions, nowMs)
                return hasMore
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

extension StoreWriter {
    /// Configurations stay as long as something may refer to them: until none has been in use for as long as rows are kept.
    fileprivate func trimVersions(unusedBeforeMs: Int64, _ used: Set<String>, _ nowMs: Int64) throws {
        var known: [(hash: String, unusedSince: Int64?)] = []
        try database.forEachRow("SELECT hash, unused_since FROM target_versions") { row in
            known.append((row.text(0) ?? "", row.optionalInteger(1)))
        }
        for (hash, unusedSince) in known {
            if used.contains(hash) {
                guard unusedSince != nil else { continue }
                try database.execute("UPDATE target_versions SET unused_since = NULL WHERE hash = ?", [.text(hash)])
            } else if let unusedSince, unusedSince < unusedBeforeMs {
                try database.execute("DELETE FROM target_versions WHERE hash = ?", [.text(hash)])
                exchanges.removeVersion(hash)
            } else if unusedSince == nil {
                try database.execute(
                    "UPDATE target_versions SET unused_since = ? WHERE hash = ?", [.integer(nowMs), .text(hash)])
            }
        }
    }
}
