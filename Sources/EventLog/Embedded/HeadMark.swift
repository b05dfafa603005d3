/// The highest sequence that was ever readable, in a file of its own (`<folder>/head`): a log whose head is below it has
/// lost something. It is written after each commit without a sync: a power cut may leave an older mark, which accuses
/// nobody wrongly.
///
/// 24 bytes: the magic, the next sequence, and a checksum of both, in little-endian order.
final class HeadMark: Sendable {
    private let file: any LogFileHandle
    private static let magic: UInt64 = 0x3144_4145_4848_4700

    init(path: String, files: any LogFileSystem = SystemFileSystem()) throws(LogOpenError) {
        guard let file = try files.open(path, creating: true) else {
            throw LogOpenError(.inaccessible, "\(path): cannot be created")
        }
        self.file = file
    }

    /// Nil when none was written yet, or what was written is torn.
    func read() -> Int64? {
        var words: InlineArray<3, UInt64> = [0, 0, 0]
        let file = file
        let count = unsafe withUnsafeMutableBytes(of: &words) { bytes in unsafe file.read(into: bytes, at: 0) }
        let next = UInt64(littleEndian: words[1])
        guard count == 24, UInt64(littleEndian: words[0]) == Self.magic,
            UInt64(littleEndian: words[2]) == Self.checksum(next)
        else { return nil }
        return Int64(bitPattern: next)
    }

    func write(next: Int64) {
        let next = UInt64(bitPattern: next)
        let words: InlineArray<3, UInt64> = [
            Self.magic.littleEndian, next.littleEndian, Self.checksum(next).littleEndian,
        ]
        let file = file
        // A mark that cannot be written stays behind the log, which is safe.
        _ = unsafe withUnsafeBytes(of: words) { bytes in unsafe file.write(bytes, at: 0) }
    }

    private static func checksum(_ next: UInt64) -> UInt64 {
        var hash = RecordHash(seed: magic)
        hash.add(next)
        return hash.finish()
    }
}
