extension Database {
    /// Begins a write transaction at once, so that no later statement of it can fail for another's lock.
    package func begin() throws(SQLiteError) {
        try execute("BEGIN IMMEDIATE")
    }

    package func commit() throws(SQLiteError) {
        try execute("COMMIT")
    }

    /// Ends the transaction, if SQLite has not ended it already after its own error.
    package func rollBack() {
        guard isInTransaction else { return }
        try? execute("ROLLBACK")
    }

    /// Runs `body` in a write transaction: committed when it returns, rolled back when it throws.
    package func withTransaction<Result>(_ body: () throws -> Result) throws -> Result {
        try begin()
        do {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}
