internal import SQLite
internal import Targets

/// Answers of receivers, each with a number. A receiver that answers the same again and again costs one row for all of it.
/// A new answer gets its number at once and is written with the next commit.
struct AnswerTable {
    /// How long an answer's row is used for further ones: after that time beyond what rows are kept it may go.
    static let lifetimeMs: Int64 = 3_600_000
    /// Answers remembered; the oldest are forgotten.
    private static let capacity = 128

    private struct Known {
        var id: Int64
        var atMs: Int64
    }

    private var known: [Answer: Known] = [:]
    /// Those known, in a ring.
    private var order: [Answer] = []
    private var oldest = 0
    private var last: (answer: Answer, known: Known)?
    private var lastID: Int64
    private var unsaved: [(id: Int64, atMs: Int64, answer: Answer)] = []

    init(_ database: Database) throws {
        lastID = try database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'answers'") ?? 0
    }

    /// - Parameter nowMs: the wall clock.
    mutating func id(_ answer: Answer, _ nowMs: Int64) -> Int64 {
        if let last, last.answer == answer, Self.isFresh(last.known, nowMs) { return last.known.id }
        let found: Known
        if let known = known[answer], Self.isFresh(known, nowMs) {
            found = known
        } else {
            lastID += 1
            found = Known(id: lastID, atMs: nowMs)
            unsaved.append((lastID, nowMs, answer))
            remember(answer, found)
        }
        last = (answer, found)
        return found.id
    }

    private static func isFresh(_ known: Known, _ nowMs: Int64) -> Bool {
        (known.atMs...known.atMs + lifetimeMs).contains(nowMs)
    }

    private mutating func remember(_ answer: Answer, _ entry: Known) {
        guard known.updateValue(entry, forKey: answer) == nil else { return }
        if order.count < Self.capacity { return order.append(answer) }
        known[order[oldest]] = nil
        order[oldest] = answer
        oldest = (oldest + 1) % Self.capacity
    }

    mutating func forget() {
        known.removeAll()
        order.removeAll()
        oldest = 0
        last = nil
    }

    /// Inside the transaction of a commit.
    func save(_ database: Database) throws {
        guard !unsaved.isEmpty else { return }
        let insert = try database.prepare(
            "INSERT INTO answers (id, at, header, body, is_cut) VALUES (?, ?, ?, ?, ?)")
        for (id, atMs, answer) in unsaved {
            try insert.run([
                .integer(id), .integer(atMs), .blob(answer.maskedHeaderLines), .blob(answer.body),
                .integer(answer.isCut ? 1 : 0),
            ])
        }
    }

    /// After that commit.
    mutating func saved() {
        unsaved.removeAll()
    }
}

/// Configurations of targets, each with a number, as `NameTable` has texts.
struct VersionTable {
    private var ids: [String: Int64] = [:]
    private var last: (version: TargetVersion, id: Int64)?
    private var lastID: Int64
    private var unsaved: [(id: Int64, version: TargetVersion)] = []

    init(_ database: Database) throws {
        lastID = try database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'target_versions'") ?? 0
        var ids: [String: Int64] = [:]
        try database.forEachRow("SELECT id, hash FROM target_versions") { row in
            if let hash = row.text(1) { ids[hash] = row.integer(0) }
        }
        self.ids = ids
    }

    mutating func id(_ version: TargetVersion) -> Int64 {
        if let last, last.version === version { return last.id }
        let id: Int64
        if let known = ids[version.hash] {
            id = known
        } else {
            lastID += 1
            id = lastID
            ids[version.hash] = id
            unsaved.append((id, version))
        }
        last = (version, id)
        return id
    }

    /// Its row was removed.
    mutating func remove(_ hash: String) {
        ids[hash] = nil
        last = nil
    }

    /// Inside the transaction of a commit.
    func save(_ database: Database) throws {
        for (id, version) in unsaved {
            try database.execute(
                "INSERT OR IGNORE INTO target_versions (id, hash, source) VALUES (?, ?, ?)",
                [.integer(id), .text(version.hash), .blob(version.source)])
        }
    }

    /// After that commit.
    mutating func saved() {
        unsaved.removeAll()
    }
}
