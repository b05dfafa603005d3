internal import CSQLite

/// The locks of one database file (https://www.sqlite.org/lockingv3.html), by who holds them.
struct FileLocks {
    private var levels: [ObjectIdentifier: Int32] = [:]

    func level(_ holder: ObjectIdentifier) -> Int32 { levels[holder] ?? SQLITE_LOCK_NONE }

    private func others(_ holder: ObjectIdentifier) -> Int32 {
        levels.reduce(SQLITE_LOCK_NONE) { $1.key == holder ? $0 : max($0, $1.value) }
    }

    var isReserved: Bool { levels.values.contains { $0 >= SQLITE_LOCK_RESERVED } }

    /// - Returns: false when another holds what excludes it.
    mutating func lock(_ holder: ObjectIdentifier, _ level: Int32) -> Bool {
        guard self.level(holder) < level else { return true }
        let others = others(holder)
        switch level {
        case SQLITE_LOCK_SHARED: if others >= SQLITE_LOCK_PENDING { return false }
        case SQLITE_LOCK_RESERVED: if others >= SQLITE_LOCK_RESERVED { return false }
        default:
            if others >= SQLITE_LOCK_RESERVED { return false }
            if others >= SQLITE_LOCK_SHARED {
                levels[holder] = SQLITE_LOCK_PENDING
                return false
            }
        }
        levels[holder] = level
        return true
    }

    mutating func unlock(_ holder: ObjectIdentifier, _ level: Int32) {
        levels[holder] = level == SQLITE_LOCK_NONE ? nil : min(level, self.level(holder))
    }
}

/// What the connections of one database share: the write-ahead log's index, and the locks in it
/// (https://www.sqlite.org/walformat.html#walidxlocks). It lives as long as somebody maps it.
@safe final class SharedMemory {
    /// Connections that have it mapped.
    var mapped = 0
    private var regions: [UnsafeMutableRawPointer] = unsafe []
    private var exclusive: [ObjectIdentifier?] = Array(repeating: nil, count: Int(SQLITE_SHM_NLOCK))
    private var shared: [Set<ObjectIdentifier>] = Array(repeating: [], count: Int(SQLITE_SHM_NLOCK))

    deinit {
        unsafe regions.forEach { unsafe $0.deallocate() }
    }

    /// - Returns: nil when there is no such region and none is to be made.
    func region(_ index: Int, size: Int, isExtending: Bool) -> UnsafeMutableRawPointer? {
        while unsafe regions.count <= index {
            guard isExtending else { return nil }
            let region = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
            unsafe region.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            unsafe regions.append(region)
        }
        return unsafe regions[index]
    }

    /// - Returns: false when another holds what excludes it.
    func lock(_ holder: ObjectIdentifier, _ slots: Range<Int>, isExclusive: Bool) -> Bool {
        for slot in slots {
            if let owner = exclusive[slot], owner != holder { return false }
            if isExclusive, shared[slot].contains(where: { $0 != holder }) { return false }
        }
        for slot in slots {
            if isExclusive { exclusive[slot] = holder } else { shared[slot].insert(holder) }
        }
        return true
    }

    func unlock(_ holder: ObjectIdentifier, _ slots: Range<Int>) {
        for slot in slots {
            if exclusive[slot] == holder { exclusive[slot] = nil }
            shared[slot].remove(holder)
        }
    }
}
