internal import CSQLite

/// What SQLite refused. The message is SQLite's own, which names tables and columns but no bound values.
package struct SQLiteError: Error, Sendable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    package enum Code: Sendable {
        /// `SQLITE_FULL`: the disk, or the file's own bound, is full.
        case full
        /// `SQLITE_BUSY` or `SQLITE_LOCKED`: another connection is in the way.
        case busy
        /// `SQLITE_IOERR`: the disk failed; what was under way may or may not have been kept.
        case inputOutput
        /// `SQLITE_CORRUPT` or `SQLITE_NOTADB`: the file is damaged, or is no database.
        case damaged
        /// `SQLITE_CONSTRAINT`.
        case constraint
        /// `SQLITE_CANTOPEN`, `SQLITE_PERM`, `SQLITE_READONLY` or `SQLITE_AUTH`.
        case inaccessible
        /// A file written by a newer version of the program.
        case newerSchema
        case other
    }

    package let code: Code
    /// SQLite's extended result code (https://www.sqlite.org/rescode.html).
    package let extendedCode: Int32
    /// What was being done, such as `commit` or the statement's text.
    package let operation: String
    package let message: String

    package init(code: Code, extendedCode: Int32 = 0, operation: String, message: String) {
        self.code = code
        self.extendedCode = extendedCode
        self.operation = operation
        self.message = message
    }

    init(extendedCode: Int32, operation: String, message: String) {
        self.init(
            code: Self.code(for: extendedCode), extendedCode: extendedCode, operation: operation, message: message)
    }

    /// Whether a failed `fsync` (or a check of the disk that stands for one) is behind it.
    package var isSyncFailure: Bool {
        extendedCode == SQLITE_IOERR | (4 << 8) || extendedCode == SQLITE_IOERR | (5 << 8)
    }

    package var description: String {
        "SQLite: \(operation): \(message)" + (extendedCode == 0 ? "" : " (code \(extendedCode))")
    }

    private static func code(for extendedCode: Int32) -> Code {
        switch extendedCode & 0xFF {
        case SQLITE_FULL: .full
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_IOERR: .inputOutput
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
        case SQLITE_CONSTRAINT: .constraint
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH: .inaccessible
        default: .other
        }
    }
}
