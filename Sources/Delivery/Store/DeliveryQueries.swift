package import EventLog
internal import Events
internal import SQLite

extension DeliveryStore {
    /// Rows read at most before a statement ends: a reader that stays inside one lets the write-ahead log grow.
    static let pageSize = 1000

    /// The newest deliveries that match, oldest first, in the order their events came.
    package func deliveries(_ filter: DeliveryFilter, newest limit: Int) throws -> [DeliveryRow] {
        try refresh([.history, .accounts])
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
        try refresh([.history, .accounts])
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
        try refresh([.history, .accounts])
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
