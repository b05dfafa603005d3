package import EventLog
internal import Events
internal import SQLite

extension DeliveryStore {
    /// Every target that ever was, less the forgotten ones, in the order they came.
    package func targets() throws -> [StoredTarget] {
        try withReader { try Self.targets($0) }
    }

    /// The furthest place any target has been: the log's head cannot be below it. Nil before there is a target.
    package func furthestPosition() throws -> LogPosition? {
        try targets().reduce(nil) { furthest, target in
            guard let furthest else { return target.cursor.position }
            return LogPosition(offsets: zip(furthest.offsets, target.cursor.position.offsets).map { max($0, $1) })
        }
    }

    private static func targets(_ database: Database) throws -> [StoredTarget] {
        var result: [StoredTarget] = []
        try database.forEachRow(
            """
            SELECT \(targetColumns(name: "targets.name", row: "targets")) FROM targets
            WHERE id NOT IN (SELECT id FROM replays) ORDER BY id
            """
        ) { result.append(try target($0)) }
        return result
    }

    /// What `target` reads.
    /// - Parameter row: what the table of targets is called.
    static func targetColumns(name: String, row: String) -> String {
        let columns = [
            "type", "destination", "created_at", "start", "before_start", "system_before_start", "removed", "position",
            "holes", "delivered", "filtered", "dead", "discarded", "expired", "system", "paused", "disabled",
            "failing_since",
        ].map { "\(row).\($0)" }
        return "\(row).id, \(name), \(columns.joined(separator: ", ")), "
            + "(SELECT count(*) FROM open_events WHERE target = \(row).id), \(row).skipped, \(row).refused"
    }

    static let targetColumnCount: Int32 = 23

    static func target(_ row: borrowing Statement) throws -> StoredTarget {
        let name = row.text(1) ?? ""
        guard let start = row.text(5).flatMap({ LogPosition($0) }),
            let position = row.text(9).flatMap({ LogPosition($0) }), let holes = RecordPlace.decode(row.bytes(10))
        else { throw DeliveryStoreError("the state file's row of the target \(name) is damaged") }
        var cursor = TargetCursor(position: position)
        cursor.holes = holes
        cursor.counters.delivered = row.integer(11)
        cursor.counters.filtered = row.integer(12)
        cursor.counters.dead = row.integer(13)
        cursor.counters.discarded = row.integer(14)
        cursor.counters.expired = row.integer(15)
        cursor.counters.system = row.integer(16)
        cursor.counters.skipped = row.integer(21)
        cursor.counters.refused = RefusedCounts(row.text(22) ?? "")
        cursor.isPaused = row.integer(17) != 0
        cursor.disabledReason = row.text(18)
        cursor.failingSinceMs = row.optionalInteger(19)
        return StoredTarget(
            id: row.integer(0), name: name, type: row.text(2) ?? "", destination: row.text(3) ?? "",
            createdAtMs: row.integer(4), start: start, beforeStart: row.integer(6), systemBeforeStart: row.integer(7),
            isRemoved: row.integer(8) != 0, cursor: cursor, openCount: row.integer(20))
    }

    /// Enters a new target. On the disk when this returns: a start that were lost would be chosen again, later.
    func create(_ target: NewTarget) throws {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                try writer.database.execute(
                    """
                    INSERT INTO targets (name, type, destination, created_at, start, before_start, system_before_start,
                    position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5)
                    """,
                    [
                        .text(target.name), .text(target.type), .text(target.destination), .integer(target.createdAtMs),
                        .text(target.start.description), .integer(target.beforeStart),
                        .integer(target.systemBeforeStart),
                    ])
            }
        }
    }

    /// What the configuration says about a target now.
    func describe(_ id: Int64, type: String, destination: String, isRemoved: Bool) throws {
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute(
                    "UPDATE targets SET type = ?2, destination = ?3, removed = ?4 WHERE id = ?1",
                    [.integer(id), .text(type), .text(destination), .integer(isRemoved ? 1 : 0)])
            }
        }
    }

    /// Removes a target, and its replays, with everything that is known of them.
    func forget(_ id: Int64) throws {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                let ids = "(SELECT ?1 UNION SELECT id FROM replays WHERE target = ?1)"
                for table in ["open_events", "dead_letters", "deliveries", "attempts", "passes"] {
                    try writer.database.execute("DELETE FROM \(table) WHERE target IN \(ids)", [.integer(id)])
                }
                try writer.database.execute("DELETE FROM targets WHERE id IN \(ids)", [.integer(id)])
                try writer.database.execute("DELETE FROM replays WHERE target = ?", [.integer(id)])
            }
        }
    }

    /// The target's open events without their texts.
    func openEvents(_ id: Int64) throws -> [RestoredTarget.OpenRecord] {
        try withReader { database in
            var result: [RestoredTarget.OpenRecord] = []
            try database.forEachRow(
                """
                SELECT part, offset, event, t.name, s.name, received_at, routes, r.names, tries, counted, first_tried_at,
                next_at, n.name, length(payload), order_key, requeued_at FROM open_events AS o LEFT JOIN names AS t ON t.id = o.type
                LEFT JOIN names AS s ON s.id = o.source LEFT JOIN names AS n ON n.id = o.reason
                LEFT JOIN route_sets AS r ON r.id = o.routes WHERE target = ?
                """, [.integer(id)]
            ) { row in
                guard let event = row.eventID(2) else { throw DeliveryStoreError("an open event's id is damaged") }
                result.append(
                    RestoredTarget.OpenRecord(
                        place: RecordPlace(partition: Int32(row.integer(0)), offset: row.integer(1)), id: event,
                        type: row.text(3) ?? "", source: row.text(4) ?? "", receivedAtMs: row.integer(5),
                        routes: RouteSet(id: row.integer(6), names: RouteNames.decode(row.text(7) ?? "")),
                        tries: Int(row.integer(8)), counted: Int(row.integer(9)), firstTriedAtMs: row.integer(10),
                        nextAtMs: row.integer(11), reason: row.text(12) ?? "", size: Int(row.integer(13)),
                        key: row.optionalInteger(14).map { UInt64(bitPattern: $0) },
                        requeuedAtMs: row.optionalInteger(15)))
            }
            return result
        }
    }

    /// The text of an open event; nil when it is not there.
    func openPayload(_ target: Int64, _ place: RecordPlace) throws -> [UInt8]? {
        try withReader { database in
            let statement = try database.prepare(
                "SELECT payload FROM open_events WHERE target = ? AND part = ? AND offset = ?")
            try statement.bind([.integer(target), .integer(Int(place.partition)), .integer(place.offset)])
            return try statement.step() ? statement.bytes(0) : nil
        }
    }

    /// Notes that from here on the target's events are matched by another plan.
    /// - Parameter position: the target's committed position.
    func begin(plan hash: String, for targets: [(id: Int64, position: LogPosition)], nowMs: Int64) throws {
        try withWriter { writer in
            let database = writer.database
            try writer.transaction {
                try database.execute(
                    "INSERT OR IGNORE INTO plans (hash, first_used_at) VALUES (?, ?)", [.text(hash), .integer(nowMs)])
                guard let plan = try database.integer("SELECT id FROM plans WHERE hash = ?", [.text(hash)]) else {
                    return
                }
                for (id, position) in targets {
                    try database.execute(
                        """
                        INSERT INTO passes (target, plan, from_position, to_position)
                        SELECT id, plan, plan_from, ?3 FROM targets
                        WHERE id = ?1 AND plan IS NOT NULL AND plan != ?2 AND plan_from != ?3
                        """, [.integer(id), .integer(plan), .text(position.description)])
                    try database.execute(
                        "UPDATE targets SET plan = ?2, plan_from = ?3 WHERE id = ?1 AND plan IS NOT ?2",
                        [.integer(id), .integer(plan), .text(position.description)])
                }
            }
        }
    }
}
