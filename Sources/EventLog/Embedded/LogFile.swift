internal import Events
internal import SQLite

/// The writer's side of `events.db`: its connection, its statements, and in memory what each append needs. Confined to
/// one thread at a time. Changes belong to the open transaction; `commit` and `rollBack` keep memory and file together.
final class LogFile {
    /// Two or three times as many events fit a page of this size without waste, and half as many pages are written.
    static let pageSize = 8192
    /// Retention's share of a commit, in rows.
    static let removalsPerCommit: Int64 = 1000

    let database: Database
    let dedupe: Dedupe
    let personHash: PersonHash

    /// The next sequence to be given.
    private(set) var next: Int64
    /// The oldest sequence that is kept.
    private(set) var beginning: Int64
    private(set) var system: Int64
    private(set) var sources: [String: LogStatistics.Source]
    private(set) var losses: [LossRange]

    private var transaction: OpenTransaction
    private var oldest: (sequence: Int64, receivedMs: Int64?)?
    private let statements: LogStatements

    /// What a transaction has changed, until it is committed.
    private struct OpenTransaction {
        let first: Int64
        var next: Int64
        var beginning: Int64
        var system: Int64
        var sources: [String: LogStatistics.Source] = [:]
        var people: [UInt8] = []
        var hasPeople = false
    }

    /// - Parameter path: of a file whose write-ahead log has been checked.
    init(path: String, options: EventLogOptions) throws {
        database = try Database(
            path: path, mode: .create, cacheKiB: 4096, busyTimeoutMs: 250, vfs: options.files.vfs)
        try database.useWriteAheadLog(.full, pageSize: Self.pageSize)
        try database.migrate(LogSchema.migrations)
        statements = try LogStatements(database)
        let content = try LogContent(database)
        (next, beginning, system) = (content.next, content.beginning, content.system)
        personHash = PersonHash(key: content.personKey)
        sources = content.sources
        losses = content.losses
        transaction = OpenTransaction(first: next, next: next, beginning: beginning, system: system)
        dedupe = try Dedupe(database, next: next, recentIDs: options.recentIDs)
    }

    // MARK: Transactions

    func begin() throws(SQLiteError) {
        transaction = OpenTransaction(first: next, next: next, beginning: beginning, system: system)
        try statements.begin.run()
    }

    /// Writes what the transaction has gathered, and commits. What it throws leaves everything as it was, in memory and,
    /// unless it is an I/O error, on disk.
    /// - Returns: the sources whose counts it changed.
    @discardableResult
    func commit(nowMs: Int64) throws(SQLiteError) -> [String: LogStatistics.Source] {
        try dedupe.write(nowMs: nowMs)
        if transaction.hasPeople { try statements.insertPeople(first: transaction.first, transaction.people) }
        for (name, source) in transaction.sources { try statements.writeSource(name, source) }
        try statements.writeLog(
            next: transaction.next, beginning: transaction.beginning, system: transaction.system)
        try statements.commit.run()
        next = transaction.next
        beginning = transaction.beginning
        system = transaction.system
        sources.merge(transaction.sources) { _, new in new }
        dedupe.didCommit(nowMs: nowMs)
        return transaction.sources
    }

    func rollBack() {
        database.rollBack()
        dedupe.didRollBack()
        statements.reset()
    }

    // MARK: What a transaction does

    /// Appends a record, or counts it as a repeat.
    func append(_ record: NewRecord, _ digest: RecordDigest) throws(SQLiteError) -> AppendOutcome {
        if try dedupe.sequence(of: record.id) != nil {
            if !LogRecord.isSystem(record.type) { count(record.source) { $0.duplicates += 1 } }
            return .duplicate
        }
        let sequence = transaction.next
        try statements.insertEvent(record, digest, sequence: sequence)
        dedupe.append(record.id)
        transaction.next += 1
        for index in digest.people.indices {
            IDCoding.append(digest.people[index], to: &transaction.people)
            if digest.people[index] != 0 { transaction.hasPeople = true }
        }
        if LogRecord.isSystem(record.type) {
            transaction.system += 1
        } else {
            count(record.source) {
                $0.accepted += 1
                $0.lastAcceptedMs = record.receivedAtMs
            }
        }
        return .appended(RecordPlace(partition: 0, offset: sequence))
    }

    /// Keeps an element unless it is there already.
    func quarantine(_ element: QuarantinedElement) throws(SQLiteError) {
        try statements.insertQuarantined(element)
        if database.changes > 0 { count(element.source) { $0.quarantined += 1 } }
    }

    private func count(_ source: String, _ change: (inout LogStatistics.Source) -> Void) {
        change(&transaction.sources[source, default: sources[source] ?? LogStatistics.Source()])
    }

    /// Removes the oldest records, as many as may go: at most 1 000, below `limit`, and, unless `regardlessOfAge`,
    /// received before `cutMs`.
    /// - Returns: how many went.
    func removeOldest(below limit: Int64, cutMs: Int64, regardlessOfAge: Bool) throws(SQLiteError) -> Int64 {
        let first = transaction.beginning
        var end = min(limit, first + Self.removalsPerCommit, transaction.first)
        if !regardlessOfAge { end = try statements.firstReceived(from: first, to: end, atOrAfterMs: cutMs) ?? end }
        guard end > first else { return 0 }
        try statements.removeEvents(below: end)
        try statements.removePeople(below: end)
        transaction.beginning = end
        return end - first
    }

    /// Removes the oldest quarantined elements received before `cutMs`, at most 1 000.
    func removeQuarantined(beforeMs cutMs: Int64) throws(SQLiteError) -> Int64 {
        try database.execute(
            "DELETE FROM quarantine WHERE received_at < ? AND entry IN (SELECT entry FROM quarantine ORDER BY entry LIMIT ?)",
            [.integer(cutMs), .integer(Self.removalsPerCommit)])
        return Int64(database.changes)
    }

    /// When the oldest record that is kept was received; nil when there is none.
    func oldestReceivedMs() throws(SQLiteError) -> Int64? {
        if oldest?.sequence != beginning {
            oldest = (beginning, try statements.receivedMs(atOrAfter: beginning))
        }
        if oldest?.receivedMs == nil { oldest = nil }
        return oldest?.receivedMs
    }

    func oldestQuarantinedMs() throws(SQLiteError) -> Int64? {
        try database.integer("SELECT received_at FROM quarantine ORDER BY entry LIMIT 1")
    }

    /// Takes a record's content away; its row, its id and its place remain. False when there is nothing to take.
    func erase(sequence: Int64) throws(SQLiteError) -> Bool {
        try statements.erase(sequence: sequence)
    }

    func eraseQuarantined(key: String) throws(SQLiteError) -> Bool {
        try database.execute("DELETE FROM quarantine WHERE key = ?", [.text(key)])
        return database.changes > 0
    }

    // MARK: Giving up what is lost

    /// Records that a range of sequences is lost, in a transaction of its own. The file is to be opened anew afterwards.
    func giveUp(_ loss: LossRange, nowMs: Int64) throws {
        try database.withTransaction {
            try database.execute(
                "DELETE FROM losses WHERE first BETWEEN ? AND ?", [.integer(loss.first), .integer(loss.last)])
            try database.execute(
                "INSERT OR REPLACE INTO losses (first, last, found_at, reason) VALUES (?, ?, ?, ?)",
                [.integer(loss.first), .integer(loss.last), .integer(nowMs), .text(loss.reason)])
            try database.execute(
                "DELETE FROM events WHERE seq BETWEEN ? AND ?", [.integer(loss.first), .integer(loss.last)])
            try database.execute("UPDATE log SET next = max(next, ?)", [.integer(loss.last + 1)])
        }
    }

    // MARK: Space

    /// Used pages, in bytes.
    func usedBytes() throws(SQLiteError) -> Int64 {
        try statements.pages() * Int64(Self.pageSize)
    }

    /// Gives 2 MiB of free pages back to the file system, where a quarter of the file or more is free.
    /// - Returns: whether there was something to give back.
    func giveBackSpace() throws(SQLiteError) -> Bool {
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        let all = try database.integer("PRAGMA page_count") ?? 0
        guard free * Int64(Self.pageSize) > 8 << 20, free > all / 4 else { return false }
        try database.execute("PRAGMA incremental_vacuum(\((2 << 20) / Self.pageSize))")
        return true
    }
}
