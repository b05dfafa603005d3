package import EventLog
internal import Events
internal import SQLite
package import Targets

/// One attempt to send one event to one target.
package struct AttemptRow: Sendable, Hashable {
    /// What its request was.
    package struct Request: Sendable, Hashable {
        /// SHA-256 of what was rendered.
        package var digest: [UInt8]
        /// What its signature says; nil for none.
        package var signedAtSeconds: Int64?
        var version: Int64?
        var answer: Int64?
        var batch: Int64?

        /// It was of several events.
        package var isBatch: Bool { batch != nil }
    }

    /// Counts from 1. After a restart an attempt may have the number of one before it.
    package var number: Int
    /// When it ended: the wall clock, milliseconds.
    package var atMs: Int64
    package var status: Int?
    /// A failure's stable code; nil when it was delivered.
    package var reason: String?
    package var durationMs: Int64
    package var routes: [String]
    /// Nil when nothing was rendered, or nothing is known of it.
    package var request: Request?
}

extension DeliveryStore {
    /// Attempts of one event at one target that are told of: the last ones.
    static let maximumAttempts = 1000

    /// Every attempt to send the event of a place, oldest first, by the row of its target or replay.
    package func attempts(at place: RecordPlace) throws -> [Int64: [AttemptRow]] {
        try withReader { database in
            var result: [Int64: [AttemptRow]] = [:]
            let columns = """
                d.target, d.attempts, d.at, d.status, n.name, d.duration_ms, r.names, coalesce(d.digest, b.digest),
                CASE WHEN d.batch IS NULL THEN d.at ELSE b.at END, coalesce(d.signed_before, b.signed_before),
                coalesce(d.version, b.version), coalesce(d.answer, b.answer), d.batch
                """
            let joins = """
                LEFT JOIN batches AS b ON b.id = d.batch LEFT JOIN names AS n ON n.id = d.reason
                LEFT JOIN route_sets AS r ON r.id = d.routes WHERE d.part = ?1 AND d.offset = ?2
                """
            try database.forEachRow(
                """
                SELECT * FROM (SELECT \(columns) FROM attempts AS d \(joins) ORDER BY d.id DESC LIMIT ?3)
                UNION ALL SELECT \(columns) FROM deliveries AS d \(joins) AND d.attempts > 0 AND d.is_change IS NULL
                """, [.integer(Int(place.partition)), .integer(place.offset), .integer(Self.maximumAttempts)]
            ) { row in
                result[row.integer(0), default: []].append(AttemptRow(row))
            }
            return result.mapValues { $0.sorted { ($0.atMs, $0.number) < ($1.atMs, $1.number) } }
        }
    }

    /// Nil when it is no longer kept, or was removed on request.
    package func answer(of request: AttemptRow.Request) throws -> Answer? {
        guard let id = request.answer else { return nil }
        return try withReader { database in
            var answer: Answer?
            try database.forEachRow("SELECT header, body, is_cut FROM answers WHERE id = ?", [.integer(id)]) { row in
                answer = Answer(headerLines: row.bytes(0), body: row.bytes(1), isCut: row.integer(2) != 0)
            }
            return answer
        }
    }

    /// The configuration a request was rendered with; nil when it is no longer kept.
    package func version(of request: AttemptRow.Request) throws -> TargetVersion? {
        guard let id = request.version else { return nil }
        return try withReader { database in
            var version: TargetVersion?
            try database.forEachRow("SELECT hash, source FROM target_versions WHERE id = ?", [.integer(id)]) { row in
                version = TargetVersion(hash: row.text(0) ?? "", source: row.bytes(1))
            }
            return version
        }
    }

    /// The events of a request, in the order they were sent; nil when that is no longer known.
    package func members(of request: AttemptRow.Request) throws -> [RecordPlace]? {
        guard let id = request.batch else { return nil }
        return try withReader { database in
            var members: [RecordPlace]?
            try database.forEachRow("SELECT members FROM batches WHERE id = ?", [.integer(id)]) { row in
                members = RecordPlace.decode(row.bytes(0))
            }
            return members
        }
    }

    /// The beginning of what was rendered, and the size of all of it; nil when it was not kept.
    package func sentBody(of request: AttemptRow.Request) throws -> (bytes: [UInt8], size: Int)? {
        try withReader { database in
            var body: (bytes: [UInt8], size: Int)?
            try database.forEachRow("SELECT body, size FROM sent_bodies WHERE digest = ?", [.blob(request.digest)]) {
                body = ($0.bytes(0), Int($0.integer(1)))
            }
            return body
        }
    }

    /// The event's text as the open set or the dead letters have it.
    package func copy(at place: RecordPlace) throws -> [UInt8]? {
        try withReader { database in
            for table in ["open_events", "dead_letters"] {
                let statement = try database.prepare(
                    "SELECT payload FROM \(table) WHERE part = ? AND offset = ? LIMIT 1")
                try statement.bind([.integer(Int(place.partition)), .integer(place.offset)])
                if try statement.step() { return statement.bytes(0) }
            }
            return nil
        }
    }
}

extension AttemptRow {
    fileprivate init(_ row: borrowing Statement) {
        number = Int(row.integer(1))
        atMs = row.integer(2)
        status = row.optionalInteger(3).map { Int($0) }
        reason = row.text(4)
        durationMs = row.integer(5)
        routes = RouteNames.decode(row.text(6) ?? "")
        guard !row.isNull(7) else { return }
        let recordedAtMs = row.integer(8)
        request = Request(
            digest: row.bytes(7), signedAtSeconds: row.optionalInteger(9).map { recordedAtMs / 1000 - $0 },
            version: row.optionalInteger(10), answer: row.optionalInteger(11), batch: row.optionalInteger(12))
    }
}
