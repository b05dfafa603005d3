package import EventLog
package import Events
internal import SQLite

/// A dead letter as it is shown.
package struct DeadLetterRow: Sendable, Hashable {
    package var id: Int64
    package var event: EventID
    package var place: RecordPlace
    package var target: String
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

extension DeliveryStore {
    /// Removes every copy of an event's text for good: from the dead letters, and from the open set, where it is counted as
    /// discarded once its next try is due. On the disk when this returns.
    /// - Returns: how many copies there were.
    @discardableResult
    package func erase(_ event: EventID) throws -> Int {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                var count = 0
                for table in ["dead_letters", "open_events"] {
                    try writer.database.execute(
                        "DELETE FROM \(table) WHERE event = ?", [.blob(event.storedBytes)])
                    count += writer.database.changes
                }
                return count
            }
        }
    }

    /// The newest dead letters, oldest first.
    /// - Parameter limit: at most 1000.
    package func deadLetters(target: String? = nil, newest limit: Int) throws -> [DeadLetterRow] {
        try withReader { database in
            var result: [DeadLetterRow] = []
            try database.forEachRow(
                """
                SELECT d.id, event, part, offset, g.name, t.name, s.name, received_at, r.names, at, n.name, attempts,
                status, message, response, payload FROM dead_letters AS d JOIN targets AS g ON g.id = d.target
                LEFT JOIN names AS t ON t.id = d.type LEFT JOIN names AS s ON s.id = d.source
                LEFT JOIN names AS n ON n.id = d.reason LEFT JOIN route_sets AS r ON r.id = d.routes
                WHERE ?1 IS NULL OR g.name = ?1 ORDER BY d.id DESC LIMIT ?2
                """, [.text(target), .integer(min(limit, Self.pageSize))]
            ) { row in
                guard let event = row.eventID(1) else { throw DeliveryStoreError("a dead letter's id is damaged") }
                result.append(
                    DeadLetterRow(
                        id: row.integer(0), event: event,
                        place: RecordPlace(partition: Int32(row.integer(2)), offset: row.integer(3)),
                        target: row.text(4) ?? "", type: row.text(5) ?? "", source: row.text(6) ?? "",
                        receivedAtMs: row.integer(7), routes: RouteNames.decode(row.text(8) ?? ""),
                        atMs: row.integer(9), reason: row.text(10) ?? "", attempts: Int(row.integer(11)),
                        status: row.optionalInteger(12).map { Int($0) }, message: row.text(13) ?? "",
                        response: row.bytes(14), payload: row.bytes(15)))
            }
            return result.reversed()
        }
    }
}
