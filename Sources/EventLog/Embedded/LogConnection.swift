internal import Events
internal import Glibc
internal import SQLite

/// One read connection and its statements. Each method ends its statement before it returns, and reads at most what one
/// read may (1 000 rows or 1 MiB).
final class LogConnection {
    static let maximumRows = 1000
    static let maximumBytes = 1 << 20

    let database: Database
    private let ascending: Statement
    private let descending: Statement
    private let received: Statement
    private let peopleRows: Statement
    private var type = InternedText()
    private var source = InternedText()
    private var verifiedBy = InternedText()

    init(path: String, vfs: String?) throws(SQLiteError) {
        database = try Database(path: path, mode: .readOnly, cacheKiB: 256, vfs: vfs)
        let version = try database.schemaVersion(newest: LogSchema.migrations.count)
        let verifiedBy = version >= LogSchema.versionWithVerifiedBy ? "verified_by" : "NULL"
        let columns = "seq, sum, id, received_at, type, source, payload, \(verifiedBy)"
        ascending = try database.prepare(
            "SELECT \(columns) FROM events WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?")
        descending = try database.prepare(
            "SELECT \(columns) FROM events WHERE seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?")
        received = try database.prepare("SELECT seq, received_at FROM events WHERE seq >= ? ORDER BY seq LIMIT 1")
        peopleRows = try database.prepare("SELECT first, hashes FROM people WHERE first >= ? ORDER BY first LIMIT 64")
    }

    /// What stopped a run of records before its end.
    enum Stop: Equatable {
        case end
        /// The count or the bytes asked for were reached.
        case limit
        case damaged(sequence: Int64, reason: String)
    }

    /// Calls `body` with records in order until it returns false. Bytes are counted after the record that exceeds them.
    func forEachRecord(
        from first: Int64, below end: Int64, descending isDescending: Bool = false, maximumRows: Int,
        maximumBytes: Int, _ body: (LogRecord) -> Bool
    ) throws(SQLiteError) -> Stop {
        if isDescending {
            return try run(descending, first, end, maximumRows, maximumBytes, body)
        }
        return try run(ascending, first, end, maximumRows, maximumBytes, body)
    }

    private func run(
        _ statement: borrowing Statement, _ first: Int64, _ end: Int64, _ maximumRows: Int, _ maximumBytes: Int,
        _ body: (LogRecord) -> Bool
    ) throws(SQLiteError) -> Stop {
        let rows = min(maximumRows, Self.maximumRows)
        try statement.bind(1, first)
        try statement.bind(2, end)
        try statement.bind(3, Int64(rows))
        defer { statement.reset() }
        var count = 0
        var bytes = 0
        while try statement.step() {
            guard let record = record(statement) else {
                return .damaged(sequence: statement.integer(0), reason: "does not match its checksum")
            }
            bytes += record.payload.count
            if count > 0, bytes > min(maximumBytes, Self.maximumBytes) { return .limit }
            count += 1
            guard body(record) else { return .limit }
        }
        return count == rows ? .limit : .end
    }

    /// The row the statement stands on; nil when its checksum does not match.
    private func record(_ row: borrowing Statement) -> LogRecord? {
        let sequence = row.integer(0)
        let sum = UInt64(bitPattern: row.integer(1))
        let id = unsafe row.withBytes(2) { bytes in
            unsafe bytes.count == IDCoding.size ? IDCoding.id(bytes, at: 0) : nil
        }
        guard let id else { return nil }
        let receivedAtMs = row.integer(3)
        let type = unsafe row.withBytes(4) { unsafe self.type.text($0) }
        let source = unsafe row.withBytes(5) { unsafe self.source.text($0) }
        let verifiedBy = row.isNull(7) ? nil : unsafe row.withBytes(7) { unsafe self.verifiedBy.text($0) }
        let (payload, expected) = unsafe row.withBytes(6) { bytes in
            let sum = unsafe RecordDigest.sum(
                id: id, receivedAtMs: receivedAtMs, type: type, source: source, verifiedBy: verifiedBy, payload: bytes)
            return (unsafe Array(bytes), RecordDigest.checksum(sum, sequence: sequence))
        }
        guard sum == expected else { return nil }
        return LogRecord(
            place: RecordPlace(partition: 0, offset: sequence), id: id, type: type, receivedAtMs: receivedAtMs,
            source: source, verifiedBy: verifiedBy, payload: payload)
    }

    /// The first record at or after a sequence, and when it was received.
    func received(atOrAfter sequence: Int64) throws(SQLiteError) -> (sequence: Int64, atMs: Int64)? {
        try received.bind(1, sequence)
        defer { received.reset() }
        guard try received.step() else { return nil }
        return (received.integer(0), received.integer(1))
    }

    /// Sequences of records with a person's hash, among the next rows of the index.
    /// - Returns: where to go on; nil at the end.
    func people(_ hash: UInt64, from first: Int64, into found: inout [Int64]) throws(SQLiteError) -> Int64? {
        try peopleRows.bind(1, first)
        defer { peopleRows.reset() }
        var next: Int64?
        while try peopleRows.step() {
            let start = peopleRows.integer(0)
            next = start + 1
            unsafe peopleRows.withBytes(1) { bytes in
                for offset in stride(from: 0, to: bytes.count & ~7, by: 8)
                where unsafe IDCoding.word(bytes, at: offset) == hash {
                    let sequence = start + Int64(offset / PeopleCoding.size)
                    if found.last != sequence { found.append(sequence) }
                }
            }
        }
        return next
    }

    /// The sequence of the record with an id; 0 for an id without a record, nil for an unknown one.
    func sequence(of id: EventID) throws -> Int64? {
        // One snapshot for all tables: an id may move from the recent ones to a run meanwhile.
        try database.execute("BEGIN")
        defer { try? database.execute("COMMIT") }
        var found: Int64?
        try database.forEachRow("SELECT first, ids FROM recent_ids ORDER BY first DESC") { row in
            guard found == nil else { return }
            unsafe row.withBytes(1) { bytes in
                for offset in stride(from: 0, to: bytes.count - IDCoding.size + 1, by: IDCoding.size)
                where unsafe IDCoding.id(bytes, at: offset) == id {
                    found = row.integer(0) + Int64(offset / IDCoding.size)
                }
            }
        }
        if let found { return found }
        let slot = try database.prepare("SELECT ids FROM id_slots WHERE slot = ?")
        try database.forEachRow("SELECT run, slots FROM id_runs ORDER BY run DESC") { row in
            guard found == nil else { return }
            try slot.bind(1, IDRun.row(run: row.integer(0), slot: IDRun.slot(of: id, slots: Int(row.integer(1)))))
            if try slot.step() { found = unsafe slot.withBytes(0) { unsafe IDRun.sequence(of: id, in: $0) } }
            slot.reset()
        }
        return found
    }
}

/// The last text of a column: neighbours mostly share theirs.
private struct InternedText {
    private var last = ""

    mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let same = unsafe last.utf8Span.span.withUnsafeBytes { last in
            unsafe last.count == bytes.count
                && (last.isEmpty || memcmp(last.baseAddress!, bytes.baseAddress!, bytes.count) == 0)
        }
        if !same { last = unsafe String(decoding: bytes, as: UTF8.self) }
        return last
    }
}
