package import EventLog

/// A simulated disk as the log's file system.
package struct SimulatedFiles: LogFileSystem {
    private let disk: SimulatedDisk
    private let databases: SimulatedDatabases

    package init(_ databases: SimulatedDatabases) {
        self.databases = databases
        disk = databases.disk
    }

    package var vfs: String? { databases.name }

    package func exists(_ path: String) -> Bool { !disk.isOff && disk.contains(path) }

    /// Folders need no making here; the log has theirs on the disk when they are made.
    package func createPrivateFolder(_ path: String) throws(LogOpenError) {
        if disk.isOff { throw LogOpenError(.inaccessible, "\(path): the machine is off") }
    }

    package func open(_ path: String, creating: Bool) throws(LogOpenError) -> (any LogFileHandle)? {
        if disk.isOff { throw LogOpenError(.inaccessible, "\(path): the machine is off") }
        if let file = disk.file(path) { return SimulatedHandle(file, path, disk) }
        guard creating else { return nil }
        let verdict = disk.verdict(.create, path)
        guard verdict == .proceed || verdict == .crashAfter || verdict == .pretend else {
            throw LogOpenError(verdict == .full ? .diskFull : .inaccessible, "\(path): cannot be created")
        }
        let file = disk.create(path)
        guard disk.survives(verdict) else { throw LogOpenError(.inaccessible, "\(path): the machine is off") }
        return SimulatedHandle(file, path, disk)
    }

    package func remove(_ path: String) {
        guard disk.contains(path) else { return }
        let verdict = disk.verdict(.remove, path)
        guard verdict == .proceed || verdict == .crashAfter else { return }
        disk.remove(path)
        _ = disk.survives(verdict)
    }

    package func rename(_ path: String, to target: String) throws(LogOpenError) {
        let verdict = disk.verdict(.rename, path)
        guard verdict == .proceed || verdict == .crashAfter else {
            throw LogOpenError(.inaccessible, "\(target): cannot be replaced")
        }
        disk.rename(path, to: target)
        guard disk.survives(verdict) else { throw LogOpenError(.inaccessible, "\(path): the machine is off") }
    }

    package func synchronize(folder: String) {
        let verdict = disk.verdict(.synchronize, folder)
        guard verdict == .proceed || verdict == .crashAfter else { return }
        disk.synchronizeNames()
        _ = disk.survives(verdict)
    }

    package func availableBytes(at path: String) -> Int64? {
        disk.capacity.map { Int64(max(0, $0 - disk.usedBytes)) }
    }
}

/// Unchecked: confined to the one thread of a simulation.
private final class SimulatedHandle: LogFileHandle, @unchecked Sendable {
    private let file: DiskFile
    private let path: String
    private let disk: SimulatedDisk
    private let generation: Int

    init(_ file: DiskFile, _ path: String, _ disk: SimulatedDisk) {
        self.file = file
        self.path = path
        self.disk = disk
        generation = disk.generation
    }

    deinit {
        if file.instanceLock == ObjectIdentifier(self) { file.instanceLock = nil }
    }

    private var isAlive: Bool { !disk.isOff && generation == disk.generation }

    var size: Int? { isAlive ? file.bytes.count : nil }
    var modified: Int { file.modified }
    var failure: String { "the simulated disk failed" }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int? {
        guard isAlive, disk.verdict(.read, path) == .proceed else { return nil }
        return unsafe file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard isAlive else { return false }
        let verdict = disk.verdict(.write, path)
        guard verdict == .proceed || verdict == .crashAfter else { return false }
        unsafe file.write(bytes, at: offset, now: disk.nowSeconds)
        return disk.survives(verdict)
    }

    func truncate() {
        guard isAlive else { return }
        let verdict = disk.verdict(.truncate, path)
        guard verdict == .proceed || verdict == .crashAfter else { return }
        file.truncate(to: 0, now: disk.nowSeconds)
        _ = disk.survives(verdict)
    }

    func synchronize() {
        guard isAlive else { return }
        let verdict = disk.verdict(.synchronize, path)
        if verdict == .fail { file.failSynchronize(&disk.random) }
        guard verdict == .proceed || verdict == .crashAfter else { return }
        file.synchronize()
        _ = disk.survives(verdict)
    }

    func lock() throws(LogOpenError) -> Bool {
        guard isAlive else { throw LogOpenError(.inaccessible, "\(path): the machine is off") }
        if let holder = file.instanceLock, holder != ObjectIdentifier(self) { return false }
        file.instanceLock = ObjectIdentifier(self)
        return true
    }
}
