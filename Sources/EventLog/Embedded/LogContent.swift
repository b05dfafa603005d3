internal import SQLite

/// What `events.db` says of itself.
struct LogContent {
    let next: Int64
    let beginning: Int64
    let system: Int64
    let personKey: [UInt8]
    let sources: [String: LogStatistics.Source]
    let losses: [LossRange]

    init(_ database: Database) throws {
        var row: (next: Int64, beginning: Int64, system: Int64, key: [UInt8])?
        try database.forEachRow("SELECT next, beginning, system, person_key FROM log") {
            row = ($0.integer(0), $0.integer(1), $0.integer(2), $0.bytes(3))
        }
        guard let row, row.key.count == 16, row.beginning <= row.next else {
            throw SQLiteError(code: .damaged, operation: "open", message: "the table log has no sound row")
        }
        (next, beginning, system, personKey) = (row.next, row.beginning, row.system, row.key)
        sources = try Self.loadSources(database)
        losses = try Self.loadLosses(database)
    }

    private static func loadSources(_ database: Database) throws -> [String: LogStatistics.Source] {
        var sources: [String: LogStatistics.Source] = [:]
        try database.forEachRow("SELECT name, accepted, duplicates, quarantined, last_accepted_at FROM sources") {
            var source = LogStatistics.Source()
            source.accepted = $0.integer(1)
            source.duplicates = $0.integer(2)
            source.quarantined = $0.integer(3)
            source.lastAcceptedMs = $0.isNull(4) ? nil : $0.integer(4)
            sources[$0.text(0) ?? ""] = source
        }
        return sources
    }

    private static func loadLosses(_ database: Database) throws -> [LossRange] {
        var losses: [LossRange] = []
        try database.forEachRow("SELECT first, last, reason FROM losses ORDER BY first") {
            losses.append(LossRange(first: $0.integer(0), last: $0.integer(1), reason: $0.text(2) ?? ""))
        }
        return losses
    }
}

/// Sequences that were acknowledged once and given up.
struct LossRange: Sendable, Equatable {
    let first: Int64
    let last: Int64
    let reason: String
}
