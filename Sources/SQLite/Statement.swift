internal import CSQLite

/// A prepared statement: bound, stepped, read, reset. Of one connection, on that connection's thread.
@safe package struct Statement: ~Copyable {
    private let handle: OpaquePointer

    init(database: OpaquePointer, sql: String) throws(SQLiteError) {
        var prepared: OpaquePointer?
        var sql = sql
        let code = sql.withUTF8 { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe sqlite3_prepare_v3(
                    database, text.baseAddress, Int32(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            }
        }
        guard code == SQLITE_OK, let prepared = unsafe prepared else {
            let message = code == SQLITE_OK ? "no statement" : unsafe String(cString: sqlite3_errmsg(database))
            let error = SQLiteError(extendedCode: code, operation: sql, message: message)
            unsafe distrustWriteAheadLog(database, after: error)
            throw error
        }
        unsafe handle = prepared
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    // MARK: Parameters, counted from 1

    package func bind(_ index: Int32, _ value: Int64) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_int64(handle, index, value), "bind")
    }

    package func bind(_ index: Int32, _ value: Double) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_double(handle, index, value), "bind")
    }

    package func bind(_ index: Int32, _ value: String) throws(SQLiteError) {
        var value = value
        let code = value.withUTF8 { text in
            unsafe withPointer(UnsafeRawBufferPointer(text)) { pointer, count in
                unsafe gatehouse_sqlite_bind_text_copied(
                    handle, index, pointer.assumingMemoryBound(to: CChar.self), count)
            }
        }
        try check(code, "bind")
    }

    package func bind(_ index: Int32, _ value: [UInt8]) throws(SQLiteError) {
        let code = unsafe value.withUnsafeBytes { bytes in
            unsafe withPointer(bytes) { pointer, count in
                unsafe gatehouse_sqlite_bind_blob_copied(handle, index, pointer, count)
            }
        }
        try check(code, "bind")
    }

    /// Binds bytes without copying them: they must live and stay as they are until the next `reset`.
    package func bind(_ index: Int32, borrowing bytes: UnsafeRawBufferPointer) throws(SQLiteError) {
        let code = unsafe withPointer(bytes) { pointer, count in
            unsafe gatehouse_sqlite_bind_blob_borrowed(handle, index, pointer, count)
        }
        try check(code, "bind")
    }

    /// Binds UTF-8 text without copying it: it must live and stay as it is until the next `reset`.
    package func bind(_ index: Int32, borrowingText text: UnsafeRawBufferPointer) throws(SQLiteError) {
        let code = unsafe withPointer(text) { pointer, count in
            unsafe gatehouse_sqlite_bind_text_borrowed(
                handle, index, pointer.assumingMemoryBound(to: CChar.self), count)
        }
        try check(code, "bind")
    }

    package func bindNull(_ index: Int32) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_null(handle, index), "bind")
    }

    package func bind(_ index: Int32, _ value: SQLiteValue) throws(SQLiteError) {
        switch value {
        case .null: try bindNull(index)
        case .integer(let value): try bind(index, value)
        case .real(let value): try bind(index, value)
        case .text(let value): try bind(index, value)
        case .blob(let value): try bind(index, value)
        }
    }

    package func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        var index: Int32 = 1
        for value in values {
            try bind(index, value)
            index += 1
        }
    }

    // MARK: Running

    /// True when there is a row to read, false at the end.
    package func step() throws(SQLiteError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = failure(code)
            unsafe sqlite3_reset(handle)
            throw error
        }
    }

    /// Ends the statement, which gives up its read lock; the parameters stay bound.
    package func reset() {
        unsafe sqlite3_reset(handle)
    }

    /// Ends the statement and forgets its parameters.
    package func clear() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    /// Steps to the end and resets.
    package func run() throws(SQLiteError) {
        while try step() {}
        reset()
    }

    /// Binds, steps to the end and resets.
    package func run(_ values: [SQLiteValue]) throws(SQLiteError) {
        try bind(values)
        try run()
    }

    // MARK: Columns, counted from 0

    package func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    package func integer(_ column: Int32) -> Int64 {
        unsafe sqlite3_column_int64(handle, column)
    }

    package func double(_ column: Int32) -> Double {
        unsafe sqlite3_column_double(handle, column)
    }

    /// Nil for null; ill-formed UTF-8 is repaired.
    package func text(_ column: Int32) -> String? {
        guard let pointer = unsafe sqlite3_column_text(handle, column) else { return nil }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: pointer, count: count), as: UTF8.self)
    }

    /// A copy; empty for null.
    package func bytes(_ column: Int32) -> [UInt8] {
        unsafe withBytes(column) { unsafe Array($0) }
    }

    package var columnCount: Int32 { unsafe sqlite3_column_count(handle) }

    package func value(_ column: Int32) -> SQLiteValue {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(double(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .blob(bytes(column))
        default: .null
        }
    }

    /// Lends the column's bytes, which are gone after the next step.
    package func withBytes<Result, Failure: Error>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let pointer = unsafe sqlite3_column_blob(handle, column)
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return try unsafe body(UnsafeRawBufferPointer(start: pointer, count: unsafe pointer == nil ? 0 : count))
    }

    private func check(_ code: Int32, _ operation: String) throws(SQLiteError) {
        guard code != SQLITE_OK else { return }
        throw failure(code)
    }

    private func failure(_ code: Int32) -> SQLiteError {
        let sql = unsafe sqlite3_sql(handle).map { unsafe String(cString: $0) } ?? "statement"
        let message = unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
        let error = SQLiteError(extendedCode: code, operation: sql, message: message)
        unsafe distrustWriteAheadLog(sqlite3_db_handle(handle), after: error)
        return error
    }
}

/// Lends a pointer that is never nil: SQLite reads a nil pointer as NULL, and an empty value is not NULL.
private func withPointer(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawPointer, UInt64) -> Int32) -> Int32 {
    if let pointer = bytes.baseAddress { return unsafe body(pointer, UInt64(bytes.count)) }
    return unsafe withUnsafeBytes(of: 0 as UInt8) { unsafe body($0.baseAddress!, 0) }
}
