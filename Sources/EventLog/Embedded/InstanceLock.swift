internal import Glibc

/// One instance a data folder: an exclusive `flock` on `<folder>/lock`, which the kernel gives up with the process.
package final class InstanceLock: Sendable {
    private let descriptor: Int32

    /// Creates the folder (0700) and the file (0600) where they are absent.
    /// - Throws: `locked`, naming the process that holds it.
    package init(folder: String) throws(LogOpenError) {
        try createPrivateFolder(folder)
        let path = "\(folder)/lock"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw LogOpenError(.inaccessible, "\(path): cannot be created: \(systemMessage())")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.holder(descriptor)
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw LogOpenError(.inaccessible, "\(path): cannot be locked: \(systemMessage(code))")
            }
            throw LogOpenError(
                .locked,
                "\(path): \(holder.map { "process \($0)" } ?? "another process") is using this folder; "
                    + "stop it, or give this instance a `data:` folder of its own")
        }
        self.descriptor = descriptor
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, text, text.count, 0)
    }

    deinit {
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[0..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}

/// Creates the folder, and those above it, with mode 0700; one that is there is closed to others.
func createPrivateFolder(_ path: String) throws(LogOpenError) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        made += "/\(part)"
        if unsafe mkdir(made, 0o700) != 0, errno != EEXIST {
            throw LogOpenError(.inaccessible, "\(made): cannot be created: \(systemMessage())")
        }
    }
    guard unsafe chmod(path, 0o700) == 0 else {
        throw LogOpenError(.inaccessible, "\(path): cannot be made private (mode 0700): \(systemMessage())")
    }
}

func systemMessage(_ code: Int32 = errno) -> String {
    unsafe String(cString: strerror(code))
}
