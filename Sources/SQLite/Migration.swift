/// One step of a file's schema: brings version n − 1 to n, where n is its place in the list, counted from 1.
package struct Migration: Sendable {
    let apply: @Sendable (Database) throws -> Void

    package init(_ sql: String) {
        apply = { database in try database.execute(sql) }
    }

    package init(_ apply: @escaping @Sendable (Database) throws -> Void) {
        self.apply = apply
    }
}

extension Database {
    /// Brings the schema (`user_version`) up to the last migration, each step in a transaction of its own.
    /// - Throws: `SQLiteError` with `newerSchema` when the file was written by a newer version of the program.
    package func migrate(_ migrations: [Migration]) throws {
        let version = try schemaVersion(newest: migrations.count)
        for (index, migration) in migrations.enumerated().dropFirst(version) {
            try withTransaction {
                try migration.apply(self)
                try execute("PRAGMA user_version = \(index + 1)")
            }
        }
    }

    /// The schema's version, 0 for a new file.
    /// - Throws: `SQLiteError` with `newerSchema` when it is above `newest`.
    package func schemaVersion(newest: Int) throws(SQLiteError) -> Int {
        let version = Int(try integer("PRAGMA user_version") ?? 0)
        guard version <= newest else {
            throw SQLiteError(
                code: .newerSchema, operation: "open \(path)",
                message: "the file has schema version \(version) and this program knows up to \(newest): "
                    + "it was written by a newer version; run that one, or start with another data folder")
        }
        return version
    }
}
