package import Kafka
internal import Synchronization

/// Reads pieces of topics from one offset to another, one after another.
package final class RangeReader: Sendable {
    private let kafka: KafkaConfiguration
    private let reader = Mutex<KafkaReader?>(nil)

    /// Without anything coming for so long, the cluster is away.
    private static let patience = Duration.seconds(10)
    private static let fetchedBytes = 8 << 20

    package init(_ kafka: KafkaConfiguration) {
        self.kafka = kafka
    }

    private static func opened(
        _ held: inout KafkaReader?, _ kafka: KafkaConfiguration
    ) throws(KafkaFailure) -> KafkaReader {
        if let held { return held }
        let reader = try KafkaReader(kafka.askingOften, maximumBufferedBytes: fetchedBytes)
        held = reader
        return reader
    }

    package func close() {
        reader.withLock { $0.take() }?.close()
    }

    /// Gives every record of these pieces, in order within each partition. What retention removes meanwhile is left out.
    /// Blocks; a second caller waits for the first.
    package func read(
        _ pieces: [TopicPartition: Range<Int64>], _ body: (KafkaMessage) -> Void
    ) throws(KafkaFailure) {
        var open = pieces.filter { !$0.value.isEmpty }
        guard !open.isEmpty else { return }
        try reader.withLock { held throws(KafkaFailure) in
            let reader = try Self.opened(&held, kafka)
            // What is fetched beyond the pieces is of no use.
            defer { try? reader.assign([:]) }
            try reader.assign(open.mapValues(\.lowerBound))
            var deadline = ContinuousClock.now + Self.patience
            while !open.isEmpty {
                let event = reader.poll(within: .milliseconds(200))
                switch event {
                case .message(let message):
                    guard let piece = open[message.topicPartition] else { break }
                    if piece.contains(message.offset) { body(message) }
                    if message.offset >= piece.upperBound - 1 { open[message.topicPartition] = nil }
                case .end(let place, let offset):
                    if let piece = open[place], offset >= piece.upperBound { open[place] = nil }
                case .failure(let place?, let failure):
                    guard failure.code == KafkaFailure.offsetOutOfRange else { throw failure }
                    open[place] = nil
                case .failure(nil, _), .nothing: break
                }
                if case .nothing = event {
                    guard ContinuousClock.now < deadline else {
                        throw KafkaFailure(code: "timed_out", message: "no broker gave anything in 10 s")
                    }
                } else {
                    deadline = ContinuousClock.now + Self.patience
                }
            }
        }
    }
}

extension KafkaConfiguration {
    /// For readers that are sent from place to place: a broker that has nothing answers soon, because while it waits the
    /// same connection cannot ask it for anything else.
    var askingOften: KafkaConfiguration {
        var copy = self
        copy.properties.merge(["fetch.wait.max.ms": "5"]) { written, _ in written }
        return copy
    }
}
