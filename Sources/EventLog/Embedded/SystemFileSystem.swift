internal import Glibc

/// The system's own files.
package struct SystemFileSystem: LogFileSystem {
    package init() {}

    package var vfs: String? { nil }

    package func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package func createPrivateFolder(_ path: String) throws(LogOpenError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            let parent = made
            made += "/\(part)"
            if unsafe mkdir(made, 0o700) == 0 {
                synchronize(folder: parent.isEmpty ? "/" : parent)
            } else if errno != EEXIST {
                throw LogOpenError(.inaccessible, "\(made): cannot be created: \(systemMessage())")
            }
        }
        guard unsafe chmod(path, 0o700) == 0 else {
            throw LogOpenError(.inaccessible, "\(path): cannot be made private (mode 0700): \(systemMessage())")
        }
    }

    package func open(_ path: String, creating: Bool) throws(LogOpenError) -> (any LogFileHandle)? {
        let flags = creating ? O_RDWR | O_CREAT | O_NOFOLLOW : O_RDONLY
        let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == ENOENT, !creating { return nil }
            throw LogOpenError(
                errno == ENOSPC ? .diskFull : .inaccessible,
                "\(path): cannot be \(creating ? "created" : "opened"): \(systemMessage())")
        }
        if creating { fchmod(descriptor, 0o600) }
        return SystemFile(descriptor, path: path)
    }

    package func remove(_ path: String) { _ = unsafe unlink(path) }

    package func rename(_ path: String, to target: String) throws(LogOpenError) {
        guard unsafe Glibc.rename(path, target) == 0 else {
            throw LogOpenError(.inaccessible, "\(target): cannot be replaced: \(systemMessage())")
        }
    }

    package func synchronize(folder: String) {
        let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    package func availableBytes(at path: String) -> Int64? {
        var information = statvfs()
        guard unsafe statvfs(path, &information) == 0 else { return nil }
        return Int64(
            clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize))
                .partialValue)
    }
}

private final class SystemFile: LogFileHandle {
    private let descriptor: Int32
    private let path: String

    init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    private var information: stat? {
        var information = stat()
        return unsafe fstat(descriptor, &information) == 0 ? information : nil
    }

    var size: Int? { information.map { Int($0.st_size) } }
    var modified: Int { information?.st_mtim.tv_sec ?? 0 }
    var failure: String { systemMessage() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int? {
        let count = unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        return count < 0 ? nil : count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    func truncate() { ftruncate(descriptor, 0) }

    func synchronize() { fsync(descriptor) }

    func lock() throws(LogOpenError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else {
            throw LogOpenError(.inaccessible, "\(path): cannot be locked: \(systemMessage())")
        }
        return false
    }
}

func systemMessage(_ code: Int32 = errno) -> String {
    unsafe String(cString: strerror(code))
}
