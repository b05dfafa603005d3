/// A place between records: for every partition, the offset of the next record to read, or `unread` where somebody else
/// reads it. Opaque to whoever is not the log: positions are kept, handed back, and compared by the log's own
/// `count(from:to:)`.
package struct LogPosition: Hashable, Sendable, Codable {
    /// The offset of a partition that is left out: nothing of it is read, and none of its records is counted.
    package static let unread: Int64 = -1

    package var offsets: [Int64]

    package init(offsets: [Int64]) {
        self.offsets = offsets
    }

    /// A position that leaves out all of so many partitions.
    package static func none(count: Int) -> LogPosition {
        LogPosition(offsets: Array(repeating: unread, count: count))
    }

    /// Whether the record at `place` has been read: its partition is beyond it, and not left out.
    package func isPast(_ place: RecordPlace) -> Bool {
        let partition = Int(place.partition)
        return partition < offsets.count && offsets[partition] > place.offset
    }

    /// Whether every partition that is not left out, here or in `head`, is at `head` or beyond: there is nothing to read.
    package func isAtEnd(of head: LogPosition) -> Bool {
        for (offset, end) in zip(offsets, head.offsets) where offset != Self.unread && offset < end { return false }
        return true
    }

    /// The smaller offset of each partition: nothing below it is beyond either position. A partition that one of them
    /// leaves out is as the other has it.
    package func lowest(_ other: LogPosition) -> LogPosition {
        LogPosition(
            offsets: zip(offsets, other.offsets).map {
                $0 == Self.unread || $1 == Self.unread ? max($0, $1) : min($0, $1)
            })
    }
}

/// The position as text, for storage: the offsets with commas between them.
extension LogPosition: LosslessStringConvertible {
    package init?(_ description: String) {
        var offsets: [Int64] = []
        for part in description.split(separator: ",", omittingEmptySubsequences: false) {
            guard let offset = Int64(part), offset >= Self.unread else { return nil }
            offsets.append(offset)
        }
        guard !offsets.isEmpty else { return nil }
        self.init(offsets: offsets)
    }

    package var description: String {
        offsets.map(String.init).joined(separator: ",")
    }
}

/// Where one record is. Offsets grow within a partition and are never used twice; between partitions there is no order.
package struct RecordPlace: Hashable, Sendable, CustomStringConvertible {
    package var partition: Int32
    package var offset: Int64

    package init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    package var description: String { "\(partition):\(offset)" }
}
