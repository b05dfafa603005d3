internal import SQLite

/// Texts that many rows repeat, each with a number. A new text gets its number at once and is written with the next commit,
/// so that a commit that fails leaves nothing to undo.
struct NameTable {
    private let table: String
    private let column: String
    private var ids: [String: Int64] = [:]
    private var lastID: Int64 = 0
    private var unsaved: [(id: Int64, name: String)] = []
    private let limit: Int

    /// - Parameter limit: further texts share one row, `other`.
    init(_ database: Database, table: String, column: String, limit: Int) throws {
        self.table = table
        self.column = column
        self.limit = limit
        var ids: [String: Int64] = [:]
        var lastID: Int64 = 0
        try database.forEachRow("SELECT id, \(column) FROM \(table)") { row in
            lastID = max(lastID, row.integer(0))
            if let name = row.text(1) { ids[name] = row.integer(0) }
        }
        self.ids = ids
        self.lastID = lastID
    }

    mutating func id(_ name: String) -> Int64 {
        if let id = ids[name] { return id }
        if ids.count >= limit, name != "other" { return id("other") }
        lastID += 1
        ids[name] = lastID
        unsaved.append((lastID, name))
        return lastID
    }

    /// Inside the transaction of a commit.
    func save(_ database: Database) throws {
        for (id, name) in unsaved {
            try database.execute(
                "INSERT OR IGNORE INTO \(table) (id, \(column)) VALUES (?, ?)", [.integer(id), .text(name)])
        }
    }

    /// After that commit.
    mutating func saved() {
        unsaved.removeAll()
    }
}
