internal import EventLog
internal import SQLite
internal import Targets

/// What a delivery's row says of its request.
struct StoredExchange {
    var digest: [UInt8]?
    /// Seconds.
    var signedBefore: Int64?
    var version: Int64?
    var answer: Int64?
    var batch: Int64?
}

/// Writes what was sent and answered beside the rows of deliveries. What many of them share is written once: an ordinary
/// delivery adds nothing to its row. Of the writer's connection.
final class ExchangeWriter {
    private let database: Database
    private var answers: AnswerTable
    private var versions: VersionTable
    private let insertBatch: Statement
    private let putBody: Statement
    /// The batches whose events are being written, the newest last.
    private var batches: [(request: RequestedBatch, id: Int64)] = []
    private static let maximumBatches = 16

    init(_ database: Database) throws {
        self.database = database
        answers = try AnswerTable(database)
        versions = try VersionTable(database)
        insertBatch = try database.prepare(
            "INSERT INTO batches (at, digest, signed_before, version, answer, members) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        // Writing a row again costs its whole text, so its time is only roughly kept.
        putBody = try database.prepare(
            """
            INSERT INTO sent_bodies (digest, at, size, body) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (digest) DO UPDATE SET at = ?2 WHERE at < ?2 - \(AnswerTable.lifetimeMs)
            """)
    }

    /// A commit begins: what another one wrote may have been undone.
    func begin() { batches.removeAll() }

    /// Inside the transaction of a commit.
    func save() throws {
        try answers.save(database)
        try versions.save(database)
    }

    /// After that commit.
    func saved() {
        answers.saved()
        versions.saved()
    }

    /// Forgets which answers have a row: rows may have been emptied.
    func forgetAnswers() { answers.forget() }

    /// A configuration's row was removed.
    func removeVersion(_ hash: String) { versions.remove(hash) }

    /// Inside the transaction of a commit.
    func put(_ entry: HistoryEntry) throws -> StoredExchange {
        if let request = entry.batch { return StoredExchange(batch: try put(request, entry.atMs)) }
        guard let exchange = entry.exchange else { return StoredExchange() }
        if exchange.request != nil { try putBody(exchange, entry.atMs) }
        return StoredExchange(
            digest: exchange.digest, signedBefore: exchange.signedAtSeconds.map { entry.atMs / 1000 - $0 },
            version: exchange.version.map { versions.id($0) },
            answer: exchange.answer.map { answers.id($0, entry.atMs) })
    }

    private func put(_ request: RequestedBatch, _ atMs: Int64) throws -> Int64 {
        if let batch = batches.last(where: { $0.request === request }) { return batch.id }
        let exchange = request.exchange
        if exchange.request != nil { try putBody(exchange, atMs) }
        try insertBatch.bind(1, atMs)
        try insertBatch.bind(2, exchange.digest)
        try insertBatch.bind(3, exchange.signedAtSeconds.map { atMs / 1000 - $0 })
        try insertBatch.bind(4, exchange.version.map { versions.id($0) })
        try insertBatch.bind(5, exchange.answer.map { answers.id($0, atMs) })
        try insertBatch.bind(6, RecordPlace.encode(request.places))
        try insertBatch.run()
        insertBatch.clear()
        let id = database.lastInsertedRow
        if batches.count == Self.maximumBatches { batches.removeFirst() }
        batches.append((request, id))
        return id
    }

    private func putBody(_ exchange: Exchange, _ atMs: Int64) throws {
        guard let body = exchange.request else { return }
        try putBody.bind(1, exchange.digest)
        try putBody.bind(2, atMs)
        try putBody.bind(3, Int64(exchange.size))
        try putBody.bind(4, body)
        try putBody.run()
        putBody.clear()
    }
}
