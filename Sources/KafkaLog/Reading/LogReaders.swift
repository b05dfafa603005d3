internal import EventLog
internal import Kafka
internal import Logging
internal import Synchronization

/// Reading the log's records in order, from wherever somebody stands: one reader follows the end, others whoever fell
/// behind it.
final class LogReaders: Sendable {
    private struct State {
        var behind: [Follower] = []
        var isClosed = false
    }

    private let parts: ReadingParts
    private let arrivals = Arrivals()
    private let tail: Follower
    private let state: Mutex<State>
    private let callbacks: Callbacks

    /// Readers for places elsewhere than at the end.
    private static let maximumBehind = 3
    /// As many records before the end are still the end's.
    private static let nearRecords: Int64 = 4096
    /// How long a read waits for the first record.
    private static let patience = Duration.milliseconds(50)

    /// Their own memory and librdkafka's are of one budget of 64 MiB, together with `SpotReader` and `RangeReader`.
    private static let tailLimits = Follower.Limits(records: 8192, bytes: 8 << 20, fetchedBytes: 12 << 20)
    private static let behindLimits = Follower.Limits(records: 2048, bytes: 3 << 20, fetchedBytes: 5 << 20)

    init(_ parts: ReadingParts) throws(KafkaFailure) {
        self.parts = parts
        state = Mutex(State())
        let callbacks = Callbacks()
        self.callbacks = callbacks
        tail = try Follower(
            name: "kafka-tail", parts, limits: Self.tailLimits, arrivals: arrivals, onStatistics: parts.onStatistics,
            onRecords: { callbacks.call() })
    }

    func onRecords(_ callback: @escaping @Sendable () -> Void) { callbacks.add(callback) }

    /// The head was raised without reading.
    func tell() { callbacks.call() }

    /// These were appended here. Those that are read at the end are told of when they have been read.
    func tell(of places: [RecordPlace]) {
        if !places.allSatisfy(tail.serves) { callbacks.call() }
    }

    func close() {
        let behind = state.withLock { state in
            state.isClosed = true
            defer { state.behind = [] }
            return state.behind
        }
        for follower in [tail] + behind { follower.close() }
    }

    /// Reads these partitions at the end from now on, those that are not read there already.
    func follow(_ partitions: [Int32]) {
        let head = parts.ends.head.offsets
        let places = partitions.map { RecordPlace(partition: $0, offset: head[Int($0)]) }
        tail.follow(places.filter { !tail.serves($0) }, only: false)
    }

    func held(_ place: RecordPlace) -> LogRecord? {
        let followers = state.withLock { [tail] + $0.behind }
        for follower in followers {
            if let record = follower.held(place) { return record }
        }
        return nil
    }

    // MARK: reading on

    func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        let wanted = try partitions(toReadFrom: position)
        guard !wanted.isEmpty, maximumRecords > 0 else { return LogBatch(records: [], next: position) }
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let come = arrivals.count
            let (ofTail, ofOthers) = try assign(wanted, position)
            var batch = LogBatch(records: [], next: position)
            var room = maximumBytes
            var failure: LogFailure?
            // Neither those who keep up nor those who fell behind keep the others waiting.
            var limit = ofTail.isEmpty ? maximumRecords : max(1, maximumRecords / 2)
            for (follower, partitions) in ofOthers {
                let found = follower.take(partitions, into: &batch, maximumRecords: limit, room: &room)
                failure = failure ?? found
                limit = max(0, limit - batch.records.count)
            }
            let left = maximumRecords - batch.records.count
            failure = tail.take(ofTail, into: &batch, maximumRecords: left, room: &room) ?? failure
            guard batch.next == position else { return batch }
            if let failure { throw failure }
            let isLearning = ofOthers.contains { $0.0.isLearning } || (!ofTail.isEmpty && tail.isLearning)
            guard !isLearning, ContinuousClock.now < deadline else { return batch }
            arrivals.wait(since: come, until: deadline)
        }
    }

    /// The partitions of which there is something beyond a position.
    private func partitions(toReadFrom position: LogPosition) throws(LogFailure) -> [RecordPlace] {
        let layout = parts.layout
        guard position.offsets.count == layout.count else {
            throw LogFailure(.unknownPosition, "the position \(position) is of another log")
        }
        var (beginning, head) = parts.ends.both
        if zip(position.offsets, head).contains(where: { $0 > $1 }) {
            // Another instance may have seen more than this one.
            refresh(position.offsets.indices.filter { position.offsets[$0] > head[$0] })
            (beginning, head) = parts.ends.both
        }
        var wanted: [RecordPlace] = []
        for (index, offset) in position.offsets.enumerated() where offset != LogPosition.unread {
            guard offset >= beginning[index] else {
                throw LogFailure(
                    .expired,
                    "\(name(index)) has no records before \(beginning[index]) any more, and \(offset) was to be read")
            }
            guard offset <= head[index] else {
                throw LogFailure(
                    .unknownPosition, "\(offset) is beyond the end of \(name(index)), \(head[index])")
            }
            if offset < head[index] { wanted.append(RecordPlace(partition: Int32(index), offset: offset)) }
        }
        return wanted
    }

    private func name(_ index: Int) -> String {
        let place = parts.layout.topicPartition(Int32(index))
        return "partition \(place.partition) of the topic \(place.topic)"
    }

    /// Where that fails, what is known stands.
    private func refresh(_ indices: [Int]) {
        _ = try? parts.ends.refresh(indices.map { Int32($0) }, parts.admin)
    }

    /// Who reads which of these places; those that nobody reads are given to a reader.
    private func assign(
        _ wanted: [RecordPlace], _ position: LogPosition
    ) throws(LogFailure) -> (ofTail: [Int32], ofOthers: [(Follower, [Int32])]) {
        var ofTail: [Int32] = []
        var ofOthers: [(Follower, [Int32])] = []
        var unread: [RecordPlace] = []
        let behind = state.withLock { $0.behind }
        for place in wanted {
            if tail.serves(place) {
                ofTail.append(place.partition)
            } else if let follower = behind.first(where: { $0.serves(place) }) {
                if let index = ofOthers.firstIndex(where: { $0.0 === follower }) {
                    ofOthers[index].1.append(place.partition)
                } else {
                    ofOthers.append((follower, [place.partition]))
                }
            } else {
                unread.append(place)
            }
        }
        guard !unread.isEmpty else { return (ofTail, ofOthers) }
        let near = unread.filter { parts.ends.head($0.partition) - $0.offset <= Self.nearRecords }
        if !near.isEmpty { tail.follow(near + atEnd(position), only: false) }
        ofTail += near.map(\.partition)
        let far = unread.filter { parts.ends.head($0.partition) - $0.offset > Self.nearRecords }
        guard !far.isEmpty else { return (ofTail, ofOthers) }
        if let (follower, partitions) = ofOthers.last {
            follower.follow(far, only: false)
            ofOthers[ofOthers.count - 1].1 = partitions + far.map(\.partition)
        } else {
            let follower = try followerBehind()
            follower.follow(far, only: true)
            ofOthers.append((follower, far.map(\.partition)))
        }
        return (ofTail, ofOthers)
    }

    /// Partitions that will be read next: taken up together with others, what is learnt first is learnt in one go.
    private func atEnd(_ position: LogPosition) -> [RecordPlace] {
        let head = parts.ends.head.offsets
        return position.offsets.indices.compactMap { index in
            let place = RecordPlace(partition: Int32(index), offset: position.offsets[index])
            return place.offset > 0 && place.offset == head[index] && !tail.serves(place) ? place : nil
        }
    }

    /// A new one, or the one that was not used for longest.
    private func followerBehind() throws(LogFailure) -> Follower {
        try state.withLock { state throws(LogFailure) in
            if state.isClosed { throw LogFailure(.unavailable, "the log is closed") }
            if state.behind.count >= Self.maximumBehind, let oldest = state.behind.min(by: { $0.usedAt < $1.usedAt }) {
                return oldest
            }
            do throws(KafkaFailure) {
                var parts = parts
                parts.kafka = parts.kafka.askingOften
                let follower = try Follower(
                    name: "kafka-behind", parts, limits: Self.behindLimits, arrivals: arrivals, onRecords: {})
                state.behind.append(follower)
                return follower
            } catch {
                throw LogFailure(.unavailable, "the log cannot be read: \(error.message)")
            }
        }
    }
}

/// Whoever is to be told of new records.
final class Callbacks: Sendable {
    private let list = Mutex<[@Sendable () -> Void]>([])

    func add(_ callback: @escaping @Sendable () -> Void) {
        list.withLock { $0.append(callback) }
    }

    func call() {
        for callback in list.withLock({ $0 }) { callback() }
    }
}
