internal import CRdKafka
internal import Dispatch
internal import Synchronization

/// The client of a `KafkaMembership` with its thread.
final class GroupMember: Sendable {
    private struct State {
        /// What may be committed.
        var owned: Set<Int32> = []
        var isReleased = false
        /// Set once: the member is to leave, with what it owns released by then.
        var closing: ContinuousClock.Instant?
        var hasEnded = false
        var commits: [UInt: @Sendable (Result<Void, KafkaFailure>) -> Void] = [:]
        var nextCommit: UInt = 1
        var trouble: KafkaFailure?
    }

    /// What callbacks write. Apart from the member, because the client holds on to it.
    private final class Mailbox: Sendable {
        struct Content {
            var rebalances: [ClientContext.Rebalance] = []
            var commits: [(number: UInt, error: rd_kafka_resp_err_t)] = []
            /// Nobody waits for partitions any more: they are given back at once.
            var isLeaving = false
        }

        let content = Mutex(Content())

        func rebalanced(_ rebalance: ClientContext.Rebalance) -> Bool {
            content.withLock { content in
                if !content.isLeaving { content.rebalances.append(rebalance) }
                return !content.isLeaving
            }
        }
    }

    private let client: Client
    private let mailbox: Mailbox
    private let onEvent: @Sendable (KafkaMembership.Event) -> Void
    private let state = Mutex(State())
    /// The thread has left the group, or has given up.
    private let ended = DispatchSemaphore(value: 0)

    private static let pollMilliseconds: Int32 = 100

    private static let forgotten = KafkaFailure(
        code: "session_timed_out", message: "the group has not heard of this member for too long")

    static func start(
        _ configuration: KafkaConfiguration, group: String, topic: String,
        onStatistics: (@Sendable ([UInt8]) -> Void)?, onEvent: @escaping @Sendable (KafkaMembership.Event) -> Void
    ) throws(KafkaFailure) -> GroupMember {
        let member = try GroupMember(configuration, group, onStatistics, onEvent)
        let list = PartitionList([TopicPartition(topic: topic, partition: RD_KAFKA_PARTITION_UA): 0])
        let error = unsafe rd_kafka_subscribe(member.client.handle, list.pointer)
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(error) }
        try KafkaFailure.startThread("kafka-member") { member.run() }
        return member
    }

    private init(
        _ configuration: KafkaConfiguration, _ group: String, _ onStatistics: (@Sendable ([UInt8]) -> Void)?,
        _ onEvent: @escaping @Sendable (KafkaMembership.Event) -> Void
    ) throws(KafkaFailure) {
        let mailbox = Mailbox()
        self.mailbox = mailbox
        self.onEvent = onEvent
        client = try Client(
            .consumer, configuration,
            defaults: [
                ("session.timeout.ms", "10000"), ("max.poll.interval.ms", "300000"),
                // By its answers a member learns that another has come or gone.
                ("heartbeat.interval.ms", "1000"),
                // A subscribed topic that was just created is seen this soon.
                ("topic.metadata.refresh.interval.ms", "10000"),
            ],
            settled: [
                ("group.id", group), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"), ("enable.partition.eof", "false"),
                // Puts the same partitions of different groups with the same member, and revokes all before it assigns.
                ("partition.assignment.strategy", "range"),
                // Nothing is to be fetched.
                ("queued.min.messages", "1"), ("queued.max.messages.kbytes", "1"),
            ],
            context: ClientContext(
                configuration, onStatistics: onStatistics,
                onRebalance: { mailbox.rebalanced($0) },
                onCommit: { number, error in mailbox.content.withLock { $0.commits.append((number, error)) } }),
            hasStatistics: onStatistics != nil)
    }

    // MARK: From any thread

    var trouble: KafkaFailure? { state.withLock { $0.trouble } }

    func released() {
        state.withLock { $0.isReleased = true }
        wake()
    }

    func commit(
        _ offsets: [TopicPartition: KafkaCommit],
        _ completion: @escaping @Sendable (Result<Void, KafkaFailure>) -> Void
    ) {
        let refusal = state.withLock { state -> KafkaFailure? in
            if state.hasEnded { return .closed }
            guard offsets.keys.allSatisfy({ state.owned.contains($0.partition) }) else {
                return KafkaFailure(
                    code: KafkaFailure.notOwned, message: "the partition belongs to another member of the group")
            }
            let number = state.nextCommit
            state.nextCommit += 1
            let error = begin(offsets, number)
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { return KafkaFailure(error) }
            state.commits[number] = completion
            return nil
        }
        if let refusal { completion(.failure(refusal)) }
    }

    private func begin(_ offsets: [TopicPartition: KafkaCommit], _ number: UInt) -> rd_kafka_resp_err_t {
        let list = PartitionList(capacity: offsets.count)
        for (partition, commit) in offsets { list.add(partition, commit.offset, metadata: commit.metadata) }
        guard let queue = unsafe rd_kafka_queue_get_consumer(client.handle) else { return RD_KAFKA_RESP_ERR__STATE }
        defer { unsafe rd_kafka_queue_destroy(queue) }
        return unsafe rd_kafka_commit_queue(
            client.handle, list.pointer, queue, ClientContext.committed, UnsafeMutableRawPointer(bitPattern: number))
    }

    func close(within limit: Duration) {
        let isFirst = state.withLock { state in
            guard state.closing == nil else { return false }
            // Leaving takes a part of the time.
            state.closing = .now + min(limit * 0.8, KafkaMembership.revokeTimeout)
            return true
        }
        guard isFirst else { return }
        wake()
        _ = ended.wait(timeout: .now() + .milliseconds(Int(limit.wholeMilliseconds)))
    }

    private func wake() {
        guard let queue = unsafe rd_kafka_queue_get_consumer(client.handle) else { return }
        unsafe rd_kafka_queue_yield(queue)
        unsafe rd_kafka_queue_destroy(queue)
    }

    // MARK: The thread

    private func run() {
        /// Until when revoked partitions are kept.
        var keeping: ContinuousClock.Instant?
        while true {
            poll()
            for rebalance in mailbox.content.withLock({ exchange(&$0.rebalances, with: []) }) {
                keeping = handle(rebalance)
            }
            if let limit = keeping, isDone(limit) {
                giveBack()
                keeping = nil
            }
            guard keeping == nil, let limit = state.withLock({ $0.closing }) else { continue }
            leave(by: limit)
            return
        }
    }

    private func poll() {
        if let message = unsafe rd_kafka_consumer_poll(client.handle, Self.pollMilliseconds) {
            let error = unsafe message.pointee.err
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { note(client.context.failure(error)) }
            unsafe rd_kafka_message_destroy(message)
        }
        if let untold = client.context.takeUntold() { note(untold) }
        for (number, error) in mailbox.content.withLock({ exchange(&$0.commits, with: []) }) {
            let completion = state.withLock { $0.commits.removeValue(forKey: number) }
            completion?(error == RD_KAFKA_RESP_ERR_NO_ERROR ? .success(()) : .failure(client.context.failure(error)))
        }
    }

    private func note(_ failure: KafkaFailure) {
        state.withLock { $0.trouble = failure }
    }

    /// - Returns: until when revoked partitions are kept; nil when none are.
    private func handle(_ rebalance: ClientContext.Rebalance) -> ContinuousClock.Instant? {
        switch rebalance {
        case .assign(let partitions):
            take(partitions)
            return nil
        case .revoke(isLost: true):
            lose()
            return nil
        case .revoke(isLost: false):
            return revoke(by: .now + KafkaMembership.revokeTimeout)
        }
    }

    private func take(_ partitions: [TopicPartition]) {
        // From the end on: there is nothing to fetch before they are paused.
        let end = Int64(RD_KAFKA_OFFSET_END)
        let list = PartitionList(Dictionary(uniqueKeysWithValues: partitions.map { ($0, end) }))
        _ = unsafe rd_kafka_assign(client.handle, list.pointer)
        _ = unsafe rd_kafka_pause_partitions(client.handle, list.pointer)
        client.context.succeeded()
        let owned = Set(partitions.map(\.partition))
        state.withLock { state in
            state.owned = owned
            state.trouble = nil
        }
        onEvent(.assigned(owned))
    }

    private func revoke(by limit: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let owned = state.withLock { state in
            state.isReleased = false
            return state.owned
        }
        guard !owned.isEmpty else {
            giveBack()
            return nil
        }
        onEvent(.revoked(owned))
        return limit
    }

    /// Whether partitions that were revoked can be given back, or must be.
    private func isDone(_ limit: ContinuousClock.Instant) -> Bool {
        let closing = state.withLock { state in
            state.isReleased && state.commits.isEmpty ? .now : state.closing
        }
        return .now >= min(limit, closing ?? limit)
    }

    private func giveBack() {
        let unreleased = state.withLock { state in
            let owned = exchange(&state.owned, with: [])
            return state.isReleased ? [] : owned
        }
        if !unreleased.isEmpty { onEvent(.lost(unreleased)) }
        _ = unsafe rd_kafka_assign(client.handle, nil)
    }

    private func lose() {
        let owned = state.withLock { state in
            state.trouble = state.trouble ?? Self.forgotten
            return exchange(&state.owned, with: [])
        }
        if !owned.isEmpty { onEvent(.lost(owned)) }
        _ = unsafe rd_kafka_assign(client.handle, nil)
    }

    private func leave(by limit: ContinuousClock.Instant) {
        if revoke(by: limit) != nil {
            while !isDone(limit) {
                poll()
            }
            giveBack()
        }
        mailbox.content.withLock { $0.isLeaving = true }
        _ = unsafe rd_kafka_consumer_close(client.handle)
        let left = state.withLock { state in
            state.hasEnded = true
            return exchange(&state.commits, with: [:])
        }
        for completion in left.values { completion(.failure(.closed)) }
        ended.signal()
    }
}
