/// A disk in memory that keeps to what a real one promises and to nothing more: what was not synced may be lost, torn or
/// reordered when the power fails, files and names alike; calls fail when they are told to. SQLite reaches it as a
/// `sqlite3_vfs`, the log's other files as a `LogFileSystem`.
///
/// Unchecked: confined to the one thread of a simulation.
package final class SimulatedDisk: @unchecked Sendable {
    package enum Operation: String, Sendable, CaseIterable {
        case create, remove, rename, write, truncate, synchronize, read
    }

    /// What happens to one operation.
    package enum Verdict: Sendable, Equatable {
        case proceed
        /// An I/O error; a write may have been done in part.
        case fail
        /// No room.
        case full
        /// Says that it is done and does nothing: no honest disk.
        case pretend
        case crashBefore
        case crashAfter
    }

    private enum NameChange {
        case add(String, DiskFile)
        case remove(String)
        case rename(String, to: String)
    }

    /// Asked before every operation.
    package var judge: (Operation, _ path: String) -> Verdict = { _, _ in .proceed }
    package var nowMs: () -> Int64 = { 0 }
    /// Told of every commit that is in a write-ahead log, and of every one that is on the platter.
    package var onCommit: (_ path: String) -> Void = { _ in }
    package var onSynchronized: (_ path: String) -> Void = { _ in }
    /// Operations that change something.
    package private(set) var changes = 0
    /// After a crash nothing answers until `restart`.
    package private(set) var isOff = false
    package var capacity: Int?

    var random: Randomness
    private(set) var generation = 0
    private var names: [String: DiskFile] = [:]
    private var durableNames: [String: DiskFile] = [:]
    private var unsyncedNames: [NameChange] = []

    package init(random: Randomness) {
        self.random = random
    }

    // MARK: Power

    /// From now on every call of what runs fails, and changes nothing.
    package func crash() { isOff = true }

    /// What ran is gone, and what it held open with it.
    /// - Parameter losingPower: else only the process has died, and the system keeps what was written.
    package func restart(losingPower: Bool) {
        generation += 1
        isOff = false
        if losingPower { losePower() }
        for file in names.values {
            file.locks = FileLocks()
            file.sharedMemory = nil
            file.instanceLock = nil
        }
    }

    private func losePower() {
        let keepsNames = random.oneIn(2)
        for change in unsyncedNames where keepsNames || random.oneIn(2) { Self.apply(change, to: &durableNames) }
        unsyncedNames = []
        names = durableNames
        for path in names.keys.sorted() { names[path]?.losePower(&random) }
    }

    /// Nothing runs any more, and nobody wants what was written.
    package func clear() {
        crash()
        for file in names.values { file.clear() }
        for file in durableNames.values { file.clear() }
        (names, durableNames, unsyncedNames) = ([:], [:], [])
    }

    // MARK: Names

    package func contains(_ path: String) -> Bool { names[path] != nil }
    package func bytes(of path: String) -> [UInt8]? { names[path]?.bytes }
    package var usedBytes: Int { names.values.reduce(0) { $0 + $1.bytes.count } }

    func file(_ path: String) -> DiskFile? { names[path] }

    func create(_ path: String) -> DiskFile {
        let file = DiskFile()
        change(.add(path, file))
        return file
    }

    func remove(_ path: String) { change(.remove(path)) }

    func rename(_ path: String, to target: String) { change(.rename(path, to: target)) }

    func synchronizeNames() {
        for change in unsyncedNames { Self.apply(change, to: &durableNames) }
        unsyncedNames = []
    }

    private func change(_ change: NameChange) {
        Self.apply(change, to: &names)
        unsyncedNames.append(change)
    }

    private static func apply(_ change: NameChange, to names: inout [String: DiskFile]) {
        switch change {
        case .add(let path, let file): names[path] = file
        case .remove(let path): names[path] = nil
        case .rename(let path, let target):
            for (name, file) in names where name == path || name.hasPrefix(path + "/") {
                names[name] = nil
                names[target + name.dropFirst(path.count)] = file
            }
        }
    }

    // MARK: Operations

    /// To be asked before an operation is done.
    func verdict(_ operation: Operation, _ path: String) -> Verdict {
        if isOff { return .fail }
        if operation != .read { changes += 1 }
        let verdict = judge(operation, path)
        if verdict == .crashBefore {
            isOff = true
            return .fail
        }
        return verdict
    }

    /// To be asked after it: whether its result comes back.
    func survives(_ verdict: Verdict) -> Bool {
        if verdict == .crashAfter { isOff = true }
        return !isOff
    }

    func hasRoom(for growth: Int) -> Bool { capacity.map { usedBytes + growth <= $0 } ?? true }

    var nowSeconds: Int { Int(nowMs() / 1000) }
}
