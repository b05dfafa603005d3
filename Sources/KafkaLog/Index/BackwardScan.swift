internal import EventLog
internal import Kafka

/// Goes back through partitions of the log, the newest record first: the one that was received last among the last ones of
/// each. It reads forward in small pieces, each before the one before.
struct BackwardScan {
    private struct Cursor {
        let partition: Int32
        let oldest: Int64
        /// What comes next lies before it.
        var position: Int64
        /// Records before it are not loaded.
        var loadedFrom: Int64
        var loaded: [LogRecord] = []
    }

    private let parts: ReadingParts
    private let ranges: RangeReader
    private var cursors: [Cursor]
    /// Records of a partition that are read at once.
    private var piece: Int64

    private static let pieceOfAll: Int64 = 4096
    private static let pieceBytes = 8 << 20

    /// - Parameter bounds: by partition; records from the lower to the upper offset are looked at.
    init(_ parts: ReadingParts, _ ranges: RangeReader, _ bounds: [Int32: Range<Int64>]) {
        self.parts = parts
        self.ranges = ranges
        cursors = bounds.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { partition, range in
            Cursor(
                partition: partition, oldest: range.lowerBound, position: range.upperBound,
                loadedFrom: range.upperBound)
        }
        piece = 16
    }

    /// How far it has come, by partition.
    var positions: [Int32: Int64] {
        Dictionary(uniqueKeysWithValues: cursors.map { ($0.partition, $0.position) })
    }

    var isAtEnd: Bool { cursors.allSatisfy { $0.position <= $0.oldest } }

    /// Nil at the end.
    mutating func next() throws(LogFailure) -> LogRecord? {
        while cursors.contains(where: { $0.loaded.isEmpty && $0.loadedFrom > $0.oldest }) { try load() }
        var latest: Int?
        for index in cursors.indices {
            guard let record = cursors[index].loaded.last else {
                cursors[index].position = min(cursors[index].position, cursors[index].loadedFrom)
                continue
            }
            if let found = latest, let other = cursors[found].loaded.last, other.receivedAtMs >= record.receivedAtMs {
                continue
            }
            latest = index
        }
        guard let latest, let record = cursors[latest].loaded.popLast() else { return nil }
        cursors[latest].position = record.place.offset
        return record
    }

    private mutating func load() throws(LogFailure) {
        var pieces: [TopicPartition: Range<Int64>] = [:]
        var loading: [Int32: Int] = [:]
        for index in cursors.indices where cursors[index].loaded.isEmpty {
            let cursor = cursors[index]
            guard cursor.loadedFrom > cursor.oldest else { continue }
            let start = max(cursor.oldest, cursor.loadedFrom - piece)
            pieces[parts.layout.topicPartition(cursor.partition)] = start..<cursor.loadedFrom
            cursors[index].loadedFrom = start
            loading[cursor.partition] = index
        }
        var loaded: [Int: [LogRecord]] = [:]
        var bytes = 0
        do throws(KafkaFailure) {
            try ranges.read(pieces) { message in
                guard let partition = parts.layout.index(topic: message.topic, partition: message.partition),
                    let index = loading[partition]
                else { return }
                let record = parts.decoded(message, RecordPlace(partition: partition, offset: message.offset))
                bytes += record.payload.count
                loaded[index, default: []].append(record)
            }
        } catch {
            throw LogFailure(.unavailable, "the log cannot be read: \(error.message)")
        }
        for (index, records) in loaded { cursors[index].loaded = records }
        let count = Int64(max(1, loaded.values.reduce(0) { $0 + $1.count }))
        let largest = min(Self.pieceOfAll, max(16, Int64(Self.pieceBytes) * count / Int64(max(bytes, 1))))
        piece = max(8, min(piece * 4, largest / Int64(max(cursors.count, 1))))
    }
}
