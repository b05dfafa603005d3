internal import Glibc

/// What files looked like: enough to see that one was changed, replaced, added or removed.
struct FileStamps: Equatable {
    private struct Stamp: Equatable {
        var inode: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    /// Nil for a file that is not there.
    private var stamps: [String: Stamp?] = [:]

    /// Looks at the files one by one; what else is in their folders does not matter.
    init(_ files: [String]) {
        for path in files { stamps.updateValue(Self.stamp(path), forKey: path) }
    }

    private static func stamp(_ path: String) -> Stamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    /// These, with what was seen `earlier` in the place of what both have: a file that was changed in between is then
    /// seen to differ at the next look.
    func keeping(_ earlier: FileStamps) -> FileStamps {
        var result = self
        for (path, stamp) in earlier.stamps where stamps.keys.contains(path) {
            result.stamps.updateValue(stamp, forKey: path)
        }
        return result
    }
}
