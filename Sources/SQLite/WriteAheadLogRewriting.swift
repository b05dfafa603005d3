internal import CSQLite

extension Database {
    /// Writes a database's write-ahead log over itself, byte for byte, and syncs it, before anybody opens the database.
    ///
    /// After a failed sync the system may show pages that it has given up and will never write, and call the next sync a
    /// success. Bytes that are written once more are its to save again: when this returns, what can be read of the log is
    /// what a power cut leaves of it. Copied into the database before, a commit whose frames vanish later would stay there
    /// in part.
    /// - Parameters:
    ///   - path: of the database, which no connection may have open.
    ///   - vfs: the name of a registered `sqlite3_vfs` that holds the file; nil for the system's file system.
    /// - Throws: when it cannot be read, written or synced: then the database is not to be opened.
    package static func rewriteWriteAheadLog(of path: String, vfs: String? = nil) throws(SQLiteError) {
        guard let log = try WriteAheadLogFile(path + "-wal", vfs: vfs) else { return }
        var offset: Int64 = 0
        let size = try log.size
        // A file system of SQLite's takes no more than its largest page at once.
        var buffer = [UInt8](repeating: 0, count: Int(min(size, 1 << 16)))
        while offset < size {
            let count = Int(min(size - offset, Int64(buffer.count)))
            try log.rewrite(&buffer, count, at: offset)
            offset += Int64(count)
        }
        if size > 0 { try log.synchronize() }
    }
}

/// The log's file as SQLite's own file system opens it.
@safe private final class WriteAheadLogFile {
    private let file: UnsafeMutablePointer<sqlite3_file>
    private let path: String

    /// Nil when there is none.
    init?(_ path: String, vfs name: String?) throws(SQLiteError) {
        self.path = path
        guard Database.isConfigured, let vfs = unsafe sqlite3_vfs_find(name) else {
            throw SQLiteError(code: .other, operation: "open \(path)", message: "there is no such file system")
        }
        var exists: Int32 = 0
        var code = unsafe vfs.pointee.xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &exists)
        guard code == SQLITE_OK else { throw Self.failure(code, "access \(path)") }
        guard exists != 0 else { return nil }
        let place = UnsafeMutableRawPointer.allocate(byteCount: Int(unsafe vfs.pointee.szOsFile), alignment: 16)
        unsafe place.initializeMemory(as: UInt8.self, repeating: 0, count: Int(vfs.pointee.szOsFile))
        unsafe file = place.assumingMemoryBound(to: sqlite3_file.self)
        // With `CREATE` its first sync brings its name onto the disk too.
        code = unsafe vfs.pointee.xOpen(
            vfs, path, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, nil)
        // The instance is whole from here on: its end closes the file and frees the memory.
        guard code == SQLITE_OK else { throw Self.failure(code, "open \(path)") }
    }

    deinit {
        if let methods = unsafe file.pointee.pMethods { _ = unsafe methods.pointee.xClose(file) }
        unsafe UnsafeMutableRawPointer(file).deallocate()
    }

    private var methods: sqlite3_io_methods { unsafe file.pointee.pMethods.pointee }

    var size: Int64 {
        get throws(SQLiteError) {
            var size: Int64 = 0
            let code = unsafe methods.xFileSize(file, &size)
            guard code == SQLITE_OK else { throw Self.failure(code, "size of \(path)") }
            return size
        }
    }

    func rewrite(_ buffer: inout [UInt8], _ count: Int, at offset: Int64) throws(SQLiteError) {
        var code = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe methods.xRead(file, bytes.baseAddress, Int32(count), offset)
        }
        guard code == SQLITE_OK else { throw Self.failure(code, "read \(path)") }
        code = unsafe buffer.withUnsafeBytes { bytes in
            unsafe methods.xWrite(file, bytes.baseAddress, Int32(count), offset)
        }
        guard code == SQLITE_OK else { throw Self.failure(code, "rewrite \(path)") }
    }

    func synchronize() throws(SQLiteError) {
        let code = unsafe methods.xSync(file, SQLITE_SYNC_NORMAL)
        guard code == SQLITE_OK else { throw Self.failure(code, "sync \(path)") }
    }

    private static func failure(_ code: Int32, _ operation: String) -> SQLiteError {
        SQLiteError(extendedCode: code, operation: operation, message: unsafe String(cString: sqlite3_errstr(code)))
    }
}
