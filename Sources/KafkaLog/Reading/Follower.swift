internal import Dispatch
internal import EventLog
internal import Events
internal import Kafka
internal import Logging
internal import Synchronization
internal import Threads

/// A reader with a thread of its own, that reads some partitions on and keeps what it finds, up to a bound, until somebody
/// asks for it.
final class Follower: Sendable {
    /// What is held before it stops reading on.
    struct Limits {
        var records: Int
        var bytes: Int
        /// Of librdkafka's own buffer.
        var fetchedBytes: Int
    }

    private struct State {
        var buffers: [Int32: PartitionBuffer] = [:]
        /// Rises when other partitions are to be read, or from other places.
        var assignment: UInt64 = 0
        var arrivals: UInt64 = 0
        var usedAt = ContinuousClock.now
        var isClosed = false
    }

    private let source: RecordSource
    private let parts: ReadingParts
    private let limits: Limits
    private let arrivals: Arrivals
    private let onRecords: @Sendable () -> Void
    private let wake = DispatchSemaphore(value: 0)
    private let state = Mutex(State())
    private let thread = Mutex<Thread?>(nil)

    /// A partition that nobody asked for in so long is read no further when it fills the room.
    private static let patience = Duration.seconds(10)
    /// Places so little ahead are waited for.
    private static let nearRecords: Int64 = 4096

    /// - Parameter onRecords: called on the follower's thread after records have come; must not block.
    init(
        name: String, _ parts: ReadingParts, limits: Limits, arrivals: Arrivals,
        onStatistics: (@Sendable ([UInt8]) -> Void)? = nil, onRecords: @escaping @Sendable () -> Void
    ) throws(KafkaFailure) {
        self.parts = parts
        self.limits = limits
        self.arrivals = arrivals
        self.onRecords = onRecords
        source = try RecordSource(parts, maximumBufferedBytes: limits.fetchedBytes, onStatistics: onStatistics)
        source.onReadable { [wake] in wake.signal() }
        do throws(ThreadError) {
            let started = try Thread(name: name) { [self] in run() }
            thread.withLock { $0 = started }
        } catch {
            throw KafkaFailure(code: "resources", message: error.description)
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wake.signal()
        thread.withLock { $0.take() }?.join()
        source.close()
    }

    // MARK: for whoever reads

    var usedAt: ContinuousClock.Instant { state.withLock { $0.usedAt } }
    var isLearning: Bool { source.isLearning }

    /// Whether records at a place are here, or come without anything else being done.
    func serves(_ place: RecordPlace) -> Bool {
        state.withLock { state in
            guard let buffer = state.buffers[place.partition] else { return false }
            return Self.serves(buffer, place.offset)
        }
    }

    private static func serves(_ buffer: PartitionBuffer, _ offset: Int64) -> Bool {
        buffer.start <= offset && offset <= buffer.end + (buffer.hasUnread ? 0 : nearRecords)
    }

    /// Reads these places too, or instead of all others; a partition that was read elsewhere is read here.
    func follow(_ places: some Collection<RecordPlace>, only: Bool) {
        guard !places.isEmpty else { return }
        state.withLock { state in
            if only { state.buffers = [:] }
            for place in places { state.buffers[place.partition] = PartitionBuffer(at: place.offset) }
            state.assignment += 1
            state.usedAt = .now
        }
        wake.signal()
    }

    /// Moves records from the places that a batch has come to into it, the ones that arrived first first.
    /// - Returns: why one of these partitions does not go on, when nothing was found.
    func take(
        _ partitions: some Sequence<Int32>, into batch: inout LogBatch, maximumRecords: Int, room: inout Int
    ) -> LogFailure? {
        let (failure, isFreed) = state.withLock { state -> (LogFailure?, Bool) in
            let now = ContinuousClock.now
            state.usedAt = now
            var cursors: [(partition: Int32, index: Int, next: PartitionBuffer.Held)] = []
            var failure: LogFailure?
            for partition in partitions {
                let offset = batch.next.offsets[Int(partition)]
                guard let buffer = state.buffers[partition], buffer.start <= offset else { continue }
                state.buffers[partition]?.want(at: now)
                let index = buffer.index(of: offset)
                if let held = buffer.record(at: index) {
                    cursors.append((partition, index, held))
                } else {
                    batch.next.offsets[Int(partition)] = max(offset, buffer.end)
                    failure = failure ?? buffer.failure
                }
            }
            if !cursors.isEmpty { failure = nil }
            var taken = 0
            while taken < maximumRecords,
                let earliest = cursors.indices.min(by: { cursors[$0].next.arrival < cursors[$1].next.arrival })
            {
                let (partition, index, held) = cursors[earliest]
                let size = held.record.payload.count
                guard batch.records.isEmpty || size <= room else { break }
                room -= size
                taken += 1
                batch.records.append(held.record)
                batch.next.offsets[Int(partition)] = held.record.place.offset + 1
                if let next = state.buffers[partition]?.record(at: index + 1) {
                    cursors[earliest] = (partition, index + 1, next)
                } else {
                    batch.next.offsets[Int(partition)] = state.buffers[partition]?.end ?? held.record.place.offset + 1
                    cursors.remove(at: earliest)
                }
            }
            for partition in partitions {
                state.buffers[partition]?.consume(before: batch.next.offsets[Int(partition)])
            }
            return (failure, taken > 0)
        }
        if isFreed { wake.signal() }
        return failure
    }

    /// A record that is here by chance.
    func held(_ place: RecordPlace) -> LogRecord? {
        state.withLock { state in
            guard let buffer = state.buffers[place.partition], buffer.start <= place.offset,
                let held = buffer.record(at: buffer.index(of: place.offset)), held.record.place == place
            else { return nil }
            return held.record
        }
    }

    // MARK: the thread

    private enum Step {
        case close, assign([Int32: Int64]), read, wait
    }

    private func run() {
        var assigned: UInt64 = 0
        while true {
            switch step(assigned) {
            case .close: return
            case .wait: _ = wake.wait(timeout: .now() + .seconds(1))
            case .assign(let places):
                let assignment = state.withLock { $0.assignment }
                if assign(places) { assigned = assignment } else { pause() }
            case .read:
                do throws(KafkaFailure) {
                    if try !read(assigned) { _ = wake.wait(timeout: .now() + .seconds(1)) }
                } catch {
                    // What was given by then is not lost: it is read again from where the buffers end.
                    state.withLock { $0.assignment += 1 }
                    pause()
                }
            }
        }
    }

    /// After a failure, which the next try may not meet.
    private func pause() { _ = wake.wait(timeout: .now() + .milliseconds(300)) }

    private func step(_ assigned: UInt64) -> Step {
        state.withLock { state in
            if state.isClosed { return .close }
            if isFull(&state) { dropForgotten(&state) }
            if state.assignment != assigned { return .assign(state.buffers.mapValues(\.end)) }
            return isFull(&state) ? .wait : .read
        }
    }

    /// Makes room first, where there is something that somebody has got.
    private func isFull(_ state: inout State) -> Bool {
        func fills() -> Bool {
            let (count, bytes) = state.buffers.values.reduce((0, 0)) { ($0.0 + $1.count, $0.1 + $1.bytes) }
            return count >= limits.records || bytes >= limits.bytes
        }
        guard fills() else { return false }
        for partition in state.buffers.keys { state.buffers[partition]?.dropConsumed() }
        return fills()
    }

    private func dropForgotten(_ state: inout State) {
        let oldest = ContinuousClock.now - Self.patience
        for (partition, buffer) in state.buffers where buffer.hasUnread && buffer.wantedAt < oldest {
            state.buffers[partition] = nil
            state.assignment += 1
        }
    }

    private func assign(_ places: [Int32: Int64]) -> Bool {
        let beginning = parts.ends.beginning.offsets
        // What retention has taken meanwhile cannot be read; whoever asks for it is told by the log.
        let gone = places.filter { $0.value < beginning[Int($0.key)] }.map(\.key)
        if !gone.isEmpty {
            state.withLock { state in
                for partition in gone { state.buffers[partition] = nil }
            }
        }
        do throws(KafkaFailure) {
            try source.assign(
                places.filter { $0.value >= beginning[Int($0.key)] }, nowMs: Timestamp.now().milliseconds)
            return true
        } catch {
            parts.logger.debug("log_reading_delayed", "Reading cannot begin: \(error.message)", [:])
            return false
        }
    }

    /// - Returns: whether anything came.
    private func read(_ assigned: UInt64) throws(KafkaFailure) -> Bool {
        var events: [RecordSource.Event] = []
        burst: while events.count < 64 {
            let event = try source.next()
            if case .nothing = event { break burst }
            events.append(event)
        }
        guard !events.isEmpty else { return false }
        let hasRecords = state.withLock { state in
            // Of an assignment of before: it comes again.
            guard state.assignment == assigned else { return false }
            return events.reduce(false) { keep($1, &state) || $0 }
        }
        for case .failed(let partition, let failure) in events where failure.code == .expired {
            _ = try parts.ends.refresh([partition], parts.admin)
        }
        if hasRecords {
            arrivals.signal()
            onRecords()
        }
        return true
    }

    /// - Returns: whether it is news for those who wait.
    private func keep(_ event: RecordSource.Event, _ state: inout State) -> Bool {
        switch event {
        case .record(let record):
            let partition = record.place.partition
            state.arrivals += 1
            guard state.buffers[partition]?.append(record, arrival: state.arrivals) ?? false else { return false }
            parts.ends.raiseHead(partition, to: record.place.offset + 1)
            return true
        case .reached(let partition, let offset):
            guard let end = state.buffers[partition]?.end else { return false }
            state.buffers[partition]?.reach(offset)
            parts.ends.raiseHead(partition, to: offset)
            return end < offset
        case .failed(let partition, let failure):
            if failure.code == .expired {
                state.buffers[partition] = nil
            } else {
                state.buffers[partition]?.failure = failure
            }
            return true
        case .learnt, .nothing: return false
        }
    }
}
