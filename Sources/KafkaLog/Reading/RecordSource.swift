internal import EventLog
internal import Events
internal import Kafka
internal import Synchronization

/// One consumer that reads partitions of the log from given places, decodes their records and finds the repeats among them.
/// It is used by one thread at a time.
final class RecordSource: Sendable {
    enum Event {
        case record(LogRecord)
        /// There is nothing of the partition before this offset that was not given.
        case reached(Int32, Int64)
        /// The partition is not read any further.
        case failed(Int32, LogFailure)
        /// Records were learnt from, and there may be more at once.
        case learnt
        case nothing
    }

    private struct Place {
        /// Read up to here.
        var cursor: Int64
        /// Given from here on; what comes before is only learnt from.
        var wanted: Int64
        var learntAt: ContinuousClock.Instant?
    }

    private let parts: ReadingParts
    private let reader: KafkaReader
    private let places = Mutex<[Int32: Place]>([:])

    /// Older records are learnt from too, because clocks differ.
    private static let slackMs: Int64 = 60_000
    /// A partition whose ids were learnt just now is not gone through again for the next old record.
    private static let learningInterval = Duration.seconds(30)

    init(
        _ parts: ReadingParts, maximumBufferedBytes: Int, onStatistics: (@Sendable ([UInt8]) -> Void)?
    ) throws(KafkaFailure) {
        self.parts = parts
        reader = try KafkaReader(
            parts.kafka, maximumBufferedBytes: maximumBufferedBytes, onStatistics: onStatistics)
    }

    private var layout: LogLayout { parts.layout }
    private var finder: RepeatFinder { parts.finder }

    func onReadable(_ callback: @escaping @Sendable () -> Void) { reader.onReadable(callback) }

    func close() { reader.close() }

    /// Whether ids are still being learnt, so that no record may come for a while.
    var isLearning: Bool { places.withLock { $0.values.contains { $0.cursor < $0.wanted } } }

    /// Reads these partitions from these places, in place of what was read. Blocks for what must be asked of the brokers.
    /// - Parameter nowMs: when the records at these places were received, about; nil where that is not known.
    func assign(_ wanted: [Int32: Int64], nowMs: Int64?) throws(KafkaFailure) {
        places.withLock { $0 = wanted.mapValues { Place(cursor: $0, wanted: $0) } }
        if let nowMs { try learn(Array(wanted.keys), sinceMs: nowMs - finder.windowMs) }
        try assignAll()
    }

    private func assignAll() throws(KafkaFailure) {
        let offsets = places.withLock { $0.map { (layout.topicPartition($0), $1.cursor) } }
        try reader.assign(Dictionary(offsets, uniquingKeysWith: { one, _ in one }))
    }

    /// Goes back to where the records begin by whose ids repeats are found, in partitions where they are not known.
    /// - Returns: whether there is something to go back for.
    @discardableResult
    private func learn(_ partitions: [Int32], sinceMs: Int64) throws(KafkaFailure) -> Bool {
        let current = places.withLock { $0 }
        let unknown = partitions.filter { partition in
            guard let place = current[partition], place.cursor >= place.wanted else { return false }
            return !finder.isReady(partition, at: place.cursor, sinceMs: sinceMs)
        }
        guard !unknown.isEmpty else { return false }
        let sinceMs = sinceMs - Self.slackMs
        let starts = try parts.admin.offsets(at: max(0, sinceMs), of: unknown.map { layout.topicPartition($0) })
        var goesBack = false
        for partition in unknown {
            guard let place = current[partition] else { continue }
            let beginning = parts.ends.beginning(partition)
            let earliest = max(beginning, place.cursor - Int64(RepeatFinder.maximumIDs))
            let found = starts[layout.topicPartition(partition)] ?? beginning
            let start = min(max(found, earliest), place.cursor)
            finder.begin(partition, at: start, coveredSinceMs: found > earliest ? sinceMs : .min)
            guard start < place.cursor else { continue }
            goesBack = true
            places.withLock { places in
                places[partition]?.cursor = start
                places[partition]?.learntAt = .now
            }
        }
        return goesBack
    }

    // MARK: what comes

    /// The next thing there is to tell, if there is one at once.
    func next() throws(KafkaFailure) -> Event {
        // Bounded, so that whoever asks can see whether it is to go on.
        for _ in 0..<256 {
            switch reader.poll(within: .zero) {
            case .message(let message):
                if let event = try take(message) { return event }
            case .end(let place, let offset):
                if let event = reach(place, offset) { return event }
            case .failure(let place, let failure):
                if let event = fail(place, failure) { return event }
            case .nothing: return .nothing
            }
        }
        return .learnt
    }

    /// Nil for what is not given.
    private func take(_ message: KafkaMessage) throws(KafkaFailure) -> Event? {
        guard let partition = layout.index(topic: message.topic, partition: message.partition),
            let place = places.withLock({ $0[partition] }), message.offset >= place.cursor
        else { return nil }
        if message.offset < place.wanted {
            finder.learn(
                partition, from: place.cursor, at: message.offset, RecordCodec.id(of: message),
                receivedAtMs: message.timestampMs ?? 0)
            advance(partition, to: message.offset + 1)
            return nil
        }
        var record = parts.decoded(message, RecordPlace(partition: partition, offset: message.offset))
        switch finder.judge(
            partition, from: place.cursor, at: message.offset, record.id, receivedAtMs: record.receivedAtMs)
        {
        case .isNew: break
        case .isRepeat: record.isRepeat = true
        case .isOpen(let sinceMs):
            guard let isRepeat = try settle(record, place, sinceMs) else { return nil }
            record.isRepeat = isRepeat
        }
        advance(partition, to: message.offset + 1)
        return .record(record)
    }

    /// Has the ids learnt that a record is judged by; other partitions of which none are known go back in the same step.
    /// - Returns: whether it is a repeat; nil when it will come again.
    private func settle(_ record: LogRecord, _ place: Place, _ sinceMs: Int64) throws(KafkaFailure) -> Bool? {
        let partition = record.place.partition
        func judged(settles: Bool) -> RepeatFinder.Verdict {
            finder.judge(
                partition, from: place.cursor, at: record.place.offset, record.id,
                receivedAtMs: record.receivedAtMs, settles: settles)
        }
        let isFresh = place.learntAt.map { $0.duration(to: .now) < Self.learningInterval } ?? false
        if !isFresh {
            let others = places.withLock { places in places.filter { $0.value.learntAt == nil }.map(\.key) }
            if try learn(Array(Set(others + [partition])), sinceMs: sinceMs) {
                try assignAll()
                return nil
            }
        }
        return judged(settles: true) == .isRepeat
    }

    private func advance(_ partition: Int32, to offset: Int64) {
        places.withLock { places in
            guard let place = places[partition] else { return }
            places[partition]?.cursor = offset
            places[partition]?.wanted = max(place.wanted, offset)
        }
    }

    private func reach(_ topicPartition: TopicPartition, _ offset: Int64) -> Event? {
        guard let partition = layout.index(topic: topicPartition.topic, partition: topicPartition.partition),
            let place = places.withLock({ $0[partition] }), offset >= place.cursor
        else { return nil }
        finder.skip(partition, from: place.cursor, to: offset)
        if offset >= place.wanted { advance(partition, to: offset) }
        return .reached(partition, max(offset, place.wanted))
    }

    private func fail(_ topicPartition: TopicPartition?, _ failure: KafkaFailure) -> Event? {
        guard let topicPartition,
            let partition = layout.index(topic: topicPartition.topic, partition: topicPartition.partition),
            let place = places.withLock({ $0[partition] })
        else { return nil }
        if failure.code == KafkaFailure.offsetOutOfRange {
            places.withLock { $0[partition] = nil }
            return .failed(
                partition,
                LogFailure(.expired, "the topic \(topicPartition.topic) no longer has what stood at \(place.cursor)"))
        }
        guard Self.isLasting(failure) else { return nil }
        places.withLock { $0[partition] = nil }
        return .failed(
            partition, LogFailure(.unavailable, "the topic \(topicPartition.topic) cannot be read: \(failure.message)"))
    }

    /// Whether trying again does not help until somebody has done something. All else librdkafka tries again by itself.
    private static func isLasting(_ failure: KafkaFailure) -> Bool {
        ["topic_authorization_failed", "cluster_authorization_failed", "topic_exception"].contains(failure.code)
    }
}
