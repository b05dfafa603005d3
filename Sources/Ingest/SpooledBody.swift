internal import Glibc

/// A body as it arrives: in memory while it is small, then in an unnamed file of the data folder, which vanishes with
/// the process. Used by one thread at a time.
struct SpooledBody: ~Copyable {
    struct Failure: Error {
        let errno: Int32
    }

    static let memoryLimit = 1 << 20

    private(set) var count = 0
    private var memory: [UInt8] = []
    private var descriptor: Int32 = -1
    private let folder: String

    init(folder: String) {
        self.folder = folder
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    mutating func append(_ chunk: UnsafeRawBufferPointer) throws(Failure) {
        count += chunk.count
        if descriptor < 0, count <= Self.memoryLimit {
            unsafe memory.append(contentsOf: chunk)
            return
        }
        if descriptor < 0 {
            descriptor = try Self.unnamedFile(in: folder)
            let early = memory
            memory = []
            try unsafe writeAll(early.span.bytes)
        }
        try unsafe writeAll(chunk.bytes)
    }

    /// Made with mode 0600 and taken out of its folder at once.
    private static func unnamedFile(in folder: String) throws(Failure) -> Int32 {
        var name = (folder + "/body-XXXXXX").utf8CString
        let descriptor = unsafe name.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = unsafe name.withUnsafeBufferPointer { unsafe unlink($0.baseAddress!) }
        return descriptor
    }

    private func writeAll(_ bytes: RawSpan) throws(Failure) {
        var written = 0
        while written < bytes.byteCount {
            let count = unsafe bytes.extracting(droppingFirst: written).withUnsafeBytes { bytes in
                unsafe write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(errno: errno)
            }
            written += count
        }
    }

    /// The bytes of a range that lies inside the body.
    func bytes(_ range: Range<Int>) throws(Failure) -> [UInt8] {
        if descriptor < 0 { return Array(memory[range]) }
        var failure: Int32 = 0
        let result = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            while initialized < range.count {
                let count = unsafe pread(
                    descriptor, buffer.baseAddress! + initialized, range.count - initialized,
                    off_t(range.lowerBound + initialized))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    failure = count < 0 ? errno : EIO
                    return
                }
                initialized += count
            }
        }
        guard failure == 0 else { throw Failure(errno: failure) }
        return result
    }

    /// The whole body when it is small, for vendors that send single events as well.
    var firstByte: UInt8? {
        guard let first = try? bytes(0..<min(count, 64)) else { return nil }
        return first.first { !Self.isSkipped($0) }
    }

    /// White space and the bytes of a byte order mark.
    private static func isSkipped(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains(byte)
    }
}
