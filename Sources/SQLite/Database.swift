internal import CSQLite

/// One connection. It is confined to one thread at a time: its owner (a thread, or a pool that lends it) sees to that.
@safe package final class Database {
    package enum Mode: Sendable {
        /// Creates the file, with mode 0600, when it is absent.
        case create
        case readWrite
        /// Reads only; the write-ahead log is neither copied back nor deleted when the connection closes.
        case readOnly
    }

    package enum Synchronous: String, Sendable {
        /// A commit is on disk when it returns.
        case full = "FULL"
        /// A power cut may take the last commits; a killed process loses nothing.
        case normal = "NORMAL"
    }

    package enum CheckpointMode: Sendable {
        /// Copies what it can without waiting for readers.
        case passive
        /// Waits for readers, then lets the log begin again at its start.
        case restart
        /// As `restart`, and cuts the log to nothing.
        case truncate
    }

    private let handle: OpaquePointer
    /// Written by SQLite's hook on the connection's thread.
    private let frames = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    package let path: String

    /// Opens `path`. `secure_delete` is on (what is deleted is overwritten) and nothing is mapped into memory.
    /// - Parameters:
    ///   - cacheKiB: the page cache's bound.
    ///   - busyTimeoutMs: how long to wait for another connection's lock.
    ///   - vfs: the name of a registered `sqlite3_vfs` that holds the file; nil for the system's file system.
    package init(
        path: String, mode: Mode, cacheKiB: Int = 512, busyTimeoutMs: Int32 = 5000, vfs: String? = nil
    ) throws(SQLiteError) {
        guard Self.isConfigured else {
            throw SQLiteError(code: .other, operation: "initialise", message: "the library could not be initialised")
        }
        if mode == .create, vfs == nil { try createPrivateFile(path) }
        var opened: OpaquePointer?
        let flags =
            SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            | (mode == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE)
            | (mode == .create && vfs != nil ? SQLITE_OPEN_CREATE : 0)
        let code = unsafe sqlite3_open_v2(path, &opened, flags, vfs)
        guard let opened = unsafe opened else {
            throw SQLiteError(extendedCode: code, operation: "open \(path)", message: "out of memory")
        }
        unsafe handle = opened
        unsafe frames.initialize(to: 0)
        self.path = path
        guard code == SQLITE_OK else { throw failure(code, "open \(path)") }
        // With a hook of our own SQLite does not checkpoint by itself.
        unsafe sqlite3_wal_hook(
            handle,
            { context, _, _, frames in
                unsafe context!.assumingMemoryBound(to: Int32.self).pointee = frames
                return SQLITE_OK
            }, frames)
        unsafe sqlite3_busy_timeout(handle, busyTimeoutMs)
        _ = unsafe gatehouse_sqlite_distrust_schema(handle)
        if mode == .readOnly { _ = unsafe gatehouse_sqlite_keep_wal_on_close(handle) }
        try execute("PRAGMA cache_size = -\(cacheKiB); PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;")
        if mode != .readOnly { try execute("PRAGMA secure_delete = ON") }
    }

    deinit {
        unsafe sqlite3_wal_hook(handle, nil, nil)
        unsafe frames.deallocate()
        // Statements that still live keep the connection until they are finalised.
        unsafe sqlite3_close_v2(handle)
    }

    /// Makes a new file a write-ahead log database that gives space back in steps, and sets how commits reach the disk.
    /// Nothing is copied back from the write-ahead log but by `checkpoint`.
    package func useWriteAheadLog(_ synchronous: Synchronous, pageSize: Int = 4096) throws(SQLiteError) {
        // Both are for a new file only; on another the second would be a commit at every opening.
        if try integer("PRAGMA page_count") == 0 {
            try execute("PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = INCREMENTAL;")
        }
        guard try text("PRAGMA journal_mode = WAL") == "wal" else {
            throw SQLiteError(
                code: .inaccessible, operation: "journal_mode", message: "\(path) cannot have a write-ahead log")
        }
        try execute("PRAGMA synchronous = \(synchronous.rawValue)")
    }

    /// Runs one or more statements without parameters and rows.
    package func execute(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    /// Runs one statement with its parameters in order, to its end.
    package func execute(_ sql: String, _ values: [SQLiteValue]) throws(SQLiteError) {
        let statement = try prepare(sql)
        try statement.bind(values)
        while try statement.step() {}
    }

    package func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        unsafe try Statement(database: handle, sql: sql)
    }

    /// The first column of the first row; nil when there is no row or it is null.
    package func integer(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        try statement.bind(values)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.integer(0)
    }

    /// The first column of the first row; nil when there is no row or it is null.
    package func text(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) -> String? {
        let statement = try prepare(sql)
        try statement.bind(values)
        guard try statement.step() else { return nil }
        return statement.text(0)
    }

    /// Calls `body` for each row.
    package func forEachRow(
        _ sql: String, _ values: [SQLiteValue] = [], _ body: (borrowing Statement) throws -> Void
    ) throws {
        let statement = try prepare(sql)
        try statement.bind(values)
        while try statement.step() { try body(statement) }
    }

    /// Rows changed by the last statement that ended.
    package var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

    package var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    package var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    /// Copies the write-ahead log back into the file. Only the writer's connection may do so.
    /// - Returns: frames in the log and how many of them were copied; (−1, −1) when another connection was in the way.
    @discardableResult
    package func checkpoint(_ mode: CheckpointMode) throws(SQLiteError) -> (frames: Int, copied: Int) {
        var frames: Int32 = 0
        var copied: Int32 = 0
        let raw =
            switch mode {
            case .passive: SQLITE_CHECKPOINT_PASSIVE
            case .restart: SQLITE_CHECKPOINT_RESTART
            case .truncate: SQLITE_CHECKPOINT_TRUNCATE
            }
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, raw, &frames, &copied)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else { throw failure(code, "checkpoint") }
        return code == SQLITE_OK ? (Int(frames), Int(copied)) : (-1, -1)
    }

    /// Frames in the write-ahead log after the last commit of this connection.
    package var walFrames: Int { unsafe Int(frames.pointee) }

    /// Closing this connection, though it is the last, then leaves the write-ahead log as it is.
    package func keepWriteAheadLogOnClose() {
        _ = unsafe gatehouse_sqlite_keep_wal_on_close(handle)
    }

    func failure(_ code: Int32, _ operation: String) -> SQLiteError {
        let error = SQLiteError(
            extendedCode: code, operation: operation, message: unsafe String(cString: sqlite3_errmsg(handle)))
        unsafe distrustWriteAheadLog(handle, after: error)
        return error
    }

    /// The library is configured once a process, before its first use.
    package static let isConfigured = gatehouse_sqlite_configure() == SQLITE_OK
}

/// After an I/O error the write-ahead log's file may not hold what its index says, once the system has given up pages it
/// could not write. Closing must not copy such frames into the database: whoever opens it next checks them first.
func distrustWriteAheadLog(_ handle: OpaquePointer?, after error: SQLiteError) {
    guard error.code == .inputOutput, let handle = unsafe handle else { return }
    _ = unsafe gatehouse_sqlite_keep_wal_on_close(handle)
}
