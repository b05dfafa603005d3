internal import Events
internal import SQLite

/// Writes a log anew from what can be read of one whose structure is broken. What cannot be read becomes a loss range.
struct LogSalvage {
    private let path: String
    private let expectedNext: Int64
    private let options: EventLogOptions

    init(path: String, expectedNext: Int64, options: EventLogOptions) {
        self.path = path
        self.expectedNext = expectedNext
        self.options = options
    }

    private var folder: String { String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)) }

    func run() throws {
        let made = path + ".salvaged"
        let files = options.files
        for suffix in ["", "-wal", "-shm"] { files.remove(made + suffix) }
        do {
            let file = try LogFile(path: made, options: options)
            try fill(file.database)
            try file.database.checkpoint(.truncate)
        }
        for suffix in ["-wal", "-shm"] { files.remove(path + suffix) }
        try files.rename(made, to: path)
        for suffix in ["-wal", "-shm"] { files.remove(made + suffix) }
        files.synchronize(folder: folder)
    }

    private func fill(_ made: Database) throws {
        let old = try? Database(path: path, mode: .readOnly, vfs: options.files.vfs)
        for table in ["sources", "quarantine", "people", "losses", "log"] { copy(table, from: old, to: made) }
        let beginning = try made.integer("SELECT beginning FROM log") ?? 1
        let next = max(expectedNext, try made.integer("SELECT next FROM log") ?? 1)
        let ids = try copyEvents(beginning..<next, to: made)
        try made.execute("UPDATE log SET next = ?", [.integer(next)])
        let runs = try Dedupe(made, next: next, recentIDs: options.recentIDs)
        for start in stride(from: 0, to: ids.count, by: options.recentIDs) {
            try runs.add(Array(ids[start..<min(start + options.recentIDs, ids.count)]), nowMs: options.now())
        }
    }

    /// Takes over rows of a small table until one cannot be read.
    private func copy(_ table: String, from old: Database?, to made: Database) {
        guard let old else { return }
        try? made.withTransaction {
            try old.forEachRow("SELECT * FROM \(table)") { row in
                let marks = Array(repeating: "?", count: Int(row.columnCount)).joined(separator: ", ")
                try made.execute(
                    "INSERT OR REPLACE INTO \(table) VALUES (\(marks))", (0..<row.columnCount).map { row.value($0) })
            }
        }
    }

    /// One record after the other, so that a page that cannot be read takes only its own with it.
    /// - Returns: the ids of what was taken over.
    private func copyEvents(_ range: Range<Int64>, to made: Database) throws -> [EventID] {
        var ids: [EventID] = []
        var lost: Range<Int64>?
        var losses: [Range<Int64>] = []
        let connection = try? LogConnection(path: path, vfs: options.files.vfs)
        let insert = try LogStatements(made)
        try made.begin()
        for sequence in range {
            var found: LogRecord?
            _ = try? connection?.forEachRecord(
                from: sequence, below: sequence + 1, maximumRows: 1, maximumBytes: .max
            ) { record in
                found = record
                return true
            }
            if let found {
                try insert.insertEvent(found)
                ids.append(found.id)
            } else if lost?.upperBound == sequence {
                lost = lost!.lowerBound..<sequence + 1
            } else {
                if let lost { losses.append(lost) }
                lost = sequence..<sequence + 1
            }
            if sequence % 1000 == 0 {
                try made.commit()
                try made.begin()
            }
        }
        if let lost { losses.append(lost) }
        for loss in losses {
            try made.execute(
                "INSERT OR REPLACE INTO losses (first, last, found_at, reason) VALUES (?, ?, ?, ?)",
                [
                    .integer(loss.lowerBound), .integer(loss.upperBound - 1), .integer(options.now()),
                    .text("could not be read"),
                ])
        }
        try made.commit()
        return ids
    }
}
