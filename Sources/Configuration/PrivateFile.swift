internal import Glibc

/// Why a file could not be written, in the system's words.
package struct FileWritingError: Error, CustomStringConvertible {
    package var description: String

    init(_ path: String) {
        description = "\(path): \(unsafe String(cString: strerror(errno)))"
    }
}

/// Files that only the instance's user may read, replaced whole: after a crash there is the old text or the new one.
package enum PrivateFile {
    /// Puts the bytes in the place of what the file held, durably. The file has mode 0600.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(FileWritingError) {
        let partial = path + ".partial"
        let descriptor = unsafe open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileWritingError(partial) }
        do throws(FileWritingError) {
            defer { close(descriptor) }
            guard fchmod(descriptor, 0o600) == 0 else { throw FileWritingError(partial) }
            try write(bytes, to: descriptor, partial)
            guard fsync(descriptor) == 0 else { throw FileWritingError(partial) }
        } catch {
            unsafe unlink(partial)
            throw error
        }
        guard unsafe rename(partial, path) == 0 else { throw FileWritingError(path) }
        syncFolder(of: path)
    }

    /// Writes a file that is not there yet, durably, with mode 0600.
    /// - Throws: also when something of that name is there, which stays as it is.
    package static func create(_ path: String, holding bytes: [UInt8]) throws(FileWritingError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileWritingError(path) }
        do throws(FileWritingError) {
            defer { close(descriptor) }
            guard fchmod(descriptor, 0o600) == 0 else { throw FileWritingError(path) }
            try write(bytes, to: descriptor, path)
            guard fsync(descriptor) == 0 else { throw FileWritingError(path) }
        } catch {
            unsafe unlink(path)
            throw error
        }
        syncFolder(of: path)
    }

    /// Makes the folder with mode 0700 unless it is there; the one above it must be.
    package static func makeFolder(_ path: String) throws(FileWritingError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileWritingError(path) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(FileWritingError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileWritingError(path)
            }
            done += count
        }
    }

    /// So that the new name is on the disk too. A file system that cannot do this has its own way.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
