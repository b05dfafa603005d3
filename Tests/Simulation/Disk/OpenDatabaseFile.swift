internal import CSQLite

/// One of SQLite's open files on a simulated disk. After a crash it answers nothing but errors.
final class OpenDatabaseFile {
    private let disk: SimulatedDisk
    private let file: DiskFile
    private let path: String
    private let generation: Int
    private let isRemovedOnClose: Bool
    /// As SQLite's own: the first sync of a journal or write-ahead log brings the names onto the disk too.
    private var synchronizesNames: Bool
    private var sharedMemory: SharedMemory?
    private var walkedCommit = false
    private var hasCommit = false

    private init(
        _ disk: SimulatedDisk, _ file: DiskFile, _ path: String, isRemovedOnClose: Bool, synchronizesNames: Bool
    ) {
        self.disk = disk
        self.file = file
        self.path = path
        self.isRemovedOnClose = isRemovedOnClose
        self.synchronizesNames = synchronizesNames
        generation = disk.generation
    }

    private var isAlive: Bool { !disk.isOff && generation == disk.generation }
    private var identity: ObjectIdentifier { ObjectIdentifier(self) }
    private var isWriteAheadLog: Bool { path.hasSuffix("-wal") }

    // MARK: Files

    func read(_ buffer: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int32 {
        guard isAlive, disk.verdict(.read, path) == .proceed else { return ErrorCode.read }
        let count = unsafe file.read(into: buffer, at: offset)
        guard count < buffer.count else { return SQLITE_OK }
        // What is not there reads as zeros, as SQLite asks for.
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return ErrorCode.shortRead
    }

    func write(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int32 {
        guard isAlive else { return ErrorCode.write }
        let growth = max(0, offset + bytes.count - file.bytes.count)
        if growth > 0, !disk.hasRoom(for: growth) { return SQLITE_FULL }
        let verdict = disk.verdict(.write, path)
        switch verdict {
        case .proceed, .crashAfter, .pretend: break
        case .full: return SQLITE_FULL
        case .fail, .crashBefore:
            if isAlive, disk.random.oneIn(2) {
                let part = disk.random.integer(0...bytes.count)
                unsafe file.write(UnsafeRawBufferPointer(rebasing: bytes[0..<part]), at: offset, now: disk.nowSeconds)
            }
            return ErrorCode.write
        }
        unsafe file.write(bytes, at: offset, now: disk.nowSeconds)
        guard disk.survives(verdict) else { return ErrorCode.write }
        if isWriteAheadLog { unsafe noteCommit(bytes) }
        return SQLITE_OK
    }

    /// A frame's header names the database's size where the frame ends a commit; its page follows
    /// (https://www.sqlite.org/fileformat2.html#walformat).
    private func noteCommit(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count == 24 {
            walkedCommit = unsafe bytes[4..<8].contains { $0 != 0 }
        } else if walkedCommit {
            walkedCommit = false
            hasCommit = true
            disk.onCommit(path)
        }
    }

    func truncate(_ size: Int) -> Int32 {
        guard isAlive else { return ErrorCode.truncate }
        let verdict = disk.verdict(.truncate, path)
        guard verdict == .proceed || verdict == .crashAfter else { return ErrorCode.truncate }
        file.truncate(to: size, now: disk.nowSeconds)
        return disk.survives(verdict) ? SQLITE_OK : ErrorCode.truncate
    }

    func synchronize() -> Int32 {
        guard isAlive else { return ErrorCode.synchronize }
        let verdict = disk.verdict(.synchronize, path)
        switch verdict {
        case .proceed, .crashAfter:
            file.synchronize()
            if synchronizesNames {
                disk.synchronizeNames()
                synchronizesNames = false
            }
        case .pretend: break
        case .fail, .full, .crashBefore:
            if isAlive { file.failSynchronize(&disk.random) }
            return ErrorCode.synchronize
        }
        guard disk.survives(verdict) else { return ErrorCode.synchronize }
        if hasCommit { disk.onSynchronized(path) }
        return SQLITE_OK
    }

    var size: Int? { isAlive ? file.bytes.count : nil }

    func close() {
        unmapSharedMemory()
        guard isAlive else { return }
        file.locks.unlock(identity, SQLITE_LOCK_NONE)
        if isRemovedOnClose { disk.remove(path) }
    }

    // MARK: Locks

    func lock(_ level: Int32) -> Int32 {
        guard isAlive else { return ErrorCode.lock }
        return file.locks.lock(identity, level) ? SQLITE_OK : SQLITE_BUSY
    }

    func unlock(_ level: Int32) {
        if isAlive { file.locks.unlock(identity, level) }
    }

    var isReserved: Bool { file.locks.isReserved }

    // MARK: Shared memory

    func mapSharedMemory(_ region: Int, size: Int, isExtending: Bool) -> UnsafeMutableRawPointer? {
        if sharedMemory == nil {
            if file.sharedMemory == nil { file.sharedMemory = SharedMemory() }
            sharedMemory = file.sharedMemory
            file.sharedMemory?.mapped += 1
        }
        return unsafe sharedMemory?.region(region, size: size, isExtending: isExtending)
    }

    var mayMapSharedMemory: Bool { isAlive }

    func lockSharedMemory(_ slots: Range<Int>, _ flags: Int32) -> Int32 {
        guard isAlive, let sharedMemory else { return ErrorCode.lock }
        if flags & SQLITE_SHM_UNLOCK != 0 {
            sharedMemory.unlock(identity, slots)
            return SQLITE_OK
        }
        let isExclusive = flags & SQLITE_SHM_EXCLUSIVE != 0
        return sharedMemory.lock(identity, slots, isExclusive: isExclusive) ? SQLITE_OK : SQLITE_BUSY
    }

    func unmapSharedMemory() {
        guard let sharedMemory else { return }
        sharedMemory.unlock(identity, 0..<Int(SQLITE_SHM_NLOCK))
        sharedMemory.mapped -= 1
        // The next connection begins with an empty one and rebuilds it.
        if sharedMemory.mapped == 0, file.sharedMemory === sharedMemory { file.sharedMemory = nil }
        self.sharedMemory = nil
    }

    // MARK: Opening

    static func open(
        _ disk: SimulatedDisk, _ name: String?, _ place: UnsafeMutablePointer<sqlite3_file>, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        unsafe place.pointee.pMethods = nil
        guard !disk.isOff else { return SQLITE_CANTOPEN }
        let path = name ?? "unnamed-\(disk.changes)"
        var file = disk.file(path)
        let isJournal = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL) != 0
        if file == nil {
            guard flags & SQLITE_OPEN_CREATE != 0 else { return SQLITE_CANTOPEN }
            let verdict = disk.verdict(.create, path)
            guard verdict == .proceed || verdict == .crashAfter || verdict == .pretend else { return SQLITE_CANTOPEN }
            file = disk.create(path)
            guard disk.survives(verdict) else { return SQLITE_CANTOPEN }
        }
        let opened = OpenDatabaseFile(
            disk, file!, path, isRemovedOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0,
            synchronizesNames: isJournal && flags & SQLITE_OPEN_CREATE != 0)
        unsafe place.pointee.pMethods = DatabaseFileMethods.shared
        unsafe UnsafeMutableRawPointer(place).storeBytes(
            of: Unmanaged.passRetained(opened).toOpaque(), toByteOffset: MemoryLayout<sqlite3_file>.size,
            as: UnsafeMutableRawPointer.self)
        if let outFlags = unsafe outFlags { unsafe outFlags.pointee = flags }
        return SQLITE_OK
    }

    /// Bytes of SQLite's own structure and the reference behind it.
    static let size = unsafe MemoryLayout<sqlite3_file>.size + MemoryLayout<UnsafeMutableRawPointer>.size

    static func reference(_ place: UnsafeMutablePointer<sqlite3_file>?) -> Unmanaged<OpenDatabaseFile> {
        unsafe Unmanaged.fromOpaque(
            UnsafeRawPointer(place!).load(
                fromByteOffset: MemoryLayout<sqlite3_file>.size, as: UnsafeRawPointer.self))
    }
}
