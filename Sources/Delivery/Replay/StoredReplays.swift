internal import EventLog
internal import SQLite

/// A replay as the state file knows it.
struct StoredReplay: Sendable {
    /// What is left to do.
    enum Phase: Int, Sendable {
        case active = 0
        /// Somebody cancelled it; what is on its way ends first.
        case ending = 1
        case ended = 2
    }

    /// Its own place, counters and open set, under its own number; the name is that of the target it sends to.
    var state: StoredTarget
    /// The row of the target it sends to.
    var target: Int64
    var request: ReplayRequest
    var by: String
    /// Beyond the last event of its range.
    var end: LogPosition
    /// Events of its range.
    var events: Int64
    /// Of those, what it had not looked at when it was cancelled: the range ends before them from then on.
    var left: Int64
    var phase: Phase
    /// Why it was cancelled.
    var cancelled: String?
    /// The wall clock, milliseconds.
    var endedAtMs: Int64?

    var number: Int64 { Self.number(ofRow: state.id) }

    /// A replay that the instances share has a number that is none of this store's: its row is below zero.
    static func number(ofRow row: Int64) -> Int64 { row < 0 ? -1 - row : row }
}

extension DeliveryStore {
    /// Replays that have ended are listed until there are so many newer ones.
    static let endedReplays = 100
    /// Replays remembered in all.
    static let maximumReplays = 1000

    /// Those that have not ended, in the order they came.
    func activeReplays() throws -> [StoredReplay] { try replays("y.phase != 2 ORDER BY y.id") }

    /// Those that have ended, the newest `endedReplays`, in the order they came.
    func endedReplays() throws -> [StoredReplay] {
        try replays("y.phase = 2 ORDER BY y.id DESC LIMIT \(Self.endedReplays)").reversed()
    }

    /// Nil when there is none of that number.
    func replay(_ number: Int64) throws -> StoredReplay? {
        try replays("y.id = ?", [.integer(row(ofReplay: number))]).first
    }

    func replayCount() throws -> Int64 {
        try withReader { try $0.integer("SELECT count(*) FROM replays") ?? 0 }
    }

    private func replays(_ condition: String, _ values: [SQLiteValue] = []) throws -> [StoredReplay] {
        try withReader { database in
            var result: [StoredReplay] = []
            try database.forEachRow(
                """
                SELECT \(Self.targetColumns(name: "g.name", row: "s")), y.target, y.since, y.until, y.route, y.condition,
                y.team, y.decode_again, y.actor, y.end_position, y.events, y.remaining, y.phase, y.cancelled, y.ended_at
                FROM replays AS y JOIN targets AS s ON s.id = y.id JOIN targets AS g ON g.id = y.target
                WHERE \(condition)
                """, values
            ) { result.append(try Self.replay($0)) }
            return result
        }
    }

    private static func replay(_ row: borrowing Statement) throws -> StoredReplay {
        let state = try target(row)
        let first = targetColumnCount
        guard let end = row.text(first + 8).flatMap({ LogPosition($0) }),
            let phase = StoredReplay.Phase(rawValue: Int(row.integer(first + 11)))
        else { throw DeliveryStoreError("the state file's row of replay \(state.id) is damaged") }
        let request = ReplayRequest(
            target: state.name, sinceMs: row.integer(first + 1), untilMs: row.optionalInteger(first + 2),
            route: row.text(first + 3), condition: row.text(first + 4), team: row.text(first + 5),
            decodesAgain: row.integer(first + 6) != 0)
        return StoredReplay(
            state: state, target: row.integer(first), request: request, by: row.text(first + 7) ?? "", end: end,
            events: row.integer(first + 9), left: row.integer(first + 10), phase: phase,
            cancelled: row.text(first + 12), endedAtMs: row.optionalInteger(first + 13))
    }

    // MARK: changes

    /// What is needed to enter a replay.
    struct NewReplay: Sendable {
        var request: ReplayRequest
        /// The row of the target.
        var target: Int64
        var start: LogPosition
        var end: LogPosition
        var events: Int64
        var by: String
        var createdAtMs: Int64
    }

    /// Enters a replay, and who asked for it in the audit log. On the disk when this returns.
    /// - Returns: its number.
    func create(_ new: NewReplay, _ audit: AuditEntry) throws -> Int64 {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                let database = writer.database
                // No configured name holds a blank.
                try database.execute(
                    """
                    INSERT INTO targets (name, type, destination, created_at, start, before_start, system_before_start,
                    position) VALUES ('replay ' || (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence
                    WHERE name = 'targets'), 'replay', '', ?1, ?2, 0, 0, ?2)
                    """, [.integer(new.createdAtMs), .text(new.start.description)])
                guard let number = try database.integer("SELECT last_insert_rowid()") else {
                    throw DeliveryStoreError("the replay could not be entered")
                }
                try database.execute(
                    """
                    INSERT INTO replays (id, target, since, until, route, condition, team, decode_again, actor,
                    end_position, events) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                    [
                        .integer(number), .integer(new.target), .integer(new.request.sinceMs),
                        new.request.untilMs.map { .integer($0) } ?? .null, .text(new.request.route),
                        .text(new.request.condition), .text(new.request.team),
                        .integer(new.request.decodesAgain ? 1 : 0), .text(new.by), .text(new.end.description),
                        .integer(new.events),
                    ])
                var audit = audit
                audit.detail = "replay=\(number) \(audit.detail ?? "")"
                try writer.add(audit)
                return number
            }
        }
    }

    /// Somebody cancelled it, or it ended, or it goes on. On the disk when this returns.
    func update(_ replay: StoredReplay, _ audit: AuditEntry? = nil) throws {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                try writer.database.execute(
                    """
                    UPDATE replays SET phase = ?2, end_position = ?3, remaining = ?4, cancelled = ?5, ended_at = ?6
                    WHERE id = ?1
                    """,
                    [
                        .integer(replay.state.id), .integer(replay.phase.rawValue), .text(replay.end.description),
                        .integer(replay.left), .text(replay.cancelled), replay.endedAtMs.map { .integer($0) } ?? .null,
                    ])
                if let audit { try writer.add(audit) }
            }
        }
    }

    /// Removes replays that are listed no more and have left nothing behind: no dead letters, and no history.
    /// - Parameter endedBeforeMs: the history of those that ended before is gone, the wall clock, milliseconds.
    func trimReplays(endedBeforeMs: Int64) throws {
        try withWriter { writer in
            try writer.transaction {
                let old = """
                    SELECT y.id FROM replays AS y WHERE y.phase = 2 AND y.ended_at < ?1 AND y.id < (SELECT min(id) FROM (SELECT id FROM replays WHERE phase = 2
                    ORDER BY id DESC LIMIT \(Self.endedReplays)))
                    AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.target = y.id)
                    AND NOT EXISTS (SELECT 1 FROM open_events AS o WHERE o.target = y.id) LIMIT 100
                    """
                try writer.database.execute("DELETE FROM targets WHERE id IN (\(old))", [.integer(endedBeforeMs)])
                if writer.database.changes > 0 {
                    try writer.database.execute("DELETE FROM replays WHERE id NOT IN (SELECT id FROM targets)")
                }
            }
        }
    }
}
