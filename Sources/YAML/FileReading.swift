internal import Glibc

/// Why a file could not be read, in the system's words.
package struct FileReadingError: Error, CustomStringConvertible {
    package var message: String

    package init(message: String) {
        self.message = message
    }

    package init(errno: Int32) {
        message = unsafe String(cString: strerror(errno))
    }

    package var description: String { message }
}

/// Reads a whole regular file.
/// - Throws: when it cannot be opened, is no regular file, or is larger than the limit.
package func readFile(_ path: String, maximumBytes: Int) throws(FileReadingError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileReadingError(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw FileReadingError(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileReadingError(message: "not a regular file") }
    return try readToEnd(descriptor, maximumBytes: maximumBytes)
}

/// Reads a file, a pipe or what else is open, to its end.
/// - Throws: when it cannot be read, or is larger than the limit.
package func readToEnd(_ descriptor: Int32, maximumBytes: Int) throws(FileReadingError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR { continue }
            throw FileReadingError(errno: errno)
        }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
        guard bytes.count <= maximumBytes else {
            throw FileReadingError(message: "larger than \(maximumBytes) bytes")
        }
    }
}
