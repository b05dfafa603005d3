package import EventLog
package import Events
internal import SQLite

/// A dead letter as it is shown.
package struct DeadLetterRow: Sendable, Hashable {
    package var id: Int64
    package var event: EventID
    package var place: RecordPlace
    package var target: String
    /// The number of the replay that did not get it through; nil for a target's own.
    package var replay: Int64?
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var routes: [String]
    package var atMs: Int64
    package var reason: String
    package var attempts: Int
    package var status: Int?
    package var message: String
    /// The beginning of the receiver's last answer.
    package var response: [UInt8]
    /// The canonical event's text.
    package var payload: [UInt8]
}

/// Which dead letters are meant; nil means every one.
package struct DeadLetterFilter: Sendable {
    package var target: String?
    package var reason: String?
    /// Of those that became one at or after, and before, milliseconds.
    package var sinceMs: Int64?
    package var untilMs: Int64?
    package var id: Int64?
    package var event: EventID?

    package init() {}

    fileprivate var values: [SQLiteValue] {
        func number(_ value: Int64?) -> SQLiteValue { value.map { .integer($0) } ?? .null }
        return [
            .text(target), .text(reason), number(sinceMs), number(untilMs), number(id),
            event.map { .blob($0.storedBytes) } ?? .null,
        ]
    }
}

extension DeliveryStore {
    /// Removes every copy of an event's text for good: from the dead letters, from the open set, where it is counted as
    /// discarded once its next try is due, and from the history, with what was answered to it. On the disk when this returns.
    /// - Parameter place: where the event was in the log; without it the whole history is looked through.
    /// - Returns: how many copies there were.
    @discardableResult
    package func erase(_ event: EventID, at place: RecordPlace? = nil) throws -> Int {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                var count = 0
                for table in ["dead_letters", "open_events"] {
                    try writer.database.execute(
                        "DELETE FROM \(table) WHERE event = ?", [.blob(event.storedBytes)])
                    count += writer.database.changes
                }
                return try count + writer.eraseHistory(of: event, at: place)
            }
        }
    }

    /// Whether it is a dead letter still, and the same one.
    func hasDeadLetter(_ letter: DeadLetterRow) throws -> Bool {
        try withReader { database in
            try database.integer("SELECT 1 FROM dead_letters WHERE id = ?", [.integer(letter.id)]) != nil
        }
    }

    /// The newest dead letters, oldest first.
    /// - Parameter limit: at most 1000.
    package func deadLetters(target: String? = nil, newest limit: Int) throws -> [DeadLetterRow] {
        var filter = DeadLetterFilter()
        filter.target = target
        return try deadLetters(filter, newest: limit)
    }

    /// The newest that match, oldest first.
    /// - Parameter limit: at most 1000.
    package func deadLetters(_ filter: DeadLetterFilter, newest limit: Int) throws -> [DeadLetterRow] {
        try rows(
            "\(Self.conditions) ORDER BY d.id DESC LIMIT ?", filter.values + [.integer(min(limit, Self.pageSize))]
        ).reversed()
    }

    /// Those that match, oldest first.
    /// - Parameters:
    ///   - id: of the last one before.
    ///   - limit: at most 1000.
    package func deadLetters(_ filter: DeadLetterFilter, after id: Int64, limit: Int) throws -> [DeadLetterRow] {
        try rows(
            "\(Self.conditions) AND d.id > ? ORDER BY d.id LIMIT ?",
            filter.values + [.integer(id), .integer(min(limit, Self.pageSize))])
    }

    /// - Parameter replay: of which replay it is; nil for the target's own.
    func deadLetter(at place: RecordPlace, of target: String, replay: Int64?) throws -> DeadLetterRow? {
        try rows(
            """
            WHERE d.target = coalesce(?1, (SELECT id FROM targets WHERE name = ?2)) AND part = ?3 AND offset = ?4
            """,
            [
                replay.map { .integer(row(ofReplay: $0)) } ?? .null, .text(target), .integer(Int(place.partition)),
                .integer(place.offset),
            ]
        ).first
    }

    private static let conditions = """
        WHERE (?1 IS NULL OR coalesce(p.name, g.name) = ?1) AND (?2 IS NULL OR n.name = ?2) AND (?3 IS NULL OR d.at >= ?3)
        AND (?4 IS NULL OR d.at < ?4) AND (?5 IS NULL OR d.id = ?5) AND (?6 IS NULL OR event = ?6)
        """

    private func rows(_ conditions: String, _ values: [SQLiteValue]) throws -> [DeadLetterRow] {
        try refresh([.accounts])
        return try withReader { database in
            var result: [DeadLetterRow] = []
            try database.forEachRow(
                """
                SELECT d.id, event, part, offset, coalesce(p.name, g.name), t.name, s.name, received_at, r.names, at,
                n.name, attempts, status, message, response, payload, y.id
                FROM dead_letters AS d JOIN targets AS g ON g.id = d.target
                LEFT JOIN replays AS y ON y.id = d.target LEFT JOIN targets AS p ON p.id = y.target
                LEFT JOIN names AS t ON t.id = d.type LEFT JOIN names AS s ON s.id = d.source
                LEFT JOIN names AS n ON n.id = d.reason LEFT JOIN route_sets AS r ON r.id = d.routes
                \(conditions)
                """, values
            ) { row in
                guard let event = row.eventID(1) else { throw DeliveryStoreError("a dead letter's id is damaged") }
                result.append(
                    DeadLetterRow(
                        id: row.integer(0), event: event,
                        place: RecordPlace(partition: Int32(row.integer(2)), offset: row.integer(3)),
                        target: row.text(4) ?? "", replay: row.optionalInteger(16).map(StoredReplay.number(ofRow:)),
                        type: row.text(5) ?? "",
                        source: row.text(6) ?? "",
                        receivedAtMs: row.integer(7), routes: RouteNames.decode(row.text(8) ?? ""),
                        atMs: row.integer(9), reason: row.text(10) ?? "", attempts: Int(row.integer(11)),
                        status: row.optionalInteger(12).map { Int($0) }, message: row.text(13) ?? "",
                        response: row.bytes(14), payload: row.bytes(15)))
            }
            return result
        }
    }
}
