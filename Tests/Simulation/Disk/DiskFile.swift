/// A file: what the running system sees, what is on the platter, and what was written in between.
final class DiskFile {
    enum Change {
        case write(offset: Int, [UInt8])
        case truncate(size: Int)
    }

    private(set) var bytes: [UInt8] = []
    private var durable: [UInt8] = []
    private var unsynced: [Change] = []
    private(set) var modified = 0

    /// Of SQLite's rollback locks and shared memory; gone with the process.
    var locks = FileLocks()
    var sharedMemory: SharedMemory?
    var instanceLock: ObjectIdentifier?

    static let sector = 512

    func clear() { (bytes, durable, unsynced) = ([], [], []) }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int, now: Int) {
        guard unsafe !new.isEmpty else { return }
        unsafe Self.apply(new, at: offset, to: &bytes)
        unsynced.append(.write(offset: offset, unsafe Array(new)))
        modified = now
    }

    func truncate(to size: Int, now: Int) {
        guard size < bytes.count else { return }
        bytes.removeLast(bytes.count - size)
        unsynced.append(.truncate(size: size))
        modified = now
    }

    /// All that was written is on the platter.
    func synchronize() {
        for change in unsynced { Self.apply(change, to: &durable) }
        unsynced.removeAll(keepingCapacity: true)
    }

    /// The sync failed: each page was kept, or waits for another sync, or is given up though it counts as clean; then it
    /// is still seen until the cache lets go of it, which may be at once.
    func failSynchronize(_ random: inout Randomness) {
        var waiting: [Change] = []
        let isForgotten = random.oneIn(2)
        for change in unsynced {
            switch random.integer(0...3) {
            case 0: Self.apply(change, to: &durable)
            case 1 where !isForgotten: waiting.append(change)
            default: break
            }
        }
        unsynced = waiting
        guard random.oneIn(2) else { return }
        bytes = durable
        for change in waiting { Self.apply(change, to: &bytes) }
    }

    /// The power fails: of what was not synced, anything may be there, in any order.
    func losePower(_ random: inout Randomness) {
        switch random.integer(0...4) {
        case 0: unsynced = []
        case 1: break
        case 2: unsynced.removeLast(unsynced.isEmpty ? 0 : random.integer(0...unsynced.count))
        default: unsynced = unsynced.flatMap { Self.survivors(of: $0, &random) }
        }
        if random.oneIn(4) { unsynced.shuffle(using: &random) }
        synchronize()
        bytes = durable
    }

    private static func survivors(of change: Change, _ random: inout Randomness) -> [Change] {
        guard case .write(let offset, let bytes) = change else { return random.oneIn(2) ? [change] : [] }
        switch random.integer(0...7) {
        case 0...3: return [change]
        case 4: return [.write(offset: offset, Array(bytes[..<random.integer(0...bytes.count)]))]
        case 5:
            var sectors: [Change] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, ((offset + start) / sector + 1) * sector - offset)
                if random.oneIn(2) { sectors.append(.write(offset: offset + start, Array(bytes[start..<end]))) }
                start = end
            }
            return sectors
        default: return []
        }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new): unsafe new.withUnsafeBytes { unsafe apply($0, at: offset, to: &bytes) }
        case .truncate(let size): if size < bytes.count { bytes.removeLast(bytes.count - size) }
        }
    }

    private static func apply(_ new: UnsafeRawBufferPointer, at offset: Int, to bytes: inout [UInt8]) {
        guard unsafe !new.isEmpty else { return }
        if offset == bytes.count { return unsafe bytes.append(contentsOf: new) }
        let end = offset + new.count
        if end > bytes.count { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe target[offset..<end].copyBytes(from: new)
        }
    }

    /// - Returns: how many bytes there were.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = max(0, min(buffer.count, bytes.count - offset))
        guard count > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
        }
        return count
    }
}
