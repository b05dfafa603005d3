package import EventLog
package import Events
internal import SQLite

/// A target in a store that mirrors what is kept elsewhere.
package struct MirroredTarget: Sendable {
    package var name: String
    package var type: String
    package var destination: String
    /// The wall clock, milliseconds.
    package var createdAtMs: Int64
    package var start: LogPosition
    /// Events accepted before `start`, and `system.…` events before it.
    package var beforeStart: Int64
    package var systemBeforeStart: Int64
    package var isRemoved = false
    package var cursor: TargetCursor

    package init(
        name: String, type: String, destination: String, createdAtMs: Int64, start: LogPosition, beforeStart: Int64,
        systemBeforeStart: Int64, cursor: TargetCursor
    ) {
        self.name = name
        self.type = type
        self.destination = destination
        self.createdAtMs = createdAtMs
        self.start = start
        self.beforeStart = beforeStart
        self.systemBeforeStart = systemBeforeStart
        self.cursor = cursor
    }
}

/// A replay in such a store, under the number it has everywhere.
package struct MirroredReplay: Sendable {
    /// What is left to do.
    package enum Phase: Int, Sendable {
        case active = 0
        /// Somebody cancelled it; what is on its way ends first.
        case ending = 1
        case ended = 2
    }

    package var number: Int64
    package var request: ReplayRequest
    package var by: String
    /// The wall clock, milliseconds.
    package var createdAtMs: Int64
    package var start: LogPosition
    /// Beyond the last event of its range.
    package var end: LogPosition
    /// Events of its range.
    package var events: Int64
    /// Of those, what it had not looked at when it was cancelled.
    package var left: Int64 = 0
    package var phase = Phase.active
    /// Why it was cancelled.
    package var cancelled: String?
    /// The wall clock, milliseconds.
    package var endedAtMs: Int64?
    package var cursor: TargetCursor

    package init(
        number: Int64, request: ReplayRequest, by: String, createdAtMs: Int64, start: LogPosition, end: LogPosition,
        events: Int64, cursor: TargetCursor
    ) {
        self.number = number
        self.request = request
        self.by = by
        self.createdAtMs = createdAtMs
        self.start = start
        self.end = end
        self.events = events
        self.cursor = cursor
    }
}

/// A store filled with what is kept elsewhere, so that it can be asked like any other. It belongs to no engine.
extension DeliveryStore {
    /// Rows of targets have numbers from here on; those below are for replays.
    package static let mirroredTargets: Int64 = 1 << 48

    /// Prepares an empty store.
    package func beginMirror() throws {
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('targets', ?)", [.integer(Self.mirroredTargets)])
                for table in ["deliveries", "open_events", "dead_letters"] {
                    try writer.database.execute("CREATE INDEX \(table)_by_event ON \(table) (event)")
                }
            }
        }
    }

    /// Enters targets, and replays behind them, and puts them in the place of what is known of them; with what has
    /// happened to their events. All in one transaction: whoever asks sees all of it or nothing.
    /// - Parameter operations: by the target's name or the replay's number.
    package func mirror(
        _ targets: [MirroredTarget], _ replays: [MirroredReplay] = [],
        _ operations: [(owner: MirrorOwner, operations: [StateOperation])]
    ) throws {
        try withWriter { writer in
            try writer.transaction {
                for target in targets { try writer.mirror(target) }
                for replay in replays { try writer.mirror(replay) }
                writer.exchanges.begin()
                for (owner, operations) in operations {
                    guard let id = try writer.row(of: owner) else { continue }
                    for operation in operations { try writer.apply(operation, id) }
                }
            }
            try writer.checkpoint()
        }
    }

    /// Where a target's open events are.
    package func openPlaces(of target: String) throws -> Set<RecordPlace> {
        try withReader { database in
            var places: Set<RecordPlace> = []
            try database.forEachRow(
                "SELECT part, offset FROM open_events WHERE target = (SELECT id FROM targets WHERE name = ?)",
                [.text(target)]
            ) { places.insert(RecordPlace(partition: Int32($0.integer(0)), offset: $0.integer(1))) }
            return places
        }
    }

    package func hasDeadLetters(replay number: Int64) throws -> Bool {
        try withReader {
            try $0.integer("SELECT 1 FROM dead_letters WHERE target = ? LIMIT 1", [.integer(number)]) != nil
        }
    }

    /// The numbers of the replays that are there.
    package func mirroredReplays() throws -> Set<Int64> {
        try withReader { database in
            var numbers: Set<Int64> = []
            try database.forEachRow("SELECT id FROM replays") { numbers.insert($0.integer(0)) }
            return numbers
        }
    }

    /// Removes a replay with everything that is known of it.
    package func forgetMirrored(replay number: Int64) throws {
        try forget(number)
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute("DELETE FROM replays WHERE id = ?", [.integer(number)])
            }
        }
    }

    /// Removes a target, and its replays, with everything that is known of them.
    package func forgetMirrored(_ target: String) throws {
        guard let stored = try targets().first(where: { $0.name == target }) else { return }
        try forget(stored.id)
    }

    /// Enters audit entries under the numbers they have everywhere.
    package func mirror(_ entries: [(number: Int64, entry: AuditEntry)]) throws {
        try withWriter { writer in
            try writer.transaction {
                for (number, entry) in entries {
                    try writer.database.execute(
                        "INSERT OR REPLACE INTO audit (id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)",
                        [
                            .integer(number), .integer(entry.atMs), .text(entry.actor), .text(entry.action),
                            .text(entry.subject), .text(entry.detail),
                        ])
                }
                try writer.database.execute(
                    "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?",
                    [.integer(Self.maximumAuditEntries)])
            }
        }
    }

    /// What happened to events before this position is not known.
    package func beginHistory(at position: LogPosition) throws {
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES ('history_trimmed', ?)",
                    [.text(position.description)])
            }
        }
    }

    /// Removes history that is older than a moment of the wall clock: a bounded part of it.
    /// - Parameter position: of the log at that moment.
    /// - Returns: whether there may be more.
    package func trimMirror(before position: LogPosition, beforeMs: Int64, nowMs: Int64) throws -> Bool {
        let versions = try withReader { database in
            var hashes: Set<String> = []
            try database.forEachRow("SELECT hash FROM target_versions") { hashes.insert($0.text(0) ?? "") }
            return hashes
        }
        let hasMore = try trimHistory(before: position, endedBeforeMs: beforeMs)
        return try trimAttempts(beforeMs: beforeMs, versions: versions, nowMs: nowMs) || hasMore
    }

    /// Where an event is, as far as anything is known that happened to it.
    package func place(of event: EventID) throws -> RecordPlace? {
        try withReader { database in
            for table in ["deliveries", "open_events", "dead_letters"] {
                let statement = try database.prepare("SELECT part, offset FROM \(table) WHERE event = ? LIMIT 1")
                try statement.bind([.blob(event.storedBytes)])
                if try statement.step() {
                    return RecordPlace(partition: Int32(statement.integer(0)), offset: statement.integer(1))
                }
            }
            return nil
        }
    }
}

/// Whose operations they are.
package enum MirrorOwner: Sendable, Hashable {
    case target(String)
    /// By its number.
    case replay(Int64)
}

extension StoreWriter {
    fileprivate func row(of owner: MirrorOwner) throws -> Int64? {
        switch owner {
        case .target(let name): try database.integer("SELECT id FROM targets WHERE name = ?", [.text(name)])
        case .replay(let number): try database.integer("SELECT id FROM replays WHERE id = ?", [.integer(number)])
        }
    }

    fileprivate func mirror(_ target: MirroredTarget) throws {
        try database.execute(
            """
            INSERT INTO targets (name, type, destination, created_at, start, before_start, system_before_start, removed,
            position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5) ON CONFLICT (name) DO UPDATE SET type = ?2,
            destination = ?3, created_at = ?4, start = ?5, before_start = ?6, system_before_start = ?7, removed = ?8
            """,
            [
                .text(target.name), .text(target.type), .text(target.destination), .integer(target.createdAtMs),
                .text(target.start.description), .integer(target.beforeStart), .integer(target.systemBeforeStart),
                .integer(target.isRemoved ? 1 : 0),
            ])
        guard let id = try row(of: .target(target.name)) else { return }
        try write(target.cursor, id)
    }

    /// A replay's row among the targets has its number; no configured name holds a blank.
    fileprivate func mirror(_ replay: MirroredReplay) throws {
        guard let target = try row(of: .target(replay.request.target)) else { return }
        try enter(replay, row: replay.number, target: target)
    }

    /// - Parameters:
    ///   - row: its own.
    ///   - target: the row of the target.
    func enter(_ replay: MirroredReplay, row: Int64, target: Int64) throws {
        try database.execute(
            """
            INSERT INTO targets (id, name, type, destination, created_at, start, before_start, system_before_start,
            position) VALUES (?1, 'replay ' || ?1, 'replay', '', ?2, ?3, 0, 0, ?3)
            ON CONFLICT (id) DO UPDATE SET created_at = ?2, start = ?3
            """, [.integer(row), .integer(replay.createdAtMs), .text(replay.start.description)])
        try write(replay.cursor, row)
        try database.execute(
            """
            INSERT OR REPLACE INTO replays (id, target, since, until, route, condition, team, decode_again, actor,
            end_position, events, remaining, phase, cancelled, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(row), .integer(target), .integer(replay.request.sinceMs),
                replay.request.untilMs.map { .integer($0) } ?? .null, .text(replay.request.route),
                .text(replay.request.condition), .text(replay.request.team),
                .integer(replay.request.decodesAgain ? 1 : 0), .text(replay.by), .text(replay.end.description),
                .integer(replay.events), .integer(replay.left), .integer(replay.phase.rawValue),
                .text(replay.cancelled), replay.endedAtMs.map { .integer($0) } ?? .null,
            ])
    }
}
