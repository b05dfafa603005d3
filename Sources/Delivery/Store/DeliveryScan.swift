import EventLog
internal import Events
internal import SQLite

/// Walks the delivery rows of one partition in bounded steps.
struct DeliveryScan {
    /// A place between rows; partitions are walked one after the other.
    struct Mark: CustomStringConvertible {
        var part: Int64
        var offset: Int64
        var target: Int64

        init(part: Int64, offset: Int64, target: Int64) {
            self.part = part
            self.offset = offset
            self.target = target
        }

        init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
            guard parts.count == 3, let part = parts[0], let offset = parts[1], let target = parts[2] else {
                return nil
            }
            self.init(part: part, offset: offset, target: target)
        }

        var description: String { "\(part).\(offset).\(target)" }
    }

    /// Offsets looked at by one statement, whatever it finds.
    static let span: Int64 = 20_000
    /// Statements of one page.
    static let spansPerPage = 50

    private static func select(_ table: String) -> String {
        """
        SELECT d.part, d.offset, d.target, d.event, t.name, s.name, d.received_at, d.state, d.attempts, d.at, d.status,
        n.name, d.duration_ms, d.next_at, r.names, coalesce(p.name, g.name), y.id
        FROM \(table) AS d LEFT JOIN names AS t ON t.id = d.type LEFT JOIN names AS s ON s.id = d.source
        LEFT JOIN names AS n ON n.id = d.reason LEFT JOIN route_sets AS r ON r.id = d.routes
        LEFT JOIN targets AS g ON g.id = d.target LEFT JOIN replays AS y ON y.id = d.target
        LEFT JOIN targets AS p ON p.id = y.target
        """
    }

    private static let deliveries = "deliveries"
    /// What connections took last as rows of `deliveries`; the targets are named for the sake of the index.
    private static let sent = """
        (SELECT part, offset, target, event, type, source, received_at, \(DeliveryState.pending.rawValue) AS state,
        tries AS attempts, next_at AS at, NULL AS status, reason, 0 AS duration_ms, NULL AS next_at, routes
        FROM open_events WHERE reason = (SELECT id FROM names WHERE name = '\(OpenEntry.sent)')
        AND target IN (SELECT id FROM targets UNION ALL SELECT id FROM replays))
        """

    private var conditions = ""
    private var values: [SQLiteValue] = []

    /// Nil when the filter names what no row can have.
    init?(_ filter: DeliveryFilter, _ database: Database) throws {
        func number(_ sql: String, _ name: String) throws -> SQLiteValue? {
            try database.integer(sql, [.text(name)]).map { .integer($0) }
        }
        func require(_ condition: String, _ value: SQLiteValue) {
            conditions += " AND \(condition)"
            values.append(value)
        }
        if let target = filter.target {
            guard let id = try database.integer("SELECT id FROM targets WHERE name = ?", [.text(target)]) else {
                return nil
            }
            conditions += " AND d.target IN (SELECT \(id) UNION SELECT id FROM replays WHERE target = \(id))"
        }
        if let source = filter.source {
            guard let id = try number("SELECT id FROM names WHERE name = ?", source) else { return nil }
            require("d.source = ?", id)
        }
        if let type = filter.type {
            guard let id = try number("SELECT id FROM names WHERE name = ?", type) else { return nil }
            require("d.type = ?", id)
        }
        if let sinceMs = filter.sinceMs { require("d.received_at >= ?", .integer(sinceMs)) }
        if let untilMs = filter.untilMs { require("d.received_at < ?", .integer(untilMs)) }
        if let event = filter.event { require("d.event = ?", .blob(event.storedBytes)) }
        if let state = filter.state { require("d.state = ?", .integer(state.rawValue)) }
    }

    /// The partitions there are rows of, and their lowest and highest offsets.
    static func partitions(_ database: Database) throws -> [(part: Int64, offsets: ClosedRange<Int64>)] {
        var found: [Int64: ClosedRange<Int64>] = [:]
        var part = try database.integer("SELECT min(part) FROM deliveries")
        while let next = part {
            if let first = try database.integer("SELECT min(offset) FROM deliveries WHERE part = ?", [.integer(next)]),
                let last = try database.integer("SELECT max(offset) FROM deliveries WHERE part = ?", [.integer(next)])
            {
                found[next] = first...last
            }
            part = try database.integer("SELECT min(part) FROM deliveries WHERE part > ?", [.integer(next)])
        }
        try database.forEachRow("SELECT part, min(offset), max(offset) FROM \(sent) GROUP BY part") { row in
            let (part, first, last) = (row.integer(0), row.integer(1), row.integer(2))
            let known = found[part] ?? first...last
            found[part] = min(known.lowerBound, first)...max(known.upperBound, last)
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Rows after the mark, ascending; the mark moves behind what was looked at.
    func rows(_ database: Database, after mark: inout Mark, limit: Int) throws -> [DeliveryRow] {
        let end = mark.offset + Self.span
        let rows = try read(
            database,
            """
            WHERE d.part = ? AND (d.offset, d.target) > (?, ?) AND d.offset < ?\(conditions)
            ORDER BY d.offset, d.target LIMIT ?
            """, [.integer(mark.part), .integer(mark.offset), .integer(mark.target), .integer(end)], limit, <)
        mark = Mark(part: mark.part, offset: end - 1, target: Int64.max)
        if rows.count == limit, let last = rows.last {
            mark = Mark(part: mark.part, offset: last.row.place.offset, target: last.target)
        }
        return rows.map(\.row)
    }

    /// Rows before the mark, descending; the mark moves before what was looked at.
    func rows(_ database: Database, before mark: inout Mark, limit: Int) throws -> [DeliveryRow] {
        let begin = mark.offset - Self.span
        let rows = try read(
            database,
            """
            WHERE d.part = ? AND (d.offset, d.target) < (?, ?) AND d.offset >= ?\(conditions)
            ORDER BY d.offset DESC, d.target DESC LIMIT ?
            """, [.integer(mark.part), .integer(mark.offset), .integer(mark.target), .integer(begin)], limit, >)
        mark = Mark(part: mark.part, offset: begin, target: 0)
        if rows.count == limit, let last = rows.last {
            mark = Mark(part: mark.part, offset: last.row.place.offset, target: last.target)
        }
        return rows.map(\.row)
    }

    /// - Parameter isBefore: the order of the statement, by offset and target.
    private func read(
        _ database: Database, _ tail: String, _ bounds: [SQLiteValue], _ limit: Int,
        _ isBefore: ((Int64, Int64), (Int64, Int64)) -> Bool
    ) throws -> [(row: DeliveryRow, target: Int64)] {
        func rows(_ table: String) throws -> [DeliveryRow] {
            var result: [DeliveryRow] = []
            try database.forEachRow("\(Self.select(table)) \(tail)", bounds + values + [.integer(limit)]) { row in
                guard let delivery = DeliveryRow(row) else { throw DeliveryStoreError("a delivery's row is damaged") }
                result.append(delivery)
            }
            return result
        }
        return Self.merge(try rows(Self.deliveries), try rows(Self.sent))
            .sorted { isBefore(($0.place.offset, $0.targetID), ($1.place.offset, $1.targetID)) }
            .prefix(limit).map { ($0, $0.targetID) }
    }

    /// What a connection took after the last attempt that the history knows of takes the place of that one.
    private static func merge(_ rows: [DeliveryRow], _ sent: [DeliveryRow]) -> [DeliveryRow] {
        struct Key: Hashable {
            var place: RecordPlace
            var target: Int64
        }
        guard !sent.isEmpty else { return rows }
        return Array(
            Dictionary((rows + sent).map { (Key(place: $0.place, target: $0.targetID), $0) }) { known, sent in
                known.state == .pending && known.last?.atMs ?? 0 < sent.last?.atMs ?? 0 ? sent : known
            }.values)
    }

    /// The rows of one event, one a target.
    static func rows(_ database: Database, at place: RecordPlace) throws -> [DeliveryRow] {
        func rows(_ table: String) throws -> [DeliveryRow] {
            var result: [DeliveryRow] = []
            try database.forEachRow(
                "\(select(table)) WHERE d.part = ? AND d.offset = ?",
                [.integer(Int(place.partition)), .integer(place.offset)]
            ) { row in
                if let delivery = DeliveryRow(row) { result.append(delivery) }
            }
            return result
        }
        return merge(try rows(deliveries), try rows(sent)).sorted { $0.targetID < $1.targetID }
    }
}

extension DeliveryRow {
    /// A row of `DeliveryScan.select`.
    fileprivate init?(_ row: borrowing Statement) {
        guard let event = row.eventID(3), let state = DeliveryState(rawValue: Int(row.integer(7))) else { return nil }
        // However often it was tried before, what it was filtered for is no attempt's.
        let isAttempt = row.integer(8) > 0 && state != .filtered
        self.init(
            event: event, place: RecordPlace(partition: Int32(row.integer(0)), offset: row.integer(1)),
            targetID: row.integer(2), target: row.text(15) ?? "", replay: row.optionalInteger(16),
            type: row.text(4) ?? "", source: row.text(5) ?? "",
            receivedAtMs: row.integer(6), state: state, attempts: Int(row.integer(8)),
            last: isAttempt
                ? LastAttempt(
                    atMs: row.integer(9), status: row.optionalInteger(10).map { Int($0) }, reason: row.text(11),
                    durationMs: row.integer(12)) : nil,
            nextAtMs: row.optionalInteger(13), routes: RouteNames.decode(row.text(14) ?? ""),
            reason: isAttempt ? nil : row.text(11))
    }
}
