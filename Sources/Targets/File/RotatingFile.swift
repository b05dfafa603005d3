import Events
import Glibc
import YAML

/// When a file is put aside and a new one begun.
struct FileRotation: Sendable, Hashable {
    /// Bytes.
    var size: Int?
    /// At multiples of this since 1970 in UTC: `1d` is midnight.
    var every: Duration?
    /// Files put aside that are kept, the newest; nil: all of them.
    var keep: Int?

    /// Whether a file that has something in it is put aside before `adding` more bytes.
    func isDue(size current: Int, adding: Int, lastWrite: Timestamp, now: Timestamp) -> Bool {
        if let size, current + adding > size { return true }
        guard let every else { return false }
        let period = every.components.seconds * 1000
        return lastWrite.milliseconds / period != now.milliseconds / period
    }
}

/// Why a file could not be written.
struct FileFailure: Error, Sendable, Hashable {
    var code: String
    var message: String

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// From `errno`.
    init(_ code: String, _ path: String, _ number: Int32 = errno) {
        self.code = number == ENOSPC || number == EDQUOT ? "disk_full" : code
        message = "\(displayable(path)): \(systemMessage(number))"
    }
}

/// Something about a file that its operator may want to know.
enum FileNote: Sendable, Hashable {
    case removedTornLine(bytes: Int)
    case completedForeignLine
    case rotated(to: String)
    case rotationFailed(String)
}

/// The calls that reach the disk, by which tests have it fail. They set `errno` as the system's do.
struct DiskCalls: Sendable {
    var write: @Sendable (_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int
    var sync: @Sendable (_ descriptor: Int32) -> Int32

    static let system = DiskCalls(
        write: { descriptor, bytes in
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        }, sync: { fdatasync($0) })
}

/// A file of whole lines that is only ever appended to. What `append` confirms is on the disk; what it does not confirm is
/// taken back as far as possible. Confined to one thread at a time.
struct RotatingFile: ~Copyable {
    private struct Open {
        let folder: OwnedDescriptor
        let file: OwnedDescriptor
        let device: dev_t
        let inode: ino_t
        /// Bytes known to be on the disk.
        var size: Int
        var lastWrite: Timestamp
    }

    private let path: String
    private let folderPath: String
    private let name: String
    private let rotation: FileRotation
    /// How each of our lines begins, by which half of one is told from foreign text.
    private let lineOpening: [UInt8]
    private let disk: DiskCalls
    private var open: Open?
    private var notes: [FileNote] = []

    init(path: String, rotation: FileRotation, lineOpening: String, disk: DiskCalls = .system) {
        self.path = path
        self.disk = disk
        (folderPath, name) = Self.split(path)
        self.rotation = rotation
        self.lineOpening = Array(lineOpening.utf8)
    }

    mutating func takeNotes() -> [FileNote] {
        defer { notes = [] }
        return notes
    }

    mutating func close() {
        open = nil
    }

    /// Writes whole lines, each ending in a line feed, and syncs them.
    /// - Returns: how many of them, from the first on, are on the disk, and why the others are not.
    mutating func append(_ lines: [[UInt8]], now: Timestamp) -> (written: Int, failure: FileFailure?) {
        var written = 0
        do throws(FileFailure) {
            while written < lines.count {
                try reopenIfMoved(now)
                let count = try makeRoom(for: lines[written...], now)
                var chunk: [UInt8] = []
                for line in lines[written..<written + count] { chunk.append(contentsOf: line) }
                try write(chunk, now)
                written += count
            }
            return (written, nil)
        } catch {
            return (written, error)
        }
    }

    /// How many of the lines go into this file; rotates it first when not even one does.
    private mutating func makeRoom(for lines: ArraySlice<[UInt8]>, _ now: Timestamp) throws(FileFailure) -> Int {
        if isDue(adding: lines.first?.count ?? 0, now) { try rotate(now) }
        guard let limit = rotation.size else { return lines.count }
        var size = open?.size ?? 0
        var count = 0
        for line in lines {
            guard count == 0 || size + line.count <= limit else { break }
            size += line.count
            count += 1
        }
        return count
    }

    private func isDue(adding: Int, _ now: Timestamp) -> Bool {
        guard let open, open.size > 0 else { return false }
        return rotation.isDue(size: open.size, adding: adding, lastWrite: open.lastWrite, now: now)
    }

    // MARK: writing

    private mutating func write(_ bytes: [UInt8], _ now: Timestamp) throws(FileFailure) {
        guard let file = open?.file, let size = open?.size else { return }
        var failure: FileFailure?
        if !writeAll(file.raw, bytes) {
            failure = FileFailure("file_write", path)
        } else if disk.sync(file.raw) != 0 {
            failure = FileFailure("file_sync", path)
        }
        if let failure {
            // After a failed sync the kernel may have dropped the pages and called them clean: they are cut off, and
            // written again with their events.
            _ = ftruncate(file.raw, off_t(size))
            open = nil
            throw failure
        }
        open?.size = size + bytes.count
        open?.lastWrite = now
    }

    private func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = disk.write(descriptor, rest)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    // MARK: opening

    /// - Throws: what would keep the file from being written, as far as it shows without writing.
    static func check(_ path: String) throws(FileFailure) {
        let (folderPath, name) = split(path)
        guard let folder = OwnedDescriptor(unsafe Glibc.open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            throw FileFailure("file_open", folderPath)
        }
        var status = stat()
        if unsafe fstatat(folder.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
            try checkKind(status, path)
            guard unsafe faccessat(folder.raw, name, R_OK | W_OK, 0) == 0 else { throw FileFailure("file_open", path) }
        } else if unsafe faccessat(folder.raw, ".", W_OK | X_OK, 0) != 0 {
            throw FileFailure("file_open", folderPath)
        }
    }

    private static func checkKind(_ status: stat, _ path: String) throws(FileFailure) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFLNK:
            throw FileFailure(
                code: "file_not_regular",
                message: "\(displayable(path)): is a symbolic link, which is never followed: name the file itself")
        default: throw FileFailure(code: "file_not_regular", message: "\(displayable(path)): is not a regular file")
        }
    }

    /// Somebody may have moved the file away (logrotate does): then a new one is begun in its place.
    private mutating func reopenIfMoved(_ now: Timestamp) throws(FileFailure) {
        if let open {
            var status = stat()
            let isThere = unsafe fstatat(open.folder.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            if isThere, status.st_dev == open.device, status.st_ino == open.inode, Int(status.st_size) == open.size {
                return
            }
            self.open = nil
        }
        try reopen(now)
    }

    private mutating func reopen(_ now: Timestamp) throws(FileFailure) {
        guard let folder = OwnedDescriptor(unsafe Glibc.open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            throw FileFailure("file_open", folderPath)
        }
        // O_NONBLOCK keeps a pipe with this name from blocking the open.
        let flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        guard let file = OwnedDescriptor(unsafe openat(folder.raw, name, flags, 0o600)) else {
            let number = errno
            if number == ELOOP {
                throw FileFailure(
                    code: "file_not_regular",
                    message: "\(displayable(path)): is a symbolic link, which is never followed: name the file itself")
            }
            throw FileFailure("file_open", path, number)
        }
        var status = stat()
        guard unsafe fstat(file.raw, &status) == 0 else { throw FileFailure("file_open", path) }
        try Self.checkKind(status, path)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw FileFailure(
                code: "file_locked", message: "\(displayable(path)): another program, or another target, is writing it")
        }
        // The folder's entry of a new file must last as well.
        if status.st_size == 0, fsync(folder.raw) != 0 { throw FileFailure("file_sync", folderPath) }
        let size = try mend(file.raw, Int(status.st_size))
        let changed = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        open = Open(
            folder: folder, file: file, device: status.st_dev, inode: status.st_ino, size: size,
            lastWrite: size == 0 ? now : Timestamp(milliseconds: changed))
    }

    /// Makes the file end with a whole line. Half a line of ours was never confirmed, so it may go; anything else stays.
    /// - Returns: the file's size.
    private mutating func mend(_ descriptor: Int32, _ size: Int) throws(FileFailure) -> Int {
        guard size > 0 else { return 0 }
        let start = try Self.startOfLastLine(descriptor, size, path)
        guard start < size else { return size }
        var head = [UInt8](repeating: 0, count: min(lineOpening.count, size - start))
        guard unsafe pread(descriptor, &head, head.count, off_t(start)) == head.count else {
            throw FileFailure("file_open", path)
        }
        guard head[...] == lineOpening.prefix(head.count) else {
            guard writeAll(descriptor, [UInt8(ascii: "\n")]) else { throw FileFailure("file_write", path) }
            notes.append(.completedForeignLine)
            return size + 1
        }
        guard ftruncate(descriptor, off_t(start)) == 0, disk.sync(descriptor) == 0 else {
            throw FileFailure("file_write", path)
        }
        notes.append(.removedTornLine(bytes: size - start))
        return start
    }

    /// The place after the last line feed: `size` when the file ends in one.
    private static func startOfLastLine(_ descriptor: Int32, _ size: Int, _ path: String) throws(FileFailure) -> Int {
        var end = size
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while end > 0 {
            let count = min(chunk.count, end)
            guard unsafe pread(descriptor, &chunk, count, off_t(end - count)) == count else {
                throw FileFailure("file_open", path)
            }
            if let position = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) { return end - count + position + 1 }
            end -= count
        }
        return 0
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }
}

// MARK: rotation

extension RotatingFile {
    /// Puts the file aside under its name and the time, and begins a new one. Where that fails, writing goes on as it is.
    private mutating func rotate(_ now: Timestamp) throws(FileFailure) {
        guard let folder = open?.folder else { return }
        let earlier = filesAside(in: folder.raw)
        let aside = nameAside(now, after: earlier.last)
        guard unsafe renameat(folder.raw, name, folder.raw, aside) == 0, fsync(folder.raw) == 0 else {
            notes.append(.rotationFailed(systemMessage(errno)))
            return
        }
        notes.append(.rotated(to: aside))
        if let keep = rotation.keep {
            for old in (earlier + [aside]).dropLast(keep) { _ = unsafe unlinkat(folder.raw, old, 0) }
        }
        open = nil
        try reopen(now)
    }

    /// `archive.ndjson.20260131T080000.000Z`: later than every file put aside, so that names order them whatever the clock
    /// does.
    private func nameAside(_ now: Timestamp, after newest: String?) -> String {
        var time = now
        if let newest, let last = timeAside(newest) {
            time = Timestamp(milliseconds: max(now.milliseconds, last.milliseconds + 1))
        }
        return "\(name).\(time.text.filter { $0 != "-" && $0 != ":" })"
    }

    /// The files put aside, the oldest first.
    private func filesAside(in folder: Int32) -> [String] {
        Self.names(in: folder).filter { candidate in timeAside(candidate) != nil }.sorted()
    }

    /// When it was put aside; nil for a name that `nameAside` does not give.
    private func timeAside(_ candidate: String) -> Timestamp? {
        guard candidate.hasPrefix(name + "."), candidate.utf8.count == name.utf8.count + 21 else { return nil }
        var stamp = Array(candidate.utf8.suffix(20))
        for position in [13, 11, 6, 4] {
            stamp.insert(UInt8(ascii: position > 8 ? ":" : "-"), at: position)
        }
        return Timestamp(text: stamp)
    }

    private static func names(in folder: Int32) -> [String] {
        // fdopendir takes the descriptor over, so it gets one of its own.
        let copy = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else {
            if copy >= 0 { _ = Glibc.close(copy) }
            return []
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}
