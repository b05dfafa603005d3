internal import CSQLite

/// Extended result codes, which are casts in C and do not come to Swift.
enum ErrorCode {
    static let read = SQLITE_IOERR | (1 << 8)
    static let shortRead = SQLITE_IOERR | (2 << 8)
    static let write = SQLITE_IOERR | (3 << 8)
    static let synchronize = SQLITE_IOERR | (4 << 8)
    static let truncate = SQLITE_IOERR | (6 << 8)
    static let size = SQLITE_IOERR | (7 << 8)
    static let remove = SQLITE_IOERR | (10 << 8)
    static let access = SQLITE_IOERR | (13 << 8)
    static let lock = SQLITE_IOERR | (15 << 8)
    static let map = SQLITE_IOERR | (21 << 8)
    static let removeAbsent = SQLITE_IOERR | (23 << 8)
}

/// The table of functions SQLite calls a file's methods by: each finds the file and does as it says.
enum DatabaseFileMethods {
    /// Never changed after it is made.
    nonisolated(unsafe) static let shared: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        unsafe methods.initialize(to: sqlite3_io_methods())
        unsafe methods.pointee.iVersion = 2
        unsafe addFile(methods)
        unsafe addLocks(methods)
        unsafe addSharedMemory(methods)
        return unsafe UnsafePointer(methods)
    }()

    private static func addFile(_ methods: UnsafeMutablePointer<sqlite3_io_methods>) {
        unsafe methods.pointee.xClose = { place in
            let reference = unsafe OpenDatabaseFile.reference(place)
            unsafe reference.takeUnretainedValue().close()
            unsafe reference.release()
            return SQLITE_OK
        }
        unsafe methods.pointee.xRead = { place, buffer, count, offset in
            unsafe openFile(place).read(
                UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)), Int(offset))
        }
        unsafe methods.pointee.xWrite = { place, bytes, count, offset in
            unsafe openFile(place).write(UnsafeRawBufferPointer(start: bytes, count: Int(count)), Int(offset))
        }
        unsafe methods.pointee.xTruncate = { place, size in unsafe openFile(place).truncate(Int(size)) }
        unsafe methods.pointee.xSync = { place, _ in unsafe openFile(place).synchronize() }
        unsafe methods.pointee.xFileSize = { place, result in
            guard let size = unsafe openFile(place).size else { return ErrorCode.size }
            unsafe result!.pointee = Int64(size)
            return SQLITE_OK
        }
        unsafe methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        unsafe methods.pointee.xSectorSize = { _ in 4096 }
        unsafe methods.pointee.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    }

    private static func addLocks(_ methods: UnsafeMutablePointer<sqlite3_io_methods>) {
        unsafe methods.pointee.xLock = { place, level in unsafe openFile(place).lock(level) }
        unsafe methods.pointee.xUnlock = { place, level in
            unsafe openFile(place).unlock(level)
            return SQLITE_OK
        }
        unsafe methods.pointee.xCheckReservedLock = { place, result in
            unsafe result!.pointee = unsafe openFile(place).isReserved ? 1 : 0
            return SQLITE_OK
        }
    }

    private static func addSharedMemory(_ methods: UnsafeMutablePointer<sqlite3_io_methods>) {
        unsafe methods.pointee.xShmMap = { place, region, size, isExtending, result in
            let file = unsafe openFile(place)
            guard file.mayMapSharedMemory else { return ErrorCode.map }
            unsafe result!.pointee = unsafe file.mapSharedMemory(
                Int(region), size: Int(size), isExtending: isExtending != 0)
            return SQLITE_OK
        }
        unsafe methods.pointee.xShmLock = { place, offset, count, flags in
            unsafe openFile(place).lockSharedMemory(Int(offset)..<Int(offset + count), flags)
        }
        unsafe methods.pointee.xShmBarrier = { _ in }
        unsafe methods.pointee.xShmUnmap = { place, _ in
            unsafe openFile(place).unmapSharedMemory()
            return SQLITE_OK
        }
    }
}

private func openFile(_ place: UnsafeMutablePointer<sqlite3_file>?) -> OpenDatabaseFile {
    unsafe OpenDatabaseFile.reference(place).takeUnretainedValue()
}
