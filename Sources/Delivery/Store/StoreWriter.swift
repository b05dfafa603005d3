internal import EventLog
internal import Events
internal import SQLite

/// The one connection that writes the state file, with its prepared statements. Confined to whoever holds its lock.
final class StoreWriter {
    let database: Database
    var names: NameTable
    var routeSets: NameTable

    let exchanges: ExchangeWriter
    /// Where the next step of trimming goes on, by partition.
    var trimmed: [Int: Int64] = [:]
    private let updateTarget: Statement
    private let insertDelivery: Statement
    private let moveAttempt: Statement
    private let replaceDelivery: Statement
    private let putOpen: Statement
    private let postponeOpen: Statement
    private let deleteOpen: Statement
    private let insertDead: Statement
    private let openToDead: Statement
    private let deadToOpen: Statement
    private let deleteDead: Statement
    private let noteDurable: Statement

    /// Write-ahead log size beyond which it is copied back into the file.
    private let checkpointPages: Int
    private var pagesSinceCheckpoint = 0
    private let keepsHistory: Bool

    init(_ file: StateFile) throws {
        checkpointPages = file.checkpointPages
        keepsHistory = file.keepsHistory
        // Its last commits may never have been synced, or a sync that failed may have given up their pages.
        try Database.rewriteWriteAheadLog(of: file.path, vfs: file.vfs)
        database = try Database(path: file.path, mode: .create, cacheKiB: 1024, vfs: file.vfs)
        try database.useWriteAheadLog(.normal)
        // What the write-ahead log holds goes to new places before anything is added to it.
        try database.checkpoint(.truncate)
        try database.migrate(StoreSchema.migrations)
        names = try NameTable(database, table: "names", column: "name", limit: 10_000)
        routeSets = try NameTable(database, table: "route_sets", column: "names", limit: 1_000_000)
        updateTarget = try database.prepare(
            """
            UPDATE targets SET position = ?2, holes = ?3, delivered = ?4, filtered = ?5, dead = ?6, discarded = ?7,
            expired = ?8, system = ?9, paused = ?10, disabled = ?11, failing_since = ?12, skipped = ?13,
            refused = ?14 WHERE id = ?1
            """)
        exchanges = try ExchangeWriter(database)
        insertDelivery = try database.prepare("\(Self.delivery) ON CONFLICT DO NOTHING")
        moveAttempt = try database.prepare(
            """
            INSERT INTO attempts (part, offset, target, attempts, at, status, reason, duration_ms, routes, digest,
            signed_before, version, answer, batch)
            SELECT part, offset, target, attempts, at, status, reason, duration_ms, routes, digest, signed_before, version,
            answer, batch FROM deliveries
            WHERE part = ?1 AND offset = ?2 AND target = ?3 AND attempts > 0 AND is_change IS NULL
            """)
        replaceDelivery = try database.prepare(
            """
            \(Self.delivery) ON CONFLICT DO UPDATE SET state = ?8, attempts = ?9, at = ?10, status = ?11, reason = ?12,
            duration_ms = ?13, next_at = ?14, routes = ?15, digest = ?16, signed_before = ?17, version = ?18, answer = ?19,
            batch = ?20, is_change = ?21
            """)
        putOpen = try database.prepare(
            """
            INSERT OR REPLACE INTO open_events (target, part, offset, event, type, source, received_at, routes, tries,
            counted, first_tried_at, next_at, reason, payload, order_key, requeued_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
            ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
            """)
        postponeOpen = try database.prepare(
            """
            UPDATE open_events SET tries = ?4, counted = ?5, next_at = ?6, reason = ?7
            WHERE target = ?1 AND part = ?2 AND offset = ?3
            """)
        deleteOpen = try database.prepare("DELETE FROM open_events WHERE target = ?1 AND part = ?2 AND offset = ?3")
        insertDead = try database.prepare(
            """
            INSERT OR REPLACE INTO dead_letters (target, part, offset, event, type, source, received_at, routes, at, reason,
            attempts, status, message, response, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
            ?14, ?15)
            """)
        noteDurable = try database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('durable', 1)")
        openToDead = try database.prepare(
            """
            INSERT OR REPLACE INTO dead_letters (target, part, offset, event, type, source, received_at, routes, at, reason,
            attempts, status, message, response, payload)
            SELECT ?1, ?2, ?3, event, type, source, received_at, routes, ?4, ?5, ?6, ?7, ?8, ?9, payload
            FROM open_events WHERE target = ?1 AND part = ?2 AND offset = ?3
            """)
        deadToOpen = try database.prepare(
            """
            INSERT OR REPLACE INTO open_events (target, part, offset, event, type, source, received_at, routes, tries,
            counted, first_tried_at, next_at, reason, payload, requeued_at)
            SELECT target, part, offset, event, type, source, received_at, coalesce(routes, 0), ?4, 0, ?5, ?6, reason,
            payload, ?7 FROM dead_letters WHERE target = ?1 AND part = ?2 AND offset = ?3
            """)
        deleteDead = try database.prepare("DELETE FROM dead_letters WHERE target = ?1 AND part = ?2 AND offset = ?3")
    }

    /// Runs `body` in one transaction, together with texts that have become known since the last one.
    /// - Parameter isDurable: waits until it, and everything before it, is on the disk.
    func transaction<Result>(isDurable: Bool = false, _ body: () throws -> Result) throws -> Result {
        if isDurable { try database.execute("PRAGMA synchronous = FULL") }
        defer { if isDurable { try? database.execute("PRAGMA synchronous = NORMAL") } }
        let result = try database.withTransaction {
            let result = try body()
            // A commit that has written nothing would bring nothing onto the disk, not even the commits before it.
            if isDurable { try noteDurable.run() }
            try names.save(database)
            try routeSets.save(database)
            try exchanges.save()
            return result
        }
        names.saved()
        routeSets.saved()
        exchanges.saved()
        return result
    }

    /// Writes what has changed in one transaction.
    func commit(_ changes: [(target: Int64, change: TargetChange)], isDurable: Bool) throws {
        try transaction(isDurable: isDurable) {
            exchanges.begin()
            for (target, change) in changes {
                for operation in change.operations { try apply(operation, target) }
                try write(change.cursor, target)
            }
        }
        pagesSinceCheckpoint += changes.reduce(4) { $0 + $1.change.operations.count / 16 + 2 }
        if pagesSinceCheckpoint >= checkpointPages { try checkpoint() }
    }

    /// Copies the write-ahead log back. It may not get to the end while somebody reads; the next one does.
    func checkpoint() throws {
        pagesSinceCheckpoint = 0
        try database.checkpoint(.passive)
    }

    func write(_ cursor: TargetCursor, _ target: Int64) throws {
        try updateTarget.bind(1, target)
        try updateTarget.bind(2, cursor.position.description)
        try updateTarget.bind(3, RecordPlace.encode(cursor.holes))
        try updateTarget.bind(4, cursor.counters.delivered)
        try updateTarget.bind(5, cursor.counters.filtered)
        try updateTarget.bind(6, cursor.counters.dead)
        try updateTarget.bind(7, cursor.counters.discarded)
        try updateTarget.bind(8, cursor.counters.expired)
        try updateTarget.bind(9, cursor.counters.system)
        try updateTarget.bind(10, cursor.isPaused ? 1 as Int64 : 0)
        try updateTarget.bind(11, .text(cursor.disabledReason))
        try updateTarget.bind(12, cursor.failingSinceMs)
        try updateTarget.bind(13, cursor.counters.skipped)
        try updateTarget.bind(14, cursor.counters.refused.text)
        try updateTarget.run()
        guard database.changes == 1 else { throw DeliveryStoreError("the state file has no target \(target)") }
    }

    func apply(_ operation: StateOperation, _ target: Int64) throws {
        switch operation {
        case .record(let entry): if keepsHistory { try record(entry, target) }
        case .open(let entry, let payload, let nextAtMs): try open(entry, payload, nextAtMs, target)
        case .postpone(let entry, let nextAtMs): try postpone(entry, nextAtMs, target)
        case .close(let place): try close(place, target)
        case .bury(let letter): try bury(letter, target)
        case .requeue(let entry, let nextAtMs): try requeue(entry, nextAtMs, target)
        case .discard(let place), .trim(let place):
            try bind(deleteDead, target, place)
            try deleteDead.run()
        }
    }

    private func bind(_ statement: borrowing Statement, _ target: Int64, _ place: RecordPlace) throws {
        try statement.bind(1, target)
        try statement.bind(2, Int64(place.partition))
        try statement.bind(3, place.offset)
    }

    private static let delivery = """
        INSERT INTO deliveries (part, offset, target, event, type, source, received_at, state, attempts, at, status, reason,
        duration_ms, next_at, routes, digest, signed_before, version, answer, batch, is_change)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
        """

    /// One row for an event whose first attempt is its last; otherwise the attempt before goes to a row of its own.
    private func record(_ entry: HistoryEntry, _ target: Int64) throws {
        let exchange = try exchanges.put(entry)
        try bind(entry, exchange, target, to: insertDelivery)
        try insertDelivery.run()
        guard database.changes == 0 else { return }
        try moveAttempt.bind(1, Int64(entry.place.partition))
        try moveAttempt.bind(2, entry.place.offset)
        try moveAttempt.bind(3, target)
        try moveAttempt.run()
        try bind(entry, exchange, target, to: replaceDelivery)
        try replaceDelivery.run()
    }

    private func bind(
        _ entry: HistoryEntry, _ exchange: StoredExchange, _ target: Int64, to statement: borrowing Statement
    ) throws {
        try statement.bind(1, Int64(entry.place.partition))
        try statement.bind(2, entry.place.offset)
        try statement.bind(3, target)
        try statement.bind(4, entry.id)
        try statement.bind(5, names.id(entry.type))
        try statement.bind(6, names.id(entry.source))
        try statement.bind(7, entry.receivedAtMs)
        try statement.bind(8, Int64(entry.state.rawValue))
        try statement.bind(9, Int64(entry.attempts))
        try statement.bind(10, entry.atMs)
        try statement.bind(11, entry.status.map(Int64.init))
        try statement.bind(12, entry.reason.map { names.id($0) })
        try statement.bind(13, entry.durationMs)
        try statement.bind(14, entry.nextAtMs)
        try statement.bind(15, entry.routes.id)
        if let digest = exchange.digest { try statement.bind(16, digest) } else { try statement.bindNull(16) }
        try statement.bind(17, exchange.signedBefore)
        try statement.bind(18, exchange.version)
        try statement.bind(19, exchange.answer)
        try statement.bind(20, exchange.batch)
        try statement.bind(21, entry.isAttempt ? nil : 1 as Int64?)
    }

    private func open(_ entry: OpenEntry, _ payload: [UInt8], _ nextAtMs: Int64, _ target: Int64) throws {
        try bind(putOpen, target, entry.place)
        try putOpen.bind(4, entry.id)
        try putOpen.bind(5, names.id(entry.type))
        try putOpen.bind(6, names.id(entry.source))
        try putOpen.bind(7, entry.receivedAtMs)
        try putOpen.bind(8, entry.routes.id)
        try putOpen.bind(9, Int64(entry.tries))
        try putOpen.bind(10, Int64(entry.counted))
        try putOpen.bind(11, entry.firstTried.wallMs)
        try putOpen.bind(12, nextAtMs)
        try putOpen.bind(13, names.id(entry.reason))
        try putOpen.bind(14, payload)
        try putOpen.bind(15, entry.key.map { Int64(bitPattern: $0) })
        try putOpen.bind(16, entry.requeuedAtMs)
        try putOpen.run()
        putOpen.clear()
    }

    private func postpone(_ entry: OpenEntry, _ nextAtMs: Int64, _ target: Int64) throws {
        try bind(postponeOpen, target, entry.place)
        try postponeOpen.bind(4, Int64(entry.tries))
        try postponeOpen.bind(5, Int64(entry.counted))
        try postponeOpen.bind(6, nextAtMs)
        try postponeOpen.bind(7, names.id(entry.reason))
        try postponeOpen.run()
    }

    private func close(_ place: RecordPlace, _ target: Int64) throws {
        try bind(deleteOpen, target, place)
        try deleteOpen.run()
    }

    private func requeue(_ entry: OpenEntry, _ nextAtMs: Int64, _ target: Int64) throws {
        try bind(deadToOpen, target, entry.place)
        try deadToOpen.bind(4, Int64(entry.tries))
        try deadToOpen.bind(5, entry.firstTried.wallMs)
        try deadToOpen.bind(6, nextAtMs)
        try deadToOpen.bind(7, entry.requeuedAtMs)
        try deadToOpen.run()
        try bind(deleteDead, target, entry.place)
        try deleteDead.run()
    }

    private func bury(_ letter: DeadLetter, _ target: Int64) throws {
        switch letter.payload {
        case .text(let payload):
            try bind(insertDead, target, letter.place)
            try insertDead.bind(4, letter.id)
            try insertDead.bind(5, names.id(letter.type))
            try insertDead.bind(6, names.id(letter.source))
            try insertDead.bind(7, letter.receivedAtMs)
            try insertDead.bind(8, letter.routes?.id)
            try insertDead.bind(9, letter.atMs)
            try insertDead.bind(10, names.id(letter.reason))
            try insertDead.bind(11, Int64(letter.attempts))
            try insertDead.bind(12, letter.status.map(Int64.init))
            try insertDead.bind(13, letter.message)
            try insertDead.bind(14, letter.response)
            try insertDead.bind(15, payload)
            try insertDead.run()
            insertDead.clear()
        case .openRow:
            try bind(openToDead, target, letter.place)
            try openToDead.bind(4, letter.atMs)
            try openToDead.bind(5, names.id(letter.reason))
            try openToDead.bind(6, Int64(letter.attempts))
            try openToDead.bind(7, letter.status.map(Int64.init))
            try openToDead.bind(8, letter.message)
            try openToDead.bind(9, letter.response)
            try openToDead.run()
            try close(letter.place, target)
        }
    }
}
