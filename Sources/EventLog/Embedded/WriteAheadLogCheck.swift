/// Walks a write-ahead log before SQLite reads it (https://www.sqlite.org/fileformat2.html#walformat). SQLite takes a
/// frame with a bad checksum for the end, whatever follows; so a flipped bit would silently drop every commit after it.
/// A crash leaves at most one commit unfinished: two or more commits of the same generation from the first bad frame on
/// are damage, not a torn tail.
package struct WriteAheadLogCheck {
    package enum Verdict: Equatable {
        case absent
        /// Sound up to its end, or to a tail that no commit was acknowledged from.
        case sound(frames: Int)
        case damaged(frame: Int, commitsBehind: Int)
    }

    private let file: any LogFileHandle
    /// What the log is of; nil when it is missing.
    private let database: (any LogFileHandle)?
    private let size: Int
    private var pageSize: Int
    private var bigEndian = false
    private var salts: (UInt32, UInt32) = (0, 0)
    private var sums: (UInt32, UInt32) = (0, 0)

    private static let headerSize = 32
    private static let frameHeaderSize = 24

    /// - Parameter databasePageSize: used where the log's own header is damaged.
    package static func verdict(
        path: String, databasePageSize: Int = 4096, files: any LogFileSystem = SystemFileSystem()
    ) throws(LogOpenError) -> Verdict {
        guard let file = try files.open(path, creating: false) else { return .absent }
        guard let size = file.size else { throw LogOpenError(.inaccessible, "\(path): \(file.failure)") }
        let database = path.hasSuffix("-wal") ? try files.open(String(path.dropLast(4)), creating: false) : nil
        var check = WriteAheadLogCheck(
            file: file, size: size, database: database, databasePageSize: databasePageSize)
        return try check.walk(path)
    }

    private init(file: any LogFileHandle, size: Int, database: (any LogFileHandle)?, databasePageSize: Int) {
        self.file = file
        self.database = database
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
        // The header is synced before any frame follows it: behind a torn one there is only what was copied back before.
        if !headerIsSound, commitsBehind > 0 {
            return try isCopiedBack(frames, path) ? .sound(frames: 0) : .damaged(frame: 0, commitsBehind: commitsBehind)
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

    /// Whether the database holds every page as the last commit of the first frame's generation left it.
    private func isCopiedBack(_ frames: Int, _ path: String) throws(LogOpenError) -> Bool {
        guard let database else { return false }
        let frameSize = Self.frameHeaderSize + pageSize
        var header = [UInt8](repeating: 0, count: Self.frameHeaderSize)
        var pages: [UInt32: Int] = [:]
        var committed: (pages: [UInt32: Int], size: UInt32) = ([:], 0)
        for frame in 0..<frames {
            try read(&header, Self.frameHeaderSize, Self.headerSize + frame * frameSize, path)
            guard salts == (Self.word(header[...], 8), Self.word(header[...], 12)) else { break }
            pages[Self.word(header[...], 0)] = frame
            if isCommit(header[...]) { committed = (pages, Self.word(header[...], 4)) }
        }
        var logged = [UInt8](repeating: 0, count: pageSize)
        var copied = logged
        for (page, frame) in committed.pages where page <= committed.size {
            try read(&logged, pageSize, Self.headerSize + frame * frameSize + Self.frameHeaderSize, path)
            let count = unsafe copied.withUnsafeMutableBytes {
                unsafe database.read(into: $0, at: (Int(page) - 1) * pageSize)
            }
            guard count == pageSize, copied == logged else { return false }
        }
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
                unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[done..<count]), at: offset + done)
            }
            guard let result, result > 0 else {
                throw LogOpenError(
                    .inaccessible,
                    "\(path): cannot be read: \(result == nil ? file.failure : "it became shorter")")
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
