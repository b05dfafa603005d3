internal import Kafka

/// Reads topics on from where it left off, to where they end at a moment. Confined to one thread at a time.
final class TopicFollower {
    /// How far a pass has come, in records, about: compaction leaves gaps.
    typealias Progress = (_ done: Int64, _ total: Int64) -> Void

    private let reader: KafkaReader
    /// The next record of each partition that was read before.
    private(set) var next: [TopicPartition: Int64] = [:]

    init(_ reader: KafkaReader) {
        self.reader = reader
    }

    deinit { reader.close() }

    func forget(_ topic: String) {
        next = next.filter { $0.key.topic != topic }
    }

    /// Whether everything before these ends has been read.
    func isPast(_ ends: [TopicPartition: (low: Int64, high: Int64)]) -> Bool {
        ends.allSatisfy { partition, end in start(of: partition, end) >= end.high }
    }

    private func start(of partition: TopicPartition, _ end: (low: Int64, high: Int64)) -> Int64 {
        max(next[partition] ?? 0, end.low)
    }

    /// Reads up to the ends; what comes behind them is left for another time.
    /// - Throws: what `body` throws; `KafkaFailure` when the deadline passes first. What was read until then stays read.
    func read(
        to ends: [TopicPartition: (low: Int64, high: Int64)], by deadline: ContinuousClock.Instant,
        _ progress: Progress? = nil, _ body: (KafkaMessage) throws -> Void
    ) throws {
        var wanted: [TopicPartition: Int64] = [:]
        for (partition, end) in ends {
            // A topic that was deleted and made anew begins again.
            if let known = next[partition], known > end.high { next[partition] = nil }
            let first = start(of: partition, end)
            if first < end.high { wanted[partition] = first }
        }
        guard !wanted.isEmpty else { return }
        try reader.assign(wanted)
        defer { try? reader.assign([:]) }
        let total = wanted.reduce(0) { $0 + (ends[$1.key]?.high ?? 0) - $1.value }
        var left = Set(wanted.keys)
        var failure: KafkaFailure?
        var done: Int64 = 0
        func come(_ partition: TopicPartition, to offset: Int64) {
            done += offset - (next[partition] ?? wanted[partition] ?? offset)
            next[partition] = offset
            if offset >= ends[partition]?.high ?? 0 { left.remove(partition) }
        }
        while !left.isEmpty {
            guard ContinuousClock.now < deadline else { throw failure ?? Self.late }
            switch reader.poll(within: min(.milliseconds(500), max(.milliseconds(1), deadline - .now))) {
            case .message(let message):
                let partition = message.topicPartition
                guard left.contains(partition), let end = ends[partition] else { continue }
                if message.offset < end.high { try body(message) }
                come(partition, to: min(message.offset + 1, end.high))
            case .end(let partition, let offset):
                // Compaction may have taken the last records before the end.
                if left.contains(partition), offset >= ends[partition]?.high ?? 0 {
                    come(partition, to: ends[partition]?.high ?? offset)
                }
            case .failure(let partition, let found):
                failure = found
                guard let partition else { continue }
                // Retention has taken what was to be read next: the next pass begins where the topic begins now.
                if found.code == KafkaFailure.offsetOutOfRange { next[partition] = nil }
                throw found
            case .nothing: break
            }
            progress?(done, total)
        }
    }

    private static let late = KafkaFailure(code: "timed_out", message: "the topics could not be read in time")
}
