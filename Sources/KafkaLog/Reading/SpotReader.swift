internal import EventLog
internal import Kafka
internal import Synchronization

/// Reads single records, wherever they stand.
final class SpotReader: Sendable {
    private struct State {
        var reader: KafkaReader?
        /// What the reader gives next, when nothing was asked for elsewhere since.
        var next: RecordPlace?
        var usedAt = ContinuousClock.now
    }

    private let parts: ReadingParts
    private let state = Mutex(State())

    private static let patience = Duration.seconds(5)
    private static let idle = Duration.seconds(1)
    private static let fetchedBytes = 2 << 20
    /// So far on, reading on is cheaper than going there.
    private static let step: Int64 = 64

    init(_ parts: ReadingParts) {
        self.parts = parts
    }

    func close() {
        state.withLock { $0.reader.take() }?.close()
    }

    /// Fetches nothing ahead any more when nobody has asked for a while.
    func rest() {
        // One that is at work has been asked.
        _ = state.withLockIfAvailable { state in
            guard state.next != nil, state.usedAt.duration(to: .now) > Self.idle else { return }
            state.next = nil
            try? state.reader?.assign([:])
        }
    }

    /// - Returns: nil where there is no record any more.
    func record(at place: RecordPlace) throws(LogFailure) -> LogRecord? {
        try state.withLock { state throws(LogFailure) in
            do throws(KafkaFailure) {
                let reader = try opened(&state)
                let isOnTheWay = state.next.map {
                    $0.partition == place.partition && 0...Self.step ~= place.offset - $0.offset
                }
                if isOnTheWay != true {
                    try reader.assign([parts.layout.topicPartition(place.partition): place.offset])
                }
                state.usedAt = .now
                // Whatever happens, the reader has something assigned.
                state.next = RecordPlace(partition: -1, offset: 0)
                guard let message = try message(at: place, reader) else { return nil }
                state.next = RecordPlace(partition: place.partition, offset: place.offset + 1)
                return parts.decoded(message, place)
            } catch {
                throw LogFailure(.unavailable, "the record \(place) of the log cannot be read: \(error.message)")
            }
        }
    }

    private func opened(_ state: inout State) throws(KafkaFailure) -> KafkaReader {
        if let reader = state.reader { return reader }
        let reader = try KafkaReader(parts.kafka.askingOften, maximumBufferedBytes: Self.fetchedBytes)
        state.reader = reader
        return reader
    }

    private func message(at place: RecordPlace, _ reader: KafkaReader) throws(KafkaFailure) -> KafkaMessage? {
        let topicPartition = parts.layout.topicPartition(place.partition)
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            switch reader.poll(within: .milliseconds(100)) {
            case .message(let message) where message.topicPartition == topicPartition:
                if message.offset == place.offset { return message }
                if message.offset > place.offset { return nil }
            case .end(topicPartition, let offset) where offset > place.offset: return nil
            case .failure(topicPartition, let failure):
                if failure.code == KafkaFailure.offsetOutOfRange { return nil }
                throw failure
            default: break
            }
        }
        throw KafkaFailure(code: "timed_out", message: "no broker gave it in 5 s")
    }
}
