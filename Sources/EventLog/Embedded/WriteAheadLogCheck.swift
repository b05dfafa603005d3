internal import Glibc

/// Walks a write-ahead log before SQLite reads it (https://www.sqlite.org/fileformat2.html#walformat). SQLite takes a
/// frame with a bad checksum for the end, whatever follows; so a flipped bit would silently drop every commit after it.
/// A crash leaves at most one commit unfinished: two or more commits of the same generation from the first bad frame on
/// are damage, not a torn tail.
struct WriteAheadLogCheck {
    enum Verdict: Equatable {
        case absent
        /// Sound up to its end, or to a tail that no commit was acknowledged from.
        case sound(frames: Int)
        case damaged(frame: Int, commitsBehind: Int)
    }

    private let descriptor: Int32
    private let size: Int
    private var pageSize: Int
    private var bigEndian = false
    private var salts: (UInt32, UInt32) = (0, 0)
    private var sums: (UInt32, UInt32) = (0, 0)

    private static let headerSize = 32
    private static let frameHeaderSize = 24

    /// - Parameter databasePageSize: used where the log's own header is damaged.
    static func verdict(path: String, databasePageSize: Int = 4096) throws(LogOpenError) -> Verdict {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .absent }
            throw LogOpenError(.inaccessible, "\(path): cannot be opened: \(systemMessage())")
        }
        defer { close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else {
            throw LogOpenError(.inaccessible, "\(path): \(systemMessage())")
        }
        var check = WriteAheadLogCheck(
            descriptor: descriptor, size: Int(information.st_size), databasePageSize: databasePageSize)
        return try check.walk(path)
    }

    private init(descriptor: Int32, size: Int, databasePageSize: Int) {
        self.descriptor = descriptor
        self.size = size
        pageSize = databasePageSize
    }

    private mutating func walk(_ path: String) throws(LogOpenError) -> Verdict {
        guard size > Self.headerSize else { return .sound(frames: 0) }
        let headerIsSound = try readHeader(path)
        let frameSize = Self.frameHeaderSize + pageSize
        let frames = (size - Self.headerSize) / frameSize
        let framesAtOnce = max(1, (1 << 20) / frameSize)
        var buffer = [UInt8](repeating: 0, count: framesAtOnce * frameSize)
        var firstBad: Int? = headerIsSound ? nil : 0
        var commitsBehind = 0
        var frame = 0
        while frame < frames {
            let count = min(framesAtOnce, frames - frame)
            try read(&buffer, count * frameSize, Self.headerSize + frame * frameSize, path)
            for index in 0..<count {
                let bytes = buffer[index * frameSize..<(index + 1) * frameSize]
                if !headerIsSound, frame + index == 0 { salts = (Self.word(bytes, 8), Self.word(bytes, 12)) }
                if firstBad == nil, !takes(bytes) { firstBad = frame + index }
                if firstBad != nil, isCommit(bytes) { commitsBehind += 1 }
            }
            frame += count
        }
        guard let firstBad, commitsBehind >= 2 else { return .sound(frames: firstBad ?? frames) }
        return .damaged(frame: firstBad, commitsBehind: commitsBehind)
    }

    /// False when the header does not match its checksum: then no frame can be checked, only counted.
    private mutating func readHeader(_ path: String) throws(LogOpenError) -> Bool {
        var header = [UInt8](repeating: 0, count: Self.headerSize)
        try read(&header, Self.headerSize, 0, path)
        let magic = Self.word(header[...], 0)
        guard magic & ~1 == 0x377F_0682 else { return false }
        bigEndian = magic & 1 == 1
        sums = Self.checksum(header[0..<24], (0, 0), bigEndian: bigEndian)
        guard sums == (Self.word(header[...], 24), Self.word(header[...], 28)) else { return false }
        let declared = Int(Self.word(header[...], 8))
        guard (512...65_536).contains(declared), declared & (declared - 1) == 0 else { return false }
        pageSize = declared
        salts = (Self.word(header[...], 16), Self.word(header[...], 20))
        return true
    }

    /// Whether the frame belongs to the chain of checksums; if so the chain goes on from it.
    private mutating func takes(_ frame: ArraySlice<UInt8>) -> Bool {
        guard salts == (Self.word(frame, 8), Self.word(frame, 12)), Self.word(frame, 0) != 0 else { return false }
        let start = frame.startIndex
        var next = Self.checksum(frame[start..<start + 8], sums, bigEndian: bigEndian)
        next = Self.checksum(frame[(start + Self.frameHeaderSize)...], next, bigEndian: bigEndian)
        guard next == (Self.word(frame, 16), Self.word(frame, 20)) else { return false }
        sums = next
        return true
    }

    private func isCommit(_ frame: ArraySlice<UInt8>) -> Bool {
        Self.word(frame, 0) != 0 && Self.word(frame, 4) != 0
            && salts == (Self.word(frame, 8), Self.word(frame, 12))
    }

    private func read(
        _ buffer: inout [UInt8], _ count: Int, _ offset: Int, _ path: String
    ) throws(LogOpenError) {
        var done = 0
        while done < count {
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe pread(descriptor, bytes.baseAddress! + done, count - done, off_t(offset + done))
            }
            guard result > 0 else {
                throw LogOpenError(
                    .inaccessible, "\(path): cannot be read: \(result == 0 ? "it became shorter" : systemMessage())")
            }
            done += result
        }
    }

    /// The log's numbers are big-endian.
    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        unsafe bytes.withUnsafeBytes { bytes in
            UInt32(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }

    /// The log's checksum, of a multiple of 8 bytes, going on from `sums`.
    static func checksum(
        _ bytes: ArraySlice<UInt8>, _ sums: (UInt32, UInt32), bigEndian: Bool
    ) -> (UInt32, UInt32) {
        var (first, second) = sums
        unsafe bytes.withUnsafeBytes { bytes in
            for offset in stride(from: 0, to: bytes.count & ~7, by: 8) {
                let one = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let other = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                first &+= (bigEndian ? UInt32(bigEndian: one) : UInt32(littleEndian: one)) &+ second
                second &+= (bigEndian ? UInt32(bigEndian: other) : UInt32(littleEndian: other)) &+ first
            }
        }
        return (first, second)
    }
}
