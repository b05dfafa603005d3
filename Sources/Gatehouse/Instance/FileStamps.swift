internal import Glibc

/// What files and folders looked like: enough to see that one was changed, replaced, added or removed.
struct FileStamps: Equatable {
    private struct Stamp: Equatable {
        var inode: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private var stamps: [String: Stamp] = [:]

    /// Looks at the files and at the folders they are in: a file that is added changes its folder.
    init(_ paths: [String]) {
        for path in Set(paths + paths.map(Self.folder)) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { continue }
            stamps[path] = Stamp(
                inode: UInt(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec)
        }
    }

    private static func folder(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }
}
