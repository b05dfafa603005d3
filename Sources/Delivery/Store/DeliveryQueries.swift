package import EventLog
internal import Events
internal import SQLite

extension DeliveryStore {
    /// Rows read at most before a statement ends: a reader that stays inside one lets the write-ahead log grow.
    static let pageSize = 1000

    /// The newest deliveries that match, oldest first, in the order their events came.
    package func deliveries(_ filter: DeliveryFilter, newest limit: Int) throws -> [DeliveryRow] {
        try refresh([.history])
        return try withReader { database in
            guard let scan = try DeliveryScan(filter, database) else { return [] }
            var found: [[DeliveryRow]] = []
            for (part, offsets) in try DeliveryScan.partitions(database) {
                var before = DeliveryScan.Mark(part: part, offset: offsets.upperBound + 1, target: 0)
                var rows: [DeliveryRow] = []
                while before.offset >= offsets.lowerBound, rows.count < limit {
                    rows += try scan.rows(database, before: &before, limit: min(limit - rows.count, Self.pageSize))
                }
                found.append(rows)
            }
            return Self.newest(found, limit)
        }
    }

    /// - Parameter lists: each of one partition, newest first.
    private static func newest(_ lists: [[DeliveryRow]], _ limit: Int) -> [DeliveryRow] {
        var starts = lists.map(\.startIndex)
        var result: [DeliveryRow] = []
        while result.count < limit {
            let open = lists.indices.filter { starts[$0] < lists[$0].endIndex }
            guard let next = open.max(by: { lists[$0][starts[$0]].receivedAtMs < lists[$1][starts[$1]].receivedAtMs })
            else { break }
            result.append(lists[next][starts[next]])
            starts[next] += 1
        }
        return result.reversed()
    }

    /// - Parameters:
    ///   - cursor: a page's `next`; nil for the first page. Partition after partition, in the order of the log.
    ///   - limit: rows, at most 1000.
    package func deliveries(
        _ filter: DeliveryFilter, after cursor: String?, limit: Int = 1000
    ) throws -> DeliveryPage {
        try refresh([.history])
        let limit = min(limit, Self.pageSize)
        return try withReader { database in
            guard let scan = try DeliveryScan(filter, database) else { return DeliveryPage(rows: []) }
            let partitions = try DeliveryScan.partitions(database)
            var after = DeliveryScan.Mark(part: Int64.min, offset: -1, target: 0)
            if let cursor {
                guard let mark = DeliveryScan.Mark(cursor) else { throw DeliveryStoreError("there is no such page") }
                after = mark
            }
            for (part, offsets) in partitions where part >= after.part {
                if part > after.part {
                    after = DeliveryScan.Mark(part: part, offset: offsets.lowerBound - 1, target: 0)
                }
                for _ in 0..<DeliveryScan.spansPerPage where after.offset <= offsets.upperBound {
                    let rows = try scan.rows(database, after: &after, limit: limit)
                    if !rows.isEmpty { return DeliveryPage(rows: rows, next: after.description) }
                }
                if after.offset <= offsets.upperBound { return DeliveryPage(rows: [], next: after.description) }
            }
            return DeliveryPage(rows: [])
        }
    }

    /// As `deliveries(_:after:limit:)`, the other way: the newest first.
    package func deliveries(_ filter: DeliveryFilter, before cursor: String?, limit: Int) throws -> DeliveryPage {
        try refresh([.history])
        let limit = min(limit, Self.pageSize)
        return try withReader { database in
            guard let scan = try DeliveryScan(filter, database) else { return DeliveryPage(rows: []) }
            var before = DeliveryScan.Mark(part: Int64.max, offset: 0, target: 0)
            if let cursor {
                guard let mark = DeliveryScan.Mark(cursor) else { throw DeliveryStoreError("there is no such page") }
                before = mark
            }
            for (part, offsets) in try DeliveryScan.partitions(database).reversed() where part <= before.part {
                if part < before.part {
                    before = DeliveryScan.Mark(part: part, offset: offsets.upperBound + 1, target: 0)
                }
                for _ in 0..<DeliveryScan.spansPerPage where before.offset >= offsets.lowerBound {
                    let rows = try scan.rows(database, before: &before, limit: limit)
                    if !rows.isEmpty { return DeliveryPage(rows: rows, next: before.description) }
                }
                if before.offset >= offsets.lowerBound { return DeliveryPage(rows: [], next: before.description) }
            }
            return DeliveryPage(rows: [])
        }
    }
}

/// Walks the delivery rows of one partition in bounded steps.
private struct DeliveryScan {
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

    private static let select = """
        SELECT d.part, d.offset, d.target, d.event, t.name, s.name, d.received_at, d.state, d.attempts, d.at, d.status,
        n.name, d.duration_ms, d.next_at, r.names, coalesce(p.name, g.name), y.id
        FROM deliveries AS d LEFT JOIN names AS t ON t.id = d.type LEFT JOIN names AS s ON s.id = d.source
        LEFT JOIN names AS n ON n.id = d.reason LEFT JOIN route_sets AS r ON r.id = d.routes
        LEFT JOIN targets AS g ON g.id = d.target LEFT JOIN replays AS y ON y.id = d.target
        LEFT JOIN targets AS p ON p.id = y.target
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
        var result: [(part: Int64, offsets: ClosedRange<Int64>)] = []
        var part = try database.integer("SELECT min(part) FROM deliveries")
        while let found = part {
            if let first = try database.integer("SELECT min(offset) FROM deliveries WHERE part = ?", [.integer(found)]),
                let last = try database.integer("SELECT max(offset) FROM deliveries WHERE part = ?", [.integer(found)])
            {
                result.append((found, first...last))
            }
            part = try database.integer("SELECT min(part) FROM deliveries WHERE part > ?", [.integer(found)])
        }
        return result
    }

    /// Rows after the mark, ascending; the mark moves behind what was looked at.
    func rows(_ database: Database, after mark: inout Mark, limit: Int) throws -> [DeliveryRow] {
        let end = mark.offset + Self.span
        let rows = try read(
            database,
            """
            WHERE d.part = ? AND (d.offset, d.target) > (?, ?) AND d.offset < ?\(conditions)
            ORDER BY d.offset, d.target LIMIT ?
            """, [.integer(mark.part), .integer(mark.offset), .integer(mark.target), .integer(end)], limit)
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
            """, [.integer(mark.part), .integer(mark.offset), .integer(mark.target), .integer(begin)], limit)
        mark = Mark(part: mark.part, offset: begin, target: 0)
        if rows.count == limit, let last = rows.last {
            mark = Mark(part: mark.part, offset: last.row.place.offset, target: last.target)
        }
        return rows.map(\.row)
    }

    private func read(
        _ database: Database, _ tail: String, _ bounds: [SQLiteValue], _ limit: Int
    ) throws -> [(row: DeliveryRow, target: Int64)] {
        var result: [(row: DeliveryRow, target: Int64)] = []
        try database.forEachRow("\(Self.select) \(tail)", bounds + values + [.integer(limit)]) { row in
            guard let delivery = DeliveryRow(row) else { throw DeliveryStoreError("a delivery's row is damaged") }
            result.append((delivery, row.integer(2)))
        }
        return result
    }

    /// The rows of one event, one a target.
    static func rows(_ database: Database, at place: RecordPlace) throws -> [DeliveryRow] {
        var result: [DeliveryRow] = []
        try database.forEachRow(
            "\(select) WHERE d.part = ? AND d.offset = ? ORDER BY d.target",
            [.integer(Int(place.partition)), .integer(place.offset)]
        ) { row in
            if let delivery = DeliveryRow(row) { result.append(delivery) }
        }
        return result
    }
}

extension DeliveryRow {
    /// A row of `DeliveryScan.select`.
    fileprivate init?(_ row: borrowing Statement) {
        guard let event = row.eventID(3), let state = DeliveryState(rawValue: Int(row.integer(7))) else { return nil }
        self.init(
            event: event, place: RecordPlace(partition: Int32(row.integer(0)), offset: row.integer(1)),
            targetID: row.integer(2), target: row.text(15) ?? "", replay: row.optionalInteger(16),
            type: row.text(4) ?? "", source: row.text(5) ?? "",
            receivedAtMs: row.integer(6), state: state, attempts: Int(row.integer(8)),
            last: row.integer(8) == 0
                ? nil
                : LastAttempt(
                    atMs: row.integer(9), status: row.optionalInteger(10).map { Int($0) }, reason: row.text(11),
                    durationMs: row.integer(12)),
            nextAtMs: row.optionalInteger(13), routes: RouteNames.decode(row.text(14) ?? ""),
            reason: row.integer(8) == 0 ? row.text(11) : nil)
    }
}

extension DeliveryStore {
    /// What became of one event at every target that was there for it, those included that filtered it or have not read it
    /// yet. Empty for targets whose history no longer goes back so far.
    package func deliveries(of record: LogRecord) throws -> [DeliveryRow] {
        try refresh([.history, .accounts])
        let targets = try targets()
        return try withReader { database in
            let rows = try DeliveryScan.rows(database, at: record.place)
            let trimmed = try Self.trimmedPosition(database)
            let known = try targets.compactMap { (target) throws -> DeliveryRow? in
                if let row = rows.first(where: { $0.target == target.name && $0.replay == nil }) { return row }
                guard !target.start.isPast(record.place) else { return nil }
                var row = DeliveryRow(
                    event: record.id, place: record.place, targetID: target.id, target: target.name, type: record.type,
                    source: record.source, receivedAtMs: record.receivedAtMs, state: .pending, attempts: 0, routes: [])
                let isPassed = target.cursor.position.isPast(record.place)
                guard isPassed, !target.cursor.holes.contains(record.place) else { return row }
                if let trimmed, trimmed.isPast(record.place) { return nil }
                row.state = record.isErased ? .discarded : .filtered
                row.reason = record.isErased ? "erased" : "no_route"
                row.plan = record.isErased ? nil : try Self.plan(of: target.id, at: record.place, database)
                return row
            }
            return known + rows.filter { $0.replay != nil }
        }
    }

    /// The hash of the plan that was in force when the target passed the place.
    private static func plan(of target: Int64, at place: RecordPlace, _ database: Database) throws -> String? {
        var result: String?
        try database.forEachRow(
            """
            SELECT hash, from_position, passes.id FROM passes JOIN plans ON plans.id = plan WHERE target = ?1
            UNION ALL SELECT hash, plan_from, ?2 FROM targets JOIN plans ON plans.id = plan WHERE targets.id = ?1
            ORDER BY 3
            """, [.integer(target), .integer(Int64.max)]
        ) { row in
            // In the order they were in force: the last one that began at or before the place.
            if let from = row.text(1).flatMap({ LogPosition($0) }), !from.isPast(place) { result = row.text(0) }
        }
        return result
    }

    /// History of events before this position has been removed; nil when none has.
    private static func trimmedPosition(_ database: Database) throws -> LogPosition? {
        try database.text("SELECT value FROM meta WHERE key = 'history_trimmed'").flatMap { LogPosition($0) }
    }
}
