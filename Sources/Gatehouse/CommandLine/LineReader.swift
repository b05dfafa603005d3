internal import Glibc
internal import YAML

/// Reads a file or standard input line by line; no more of it is held than one line.
struct LineReader: ~Copyable {
    /// Bytes of one line.
    static let longestLine = 64 << 20

    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// Of the line given last, from 1.
    private(set) var line = 0

    /// - Parameter path: `-` for standard input.
    init(_ path: String) throws(CommandFailure) {
        name = path == "-" ? "standard input" : Terminal.harmless(path)
        descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("cannot read \(name): \(unsafe String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// The next line without its end; nil at the end of the file.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                line += 1
                return Array(buffer[position..<end])
            }
            searched = buffer.count
            if isAtEnd {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                line += 1
                return Array(buffer[position...])
            }
            guard buffer.count - position <= Self.longestLine else {
                throw CommandFailure("\(name):\(line + 1): the line is longer than \(Self.longestLine) bytes")
            }
            searched -= position
            try fill()
        }
    }

    private mutating func fill() throws(CommandFailure) {
        buffer.removeSubrange(..<position)
        position = 0
        let size = 64 << 10
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: size))
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress! + start, size)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandFailure("cannot read \(name): \(unsafe String(cString: strerror(errno)))")
            }
            buffer.removeLast(size - count)
            isAtEnd = count == 0
            return
        }
    }
}
