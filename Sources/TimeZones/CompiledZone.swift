extension ZoneRules {
    /// Reads a compiled zone (TZif, RFC 9636, section 3): version 1 by its only block, later versions by the second and
    /// the footer. Nil for what is none, and for a zone that counts leap seconds: the clocks here do not.
    init?(tzif file: [UInt8]) {
        var reader = ByteReader(bytes: file)
        guard let header = BlockHeader(&reader) else { return nil }
        guard header.version >= 2 else {
            guard let block = Block(header, &reader, bytesOfTime: 4) else { return nil }
            self.init(block, footer: nil)
            return
        }
        guard reader.skip(header.size(bytesOfTime: 4)), let second = BlockHeader(&reader),
            let block = Block(second, &reader, bytesOfTime: 8), reader.byte() == UInt8(ascii: "\n"),
            let footer = reader.line()
        else { return nil }
        guard !footer.isEmpty else {
            self.init(block, footer: nil)
            return
        }
        guard let rule = RecurringRule(footer) else { return nil }
        self.init(block, footer: rule)
    }

    private init(_ block: Block, footer: RecurringRule?) {
        transitions = block.transitions
        offsets = block.kinds.map { block.offsets[Int($0)] }
        first = block.offsets[0]
        recurring = footer
    }
}

private struct BlockHeader {
    let version: UInt8
    let isutCount, isstdCount, leapCount, timeCount, typeCount, charCount: Int

    private static let most = 10_000

    init?(_ reader: inout ByteReader) {
        guard reader.take(4) == Array("TZif".utf8), let version = reader.byte(), reader.skip(15) else { return nil }
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = reader.signed(4), (0...Int64(Self.most)).contains(count) else { return nil }
            counts.append(Int(count))
        }
        self.version = version == 0 ? 1 : version - UInt8(ascii: "0")
        (isutCount, isstdCount, leapCount) = (counts[0], counts[1], counts[2])
        (timeCount, typeCount, charCount) = (counts[3], counts[4], counts[5])
    }

    func size(bytesOfTime: Int) -> Int {
        timeCount * (bytesOfTime + 1) + typeCount * 6 + charCount + leapCount * (bytesOfTime + 4) + isstdCount
            + isutCount
    }
}

private struct Block {
    var transitions: [Int64] = []
    /// For each transition the place of its offset.
    var kinds: [UInt8] = []
    var offsets: [Int32] = []

    init?(_ header: BlockHeader, _ reader: inout ByteReader, bytesOfTime: Int) {
        guard header.typeCount > 0, header.leapCount == 0 else { return nil }
        for _ in 0..<header.timeCount {
            guard let time = reader.signed(bytesOfTime), transitions.last.map({ $0 < time }) ?? true else { return nil }
            transitions.append(time)
        }
        guard let kinds = reader.take(header.timeCount), kinds.allSatisfy({ $0 < header.typeCount }) else { return nil }
        self.kinds = kinds
        for _ in 0..<header.typeCount {
            // An offset, whether it is daylight time, and where its abbreviation stands.
            guard let offset = reader.signed(4), abs(offset) <= 26 * 3600, reader.skip(2) else { return nil }
            offsets.append(Int32(offset))
        }
        guard reader.skip(header.charCount + header.isstdCount + header.isutCount) else { return nil }
    }
}

private struct ByteReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func skip(_ count: Int) -> Bool {
        guard bytes.count - position >= count else { return false }
        position += count
        return true
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        let start = position
        return skip(count) ? Array(bytes[start..<position]) : nil
    }

    mutating func byte() -> UInt8? { take(1)?.first }

    /// Big-endian, of 4 or 8 bytes.
    mutating func signed(_ count: Int) -> Int64? {
        guard let bytes = take(count) else { return nil }
        let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    /// Up to the next line feed.
    mutating func line() -> ArraySlice<UInt8>? {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { position = end + 1 }
        return bytes[position..<end]
    }
}
