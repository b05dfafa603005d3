internal import EventLog
internal import Kafka
internal import Synchronization

/// Where the log's partitions begin and end, as far as is known here: learnt from what is read and appended, and by asking
/// the brokers. Neither ever goes back.
final class LogEnds: Sendable {
    private struct State {
        var head: [Int64]
        var beginning: [Int64]
        var cut: [Int32: Int64] = [:]
    }

    private let layout: LogLayout
    private let state: Mutex<State>

    init(_ layout: LogLayout) {
        self.layout = layout
        let none = [Int64](repeating: 0, count: layout.count)
        state = Mutex(State(head: none, beginning: none))
    }

    var head: LogPosition { state.withLock { LogPosition(offsets: $0.head) } }
    var beginning: LogPosition { state.withLock { LogPosition(offsets: $0.beginning) } }
    var both: (beginning: [Int64], head: [Int64]) { state.withLock { ($0.beginning, $0.head) } }

    func head(_ partition: Int32) -> Int64 { state.withLock { $0.head[Int(partition)] } }
    func beginning(_ partition: Int32) -> Int64 { state.withLock { $0.beginning[Int(partition)] } }

    /// - Returns: whether that is news.
    @discardableResult
    func raiseHead(_ partition: Int32, to offset: Int64) -> Bool {
        state.withLock { state in
            guard state.head[Int(partition)] < offset else { return false }
            state.head[Int(partition)] = offset
            return true
        }
    }

    func raiseBeginning(_ partition: Int32, to offset: Int64) {
        state.withLock { state in
            state.beginning[Int(partition)] = max(state.beginning[Int(partition)], offset)
            state.head[Int(partition)] = max(state.head[Int(partition)], offset)
        }
    }

    /// Partitions that ended before what was known of them when the brokers were last asked, with where: their topic was
    /// deleted, and perhaps created anew, or cut.
    var cut: [Int32: Int64] { state.withLock { $0.cut } }

    /// Asks the brokers.
    /// - Returns: the partitions whose head is farther than was known.
    @discardableResult
    func refresh(_ partitions: some Collection<Int32>, _ admin: KafkaAdmin) throws(KafkaFailure) -> [Int32] {
        guard !partitions.isEmpty else { return [] }
        let known = head
        let found = try admin.ends(of: partitions.map { layout.topicPartition($0) })
        let cut = partitions.map { ($0, found[layout.topicPartition($0)]?.high ?? 0) }.filter { partition, end in
            end < known.offsets[Int(partition)]
        }
        state.withLock { $0.cut = Dictionary(cut) { first, _ in first } }
        var raised: [Int32] = []
        for (place, ends) in found {
            guard let partition = layout.index(topic: place.topic, partition: place.partition) else { continue }
            raiseBeginning(partition, to: ends.low)
            if raiseHead(partition, to: ends.high) { raised.append(partition) }
        }
        return raised
    }
}
