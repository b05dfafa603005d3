internal import Events
internal import SQLite

/// The writer's prepared statements.
final class LogStatements {
    let begin: Statement
    let commit: Statement
    private let insertEventRow: Statement
    private let insertPeopleRow: Statement
    private let writeSourceRow: Statement
    private let writeLogRow: Statement
    private let insertQuarantineRow: Statement
    private let readReceived: Statement
    private let removeEventRows: Statement
    private let removePeopleRows: Statement
    private let pageCount: Statement
    private let freeCount: Statement
    private let database: Database

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        begin = try database.prepare("BEGIN IMMEDIATE")
        commit = try database.prepare("COMMIT")
        insertEventRow = try database.prepare(
            """
            INSERT INTO events (seq, sum, id, received_at, type, source, payload, verified_by)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insertPeopleRow = try database.prepare("INSERT INTO people (first, hashes) VALUES (?, ?)")
        writeSourceRow = try database.prepare(
            """
            INSERT INTO sources (name, accepted, duplicates, quarantined, last_accepted_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET accepted = excluded.accepted, duplicates = excluded.duplicates,
                quarantined = excluded.quarantined, last_accepted_at = excluded.last_accepted_at
            """)
        writeLogRow = try database.prepare("UPDATE log SET next = ?, beginning = ?, system = ? WHERE id = 1")
        insertQuarantineRow = try database.prepare(
            """
            INSERT OR IGNORE INTO quarantine (key, source, position, received_at, reason, bytes, size, sha256)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        readReceived = try database.prepare(
            "SELECT seq, received_at FROM events WHERE seq >= ? AND seq < ? ORDER BY seq")
        removeEventRows = try database.prepare("DELETE FROM events WHERE seq < ?")
        removePeopleRows = try database.prepare(
            "DELETE FROM people WHERE first < (SELECT max(first) FROM people WHERE first <= ?)")
        pageCount = try database.prepare("PRAGMA page_count")
        freeCount = try database.prepare("PRAGMA freelist_count")
    }

    /// Ends what a failure left half done.
    func reset() {
        insertEventRow.clear()
        insertPeopleRow.clear()
        writeSourceRow.clear()
        writeLogRow.clear()
        insertQuarantineRow.clear()
        readReceived.clear()
        removeEventRows.clear()
        removePeopleRows.clear()
        commit.reset()
        begin.reset()
    }

    func insertEvent(_ record: NewRecord, _ digest: RecordDigest, sequence: Int64) throws(SQLiteError) {
        try insertEvent(
            sequence, RecordDigest.checksum(digest.sum, sequence: sequence), record.id, record.receivedAtMs,
            record.type, record.source, record.verifiedBy, record.payload)
    }

    /// A record that was in a log already.
    func insertEvent(_ record: LogRecord) throws(SQLiteError) {
        let sum = unsafe record.payload.withUnsafeBytes { payload in
            unsafe RecordDigest.sum(
                id: record.id, receivedAtMs: record.receivedAtMs, type: record.type, source: record.source,
                verifiedBy: record.verifiedBy, payload: payload)
        }
        let sequence = record.place.offset
        try insertEvent(
            sequence, RecordDigest.checksum(sum, sequence: sequence), record.id, record.receivedAtMs, record.type,
            record.source, record.verifiedBy, record.payload)
    }

    private func insertEvent(
        _ sequence: Int64, _ sum: UInt64, _ id: EventID, _ receivedAtMs: Int64, _ type: String, _ source: String,
        _ verifiedBy: String?, _ payload: [UInt8]
    ) throws(SQLiteError) {
        try insertEventRow.bind(1, sequence)
        try insertEventRow.bind(2, Int64(bitPattern: sum))
        try insertEventRow.bind(4, receivedAtMs)
        if verifiedBy == nil { try insertEventRow.bindNull(8) }
        let id = (id.high.bigEndian, id.low.bigEndian)
        // The bytes are lent to SQLite for the one step: nothing is copied but into the page.
        try unsafe withUnsafeBytes(of: id) { (id) throws(SQLiteError) in
            try unsafe insertEventRow.bind(3, borrowing: id)
            try unsafe type.utf8Span.span.withUnsafeBytes { (type) throws(SQLiteError) in
                try unsafe insertEventRow.bind(5, borrowingText: type)
                try unsafe source.utf8Span.span.withUnsafeBytes { (source) throws(SQLiteError) in
                    try unsafe insertEventRow.bind(6, borrowingText: source)
                    try unsafe payload.span.withUnsafeBytes { (payload) throws(SQLiteError) in
                        try unsafe insertEventRow.bind(7, borrowing: payload)
                        guard let verifiedBy else { return try insertEventRow.run() }
                        try unsafe verifiedBy.utf8Span.span.withUnsafeBytes { (name) throws(SQLiteError) in
                            try unsafe insertEventRow.bind(8, borrowingText: name)
                            try insertEventRow.run()
                        }
                    }
                }
            }
        }
    }

    func insertPeople(first: Int64, _ hashes: [UInt8]) throws(SQLiteError) {
        try insertPeopleRow.bind(1, first)
        try unsafe hashes.span.withUnsafeBytes { (hashes) throws(SQLiteError) in
            try unsafe insertPeopleRow.bind(2, borrowing: hashes)
            try insertPeopleRow.run()
        }
    }

    func writeSource(_ name: String, _ source: LogStatistics.Source) throws(SQLiteError) {
        try writeSourceRow.run([
            .text(name), .integer(source.accepted), .integer(source.duplicates), .integer(source.quarantined),
            .integer(source.lastAcceptedMs),
        ])
    }

    func writeLog(next: Int64, beginning: Int64, system: Int64) throws(SQLiteError) {
        try writeLogRow.bind(1, next)
        try writeLogRow.bind(2, beginning)
        try writeLogRow.bind(3, system)
        try writeLogRow.run()
    }

    func insertQuarantined(_ element: QuarantinedElement) throws(SQLiteError) {
        try insertQuarantineRow.run([
            .text(element.key), .text(element.source), .integer(element.index), .integer(element.receivedAtMs),
            .text(element.reason), .blob(element.bytes), .integer(element.size), .text(element.sha256),
        ])
    }

    /// The first sequence in a range that was received at a time or later; nil when there is none.
    func firstReceived(from first: Int64, to end: Int64, atOrAfterMs cutMs: Int64) throws(SQLiteError) -> Int64? {
        try readReceived.bind(1, first)
        try readReceived.bind(2, end)
        defer { readReceived.reset() }
        while try readReceived.step() {
            if readReceived.integer(1) >= cutMs { return readReceived.integer(0) }
        }
        return nil
    }

    func receivedMs(atOrAfter sequence: Int64) throws(SQLiteError) -> Int64? {
        try readReceived.bind(1, sequence)
        try readReceived.bind(2, .max)
        defer { readReceived.reset() }
        return try readReceived.step() ? readReceived.integer(1) : nil
    }

    func removeEvents(below end: Int64) throws(SQLiteError) {
        try removeEventRows.bind(1, end)
        try removeEventRows.run()
    }

    func removePeople(below end: Int64) throws(SQLiteError) {
        try removePeopleRows.bind(1, end)
        try removePeopleRows.run()
    }

    func pages() throws(SQLiteError) -> Int64 {
        defer {
            pageCount.reset()
            freeCount.reset()
        }
        guard try pageCount.step(), try freeCount.step() else { return 0 }
        return pageCount.integer(0) - freeCount.integer(0)
    }

    func erase(sequence: Int64) throws(SQLiteError) -> Bool {
        let row = try database.prepare(
            "SELECT id, received_at, type, source, length(payload), verified_by FROM events WHERE seq = ?")
        try row.bind(1, sequence)
        guard try row.step(), row.integer(4) > 0 else { return false }
        let id = unsafe row.withBytes(0) { unsafe IDCoding.id($0, at: 0) }
        let sum = unsafe RecordDigest.sum(
            id: id, receivedAtMs: row.integer(1), type: row.text(2) ?? "", source: row.text(3) ?? "",
            verifiedBy: row.isNull(5) ? nil : row.text(5), payload: UnsafeRawBufferPointer(start: nil, count: 0))
        row.reset()
        try database.execute(
            "UPDATE events SET payload = x'', sum = ? WHERE seq = ?",
            [.integer(Int64(bitPattern: RecordDigest.checksum(sum, sequence: sequence))), .integer(sequence)])
        try erasePeople(sequence: sequence)
        return true
    }

    private func erasePeople(sequence: Int64) throws(SQLiteError) {
        let row = try database.prepare("SELECT first, hashes FROM people WHERE first <= ? ORDER BY first DESC LIMIT 1")
        try row.bind(1, sequence)
        guard try row.step() else { return }
        let first = row.integer(0)
        var hashes = row.bytes(1)
        row.reset()
        let start = Int(sequence - first) * PeopleCoding.size
        guard start + PeopleCoding.size <= hashes.count else { return }
        for index in start..<start + PeopleCoding.size { hashes[index] = 0 }
        try database.execute("UPDATE people SET hashes = ? WHERE first = ?", [.blob(hashes), .integer(first)])
    }
}

/// How a row of `people` is laid out: three big-endian words a record.
enum PeopleCoding {
    static let size = 24
}
