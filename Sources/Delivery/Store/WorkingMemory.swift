internal import EventLog
internal import SQLite

/// The state file as working memory, where a keeper has everything that is to last.
extension DeliveryStore {
    /// Forgets the events of partitions that are no business of this instance any more.
    func forget(_ partitions: Set<Int32>, of target: Int64) throws {
        guard !partitions.isEmpty else { return }
        try withWriter { writer in
            try writer.transaction {
                for table in ["open_events", "dead_letters"] {
                    for partition in partitions {
                        try writer.database.execute(
                            "DELETE FROM \(table) WHERE target = ? AND part = ?",
                            [.integer(target), .integer(Int64(partition))])
                    }
                }
            }
        }
    }

    /// The row of a replay that the instances share, or of one that only this store knows.
    func row(ofReplay number: Int64) -> Int64 { keepsHistory ? number : -1 - number }

    /// Enters a replay that the instances share.
    func enter(_ replay: MirroredReplay, target: Int64) throws {
        let row = row(ofReplay: replay.number)
        try withWriter { writer in try writer.transaction { try writer.enter(replay, row: row, target: target) } }
    }

    /// Those that are here, of a target.
    func rowsOfReplays(of target: Int64) throws -> [Int64] {
        try withReader { database in
            var rows: [Int64] = []
            try database.forEachRow("SELECT id FROM replays WHERE target = ?", [.integer(target)]) {
                rows.append($0.integer(0))
            }
            return rows
        }
    }

    /// Forgets replays that are no business of this instance any more.
    func forget(replays rows: [Int64]) throws {
        guard !rows.isEmpty else { return }
        try withWriter { writer in
            try writer.transaction {
                for row in rows {
                    for table in ["open_events", "dead_letters"] {
                        try writer.database.execute("DELETE FROM \(table) WHERE target = ?", [.integer(row)])
                    }
                    for table in ["targets", "replays"] {
                        try writer.database.execute("DELETE FROM \(table) WHERE id = ?", [.integer(row)])
                    }
                }
            }
        }
    }

    /// Forgets everything that an earlier run had in hand. What it was doing when it died, refusals, and what operators did
    /// stay.
    func forgetWork() throws {
        try withWriter { try $0.forgetWork() }
    }

    /// The text of a dead letter; nil when it is not there.
    func deadPayload(_ target: Int64, _ place: RecordPlace) throws -> [UInt8]? {
        try withReader { database in
            let statement = try database.prepare(
                "SELECT payload FROM dead_letters WHERE target = ? AND part = ? AND offset = ?")
            try statement.bind([.integer(target), .integer(Int(place.partition)), .integer(place.offset)])
            return try statement.step() ? statement.bytes(0) : nil
        }
    }

    /// The oldest dead letters of targets that became one before a moment of the wall clock.
    func oldDeadLetters(beforeMs: Int64, limit: Int) throws -> [(target: Int64, place: RecordPlace)] {
        try withReader { database in
            var result: [(target: Int64, place: RecordPlace)] = []
            try database.forEachRow(
                "SELECT target, part, offset FROM dead_letters WHERE at < ? ORDER BY at LIMIT ?",
                [.integer(beforeMs), .integer(limit)]
            ) { row in
                let place = RecordPlace(partition: Int32(row.integer(1)), offset: row.integer(2))
                result.append((row.integer(0), place))
            }
            return result
        }
    }
}

extension StoreWriter {
    func forgetWork() throws {
        try transaction {
            for table in [
                "open_events", "dead_letters", "deliveries", "attempts", "batches", "answers", "sent_bodies", "passes",
            ] {
                try database.execute("DELETE FROM \(table)")
            }
            // The numbers of the targets stay: what the process died of is known by them.
            try database.execute("DELETE FROM targets WHERE id IN (SELECT id FROM replays)")
            try database.execute("DELETE FROM replays")
            try database.execute(
                """
                UPDATE targets SET holes = x'', delivered = 0, filtered = 0, dead = 0, discarded = 0, expired = 0,
                system = 0, skipped = 0, refused = '', paused = 0, disabled = NULL, failing_since = NULL, plan = NULL, plan_from = NULL
                """)
        }
    }
}
