internal import CSQLite
internal import Glibc
internal import SQLite
internal import Synchronization

/// A simulated disk registered with SQLite as a `sqlite3_vfs` (https://www.sqlite.org/vfs.html). What it promises is what
/// SQLite's own one for Linux promises: no damage beside what is written, and no more.
@safe package final class SimulatedDatabases: @unchecked Sendable {  // Confined to the one thread of a simulation.
    /// What databases are opened with.
    package let name: String
    package let disk: SimulatedDisk
    private let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    private let cName: UnsafeMutablePointer<CChar>

    private static let count = Atomic(0)

    package init(_ disk: SimulatedDisk) {
        self.disk = disk
        name = "simulated-\(Self.count.add(1, ordering: .relaxed).newValue)"
        unsafe cName = name.withCString { name in
            let count = unsafe strlen(name) + 1
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: count)
            unsafe copy.update(from: name, count: count)
            return unsafe copy
        }
        unsafe vfs.initialize(to: Self.methods)
        unsafe vfs.pointee.zName = UnsafePointer(cName)
        unsafe vfs.pointee.pAppData = Unmanaged.passUnretained(disk).toOpaque()
        precondition(Database.isConfigured)
        unsafe sqlite3_vfs_register(vfs, 0)
    }

    /// No database may be open any more.
    deinit {
        unsafe sqlite3_vfs_unregister(vfs)
        unsafe vfs.deallocate()
        unsafe cName.deallocate()
    }

    /// Has SQLite draw its own chances from the disk's from here on, such as the salts of write-ahead logs.
    package func seedSQLite() {
        let system = unsafe sqlite3_vfs_find(nil)
        unsafe sqlite3_vfs_register(vfs, 1)
        sqlite3_randomness(0, nil)
        var drawn: UInt64 = 0
        unsafe sqlite3_randomness(8, &drawn)
        if let system = unsafe system { unsafe sqlite3_vfs_register(system, 1) }
    }

    private static var methods: sqlite3_vfs {
        var vfs = unsafe sqlite3_vfs()
        unsafe vfs.iVersion = 2
        unsafe vfs.szOsFile = Int32(OpenDatabaseFile.size)
        unsafe vfs.mxPathname = 512
        unsafe vfs.xOpen = { vfs, name, file, flags, outFlags in
            unsafe OpenDatabaseFile.open(
                simulatedDisk(vfs), unsafe name.map { unsafe String(cString: $0) }, file!, flags, outFlags)
        }
        unsafe vfs.xDelete = { vfs, name, isSynced in
            unsafe deleteFile(simulatedDisk(vfs), String(cString: name!), isSynced: isSynced != 0)
        }
        unsafe vfs.xAccess = { vfs, name, flags, result in
            let disk = unsafe simulatedDisk(vfs)
            guard !disk.isOff else { return ErrorCode.access }
            let file = disk.file(unsafe String(cString: name!))
            // As SQLite's own: an empty file counts as none.
            unsafe result!.pointee = file.map { flags != SQLITE_ACCESS_EXISTS || !$0.bytes.isEmpty } ?? false ? 1 : 0
            return SQLITE_OK
        }
        unsafe vfs.xFullPathname = { _, name, size, result in
            let count = unsafe strlen(name!) + 1
            guard count <= Int(size) else { return SQLITE_CANTOPEN }
            unsafe result!.update(from: name!, count: count)
            return SQLITE_OK
        }
        unsafe vfs.xRandomness = { vfs, count, result in
            let disk = unsafe simulatedDisk(vfs)
            for index in 0..<Int(count) {
                unsafe result![index] = CChar(truncatingIfNeeded: disk.random.next())
            }
            return count
        }
        unsafe vfs.xSleep = { _, microseconds in microseconds }
        unsafe vfs.xCurrentTime = { vfs, result in
            unsafe result!.pointee = Double(simulatedDisk(vfs).nowMs() + julianEpochMs) / 86_400_000
            return SQLITE_OK
        }
        unsafe vfs.xCurrentTimeInt64 = { vfs, result in
            unsafe result!.pointee = simulatedDisk(vfs).nowMs() + julianEpochMs
            return SQLITE_OK
        }
        unsafe vfs.xGetLastError = { _, _, _ in 0 }
        return unsafe vfs
    }
}

/// From noon in Greenwich on November 24, 4714 B.C. to 1970.
private let julianEpochMs: Int64 = 210_866_760_000_000

private func simulatedDisk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> SimulatedDisk {
    unsafe Unmanaged<SimulatedDisk>.fromOpaque(vfs!.pointee.pAppData!).takeUnretainedValue()
}

private func deleteFile(_ disk: SimulatedDisk, _ path: String, isSynced: Bool) -> Int32 {
    guard disk.contains(path) || disk.isOff else { return ErrorCode.removeAbsent }
    let verdict = disk.verdict(.remove, path)
    guard verdict == .proceed || verdict == .crashAfter else { return ErrorCode.remove }
    disk.remove(path)
    if isSynced { disk.synchronizeNames() }
    return disk.survives(verdict) ? SQLITE_OK : SQLITE_IOERR
}
