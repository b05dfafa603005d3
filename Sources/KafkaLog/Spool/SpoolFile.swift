internal import Events
internal import SQLite

/// A row on its way into the spool.
struct SpoolEntry: Sendable {
    /// The item's number in the desk.
    var token: UInt64
    var lane: Int
    var item: LogItem
}

/// A row that was read.
struct SpooledItem: Sendable {
    var sequence: Int64
    /// Nil when the row does not match its checksum.
    var item: LogItem?
}

/// The spool's database, on one thread. Rows leave it when Kafka has them; sequences are never used again.
final class SpoolFile {
    static let pageSize = 4096
    let database: Database
    private let insert: Statement
    private let select: Statement
    private let remove: Statement
    private let entomb: Statement
    /// Rows that wait, and dead letters.
    private(set) var rows: Int64
    var dead: Int64

    private static let migrations = [
        Migration(
            """
            CREATE TABLE spool (
                seq INTEGER PRIMARY KEY AUTOINCREMENT, sum INTEGER NOT NULL, lane INTEGER NOT NULL, id BLOB NOT NULL,
                received_at INTEGER NOT NULL, body BLOB NOT NULL);
            CREATE INDEX spool_lanes ON spool (lane, seq);
            CREATE TABLE dead (
                seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, id BLOB NOT NULL, received_at INTEGER NOT NULL,
                body BLOB NOT NULL, reason TEXT NOT NULL, buried_at INTEGER NOT NULL);
            CREATE TABLE state (
                one INTEGER PRIMARY KEY CHECK (one = 1), lanes TEXT NOT NULL, rows INTEGER NOT NULL,
                dead INTEGER NOT NULL);
            INSERT INTO state VALUES (1, '', 0, 0);
            """)
    ]

    init(path: String) throws {
        database = try Database(path: path, mode: .create)
        try database.useWriteAheadLog(.full, pageSize: Self.pageSize)
        try database.migrate(Self.migrations)
        insert = try database.prepare(
            "INSERT INTO spool (seq, sum, lane, id, received_at, body) VALUES (?, ?, ?, ?, ?, ?)")
        select = try database.prepare(
            "SELECT seq, sum, body FROM spool WHERE lane = ? AND seq >= ? ORDER BY seq LIMIT ?")
        remove = try database.prepare("DELETE FROM spool WHERE seq = ?")
        entomb = try database.prepare(
            "INSERT OR REPLACE INTO dead SELECT seq, sum, id, received_at, body, ?, ? FROM spool WHERE seq = ?")
        rows = try database.integer("SELECT rows FROM state") ?? 0
        dead = try database.integer("SELECT dead FROM state") ?? 0
        next = try Self.next(database)
    }

    private var next: Int64

    private static func next(_ database: Database) throws(SQLiteError) -> Int64 {
        let given = try database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'spool'") ?? 0
        return max(given, try database.integer("SELECT max(seq) FROM spool") ?? 0) + 1
    }

    // MARK: In a transaction

    func begin() throws(SQLiteError) {
        try database.begin()
    }

    func commit() throws(SQLiteError) {
        try database.execute("UPDATE state SET rows = ?, dead = ?", [.integer(rows), .integer(dead)])
        try database.commit()
    }

    /// The counts are as they were at the last commit.
    func rollBack() {
        database.rollBack()
        rows = (try? database.integer("SELECT rows FROM state")) ?? rows
        dead = (try? database.integer("SELECT dead FROM state")) ?? dead
        next = (try? Self.next(database)) ?? next
    }

    /// - Returns: the row's sequence.
    func add(_ entry: SpoolEntry) throws(SQLiteError) -> Int64 {
        let sequence = next
        let body = SpoolCoding.encode(entry.item)
        let id = entry.item.id
        try insert.bind(1, sequence)
        try insert.bind(2, SpoolCoding.sum(body, sequence: sequence))
        try insert.bind(3, Int64(entry.lane))
        try insert.bind(4, Array(id.hex.utf8))
        try insert.bind(5, entry.item.receivedAtMs)
        try insert.bind(6, body)
        try insert.run()
        insert.clear()
        next += 1
        rows += 1
        return sequence
    }

    func delete(_ sequence: Int64) throws(SQLiteError) {
        try remove.bind(1, sequence)
        try remove.run()
        rows -= Int64(database.changes)
    }

    /// Takes the row out of the way, with the reason.
    func bury(_ sequence: Int64, reason: String, nowMs: Int64) throws(SQLiteError) {
        try entomb.run([.text(reason), .integer(nowMs), .integer(sequence)])
        dead += Int64(database.changes)
        try delete(sequence)
    }

    // MARK: Reading

    /// A lane's rows from a sequence on: at most `limit`, and `maximumBytes` but for the first.
    /// - Returns: the rows, and whether there are no more.
    func load(
        lane: Int, from sequence: Int64, limit: Int, maximumBytes: Int
    ) throws(SQLiteError) -> (items: [SpooledItem], isEnd: Bool) {
        try select.bind(1, Int64(lane))
        try select.bind(2, sequence)
        try select.bind(3, Int64(limit))
        defer { select.reset() }
        var found: [SpooledItem] = []
        var bytes = 0
        while found.count < limit {
            guard try select.step() else { return (found, true) }
            let body = select.bytes(2)
            bytes += body.count
            if !found.isEmpty, bytes > maximumBytes { break }
            let number = select.integer(0)
            let isSound = SpoolCoding.sum(body, sequence: number) == select.integer(1)
            found.append(SpooledItem(sequence: number, item: isSound ? SpoolCoding.decode(body) : nil))
        }
        return (found, false)
    }

    /// Rows and the lowest sequence of each lane that has any.
    func lanes() throws -> [Int: (rows: Int, first: Int64)] {
        var lanes: [Int: (rows: Int, first: Int64)] = [:]
        try database.forEachRow("SELECT lane, count(*), min(seq) FROM spool GROUP BY lane") { row in
            lanes[Int(row.integer(0))] = (Int(row.integer(1)), row.integer(2))
        }
        return lanes
    }

    /// Ids of the newest rows, the oldest first.
    func ids(newest limit: Int) throws -> [EventID] {
        var ids: [EventID] = []
        try database.forEachRow("SELECT id FROM spool ORDER BY seq DESC LIMIT ?", [.integer(limit)]) { row in
            if let id = EventID(hex: String(decoding: row.bytes(0), as: UTF8.self)) { ids.append(id) }
        }
        return ids.reversed()
    }

    func oldestMs() throws(SQLiteError) -> Int64? {
        try database.integer("SELECT received_at FROM spool ORDER BY seq LIMIT 1")
    }

    func usedBytes() throws(SQLiteError) -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * Int64(Self.pageSize)
    }

    // MARK: Upkeep

    /// What is wrong with the file's structure or its number of rows; nil when nothing is.
    /// - Parameter maximumBytes: a larger file is not read through.
    func damage(upTo maximumBytes: Int64) throws(SQLiteError) -> String? {
        if try usedBytes() <= maximumBytes {
            let verdict = try database.text("PRAGMA quick_check(1)") ?? "no answer"
            if verdict != "ok" { return verdict }
        }
        for (table, expected) in [("spool", rows), ("dead", dead)] {
            let found = try database.integer("SELECT count(*) FROM \(table)") ?? 0
            if found != expected { return "there are \(found) rows of \(expected) in \(table)" }
        }
        return nil
    }

    /// Gives every row the lane it has now, where lanes meant something else when it was written.
    func assignLanes(_ lanes: Lanes) throws {
        guard try database.text("SELECT lanes FROM state") != lanes.meaning else { return }
        try database.withTransaction {
            let update = try database.prepare("UPDATE spool SET lane = ? WHERE seq = ?")
            var next: Int64 = 0
            while true {
                var page: [(Int64, Int)] = []
                try database.forEachRow(
                    "SELECT seq, body FROM spool WHERE seq >= ? ORDER BY seq LIMIT 256", [.integer(next)]
                ) { row in
                    let lane = SpoolCoding.decode(row.bytes(1)).flatMap { lanes.lane(of: $0) }
                    page.append((row.integer(0), lane ?? lanes.quarantine))
                }
                guard let last = page.last else { break }
                for (sequence, lane) in page { try update.run([.integer(Int64(lane)), .integer(sequence)]) }
                next = last.0 + 1
            }
            try database.execute("UPDATE state SET lanes = ?", [.text(lanes.meaning)])
        }
    }

    /// Copies the write-ahead log back, where it has grown or nothing else is to be done, and gives space back.
    func tidy(isIdle: Bool) throws(SQLiteError) {
        if isIdle, rows == 0, try database.integer("PRAGMA freelist_count") ?? 0 > 0 {
            try database.execute("PRAGMA incremental_vacuum")
        }
        if isIdle, rows == 0, database.walFrames > 0 {
            try database.checkpoint(.truncate)
        } else if database.walFrames > 4096 {
            try database.checkpoint(.restart)
        }
    }
}
