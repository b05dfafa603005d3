/// A place between records: for every partition, the offset of the next record to read. Opaque to whoever is not the
/// log: positions are kept, handed back, and compared by the log's own `count(from:to:)`.
package struct LogPosition: Hashable, Sendable, Codable {
    package var offsets: [Int64]

    package init(offsets: [Int64]) {
        self.offsets = offsets
    }

    /// Whether every partition is at `place` or beyond: the record there has been read.
    package func isPast(_ place: RecordPlace) -> Bool {
        let partition = Int(place.partition)
        return partition < offsets.count && offsets[partition] > place.offset
    }

    /// The smaller offset of each partition: nothing below it is beyond either position.
    package func lowest(_ other: LogPosition) -> LogPosition {
        LogPosition(offsets: zip(offsets, other.offsets).map { min($0, $1) })
    }
}

/// The position as text, for storage: the offsets with commas between them.
extension LogPosition: LosslessStringConvertible {
    package init?(_ description: String) {
        var offsets: [Int64] = []
        for part in description.split(separator: ",", omittingEmptySubsequences: false) {
            guard let offset = Int64(part), offset >= 0 else { return nil }
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
