package import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
package import KafkaLog
package import Logging
package import Metrics
internal import Synchronization

/// Keeps the state of targets in Kafka: a consumer group for each target shares out the shards, commits hold positions and
/// counters, and the retry and dead-letter topics what is unfinished and what failed.
package final class KafkaStateKeeper: StateKeeper {
    private struct State {
        var targets: [String: TargetKeeper] = [:]
        /// On its way out; the last join since, if any.
        var leaving: [String: KeptTarget?] = [:]
        var isReady = false
        var isClosed = false
        /// Whose records the log is to give at once.
        var followed: Set<Int> = []
    }

    /// The topic by which instances tell each other what is not about single events.
    package let control: ControlTopic
    package let metrics: KafkaMetrics

    private let log: KafkaEventLog
    private let context: KeeperContext
    private let queue = DispatchQueue(label: "kafka state")
    private let state = Mutex(State())
    private let callback: Callback
    private let progress: Condition

    /// Called from the targets' keepers.
    private final class Callback: Sendable {
        let function = Mutex<(@Sendable () -> Void)?>(nil)

        func call() { function.withLock { $0 }?() }
    }

    /// How long a record may be under way before it goes out again. Shorter than a session: what an instance that is no
    /// longer heard of has not sent by then is never sent.
    private static let recordTimeout = Duration.seconds(8)

    /// Begins to read the control topic; targets take part once it has been read.
    /// - Parameter statistics: where other clients' statistics go as well; nil: it makes its own.
    /// - Throws: when a client cannot be made.
    package init(
        _ options: KafkaLogOptions, log: KafkaEventLog, logger: Logger, metrics: MetricsRegistry,
        statistics: KafkaMetrics? = nil
    ) throws {
        var options = options
        options.kafka.properties["message.max.bytes"] = "\(options.maximumStateBytes)"
        let kafkaMetrics = statistics ?? KafkaMetrics(metrics)
        self.metrics = kafkaMetrics
        self.log = log
        let admin = try KafkaAdmin(options.kafka, group: "\(options.prefix).admin")
        let producer = try KafkaProducer(
            options.kafka, timeout: Self.recordTimeout, onStatistics: kafkaMetrics.listener("state"))
        control = ControlTopic(options, admin: admin, producer: producer, logger: logger)
        let callback = Callback()
        self.callback = callback
        let progress = Condition()
        self.progress = progress
        let random = UInt32.random(in: .min ... .max)
        context = KeeperContext(
            options: options, layout: options.layout, admin: admin, producer: producer, control: control,
            topics: log.topics, head: { log.head }, versions: KnownVersions(), logger: logger,
            run: "\(options.kafka.clientID)-\(String(random, radix: 16))", onChange: { callback.call() },
            onProgress: { progress.broadcast() })
        control.onRecord { [weak self] entry in self?.heard(entry) }
        kafkaMetrics.collectLag(metrics) { [weak self] in self?.lag ?? [] }
        queue.async { [weak self] in self?.openControl(failures: 0) }
    }

    private func openControl(failures: Int) {
        if state.withLock({ $0.isClosed }) { return }
        do throws(KafkaFailure) {
            try control.open()
        } catch {
            if failures == 0 {
                context.logger.warning(
                    "kafka_control_unreadable", "Nothing is delivered yet: \(error.message)",
                    ["reason": .string(error.code)])
            }
            let delayMs = min(500 << min(failures, 4), 5000)
            return queue.asyncAfter(deadline: .now() + .milliseconds(delayMs)) { [weak self] in
                self?.openControl(failures: failures + 1)
            }
        }
        for entry in control.entries(where: { if case .version = $0 { true } else { false } }) {
            if case .version(let hash) = entry.key { _ = context.versions.insert(hash) }
        }
        let waiting = state.withLock { state in
            state.isReady = true
            return state.targets.values.sorted { $0.name < $1.name }
        }
        for keeper in waiting { keeper.start() }
        progress.broadcast()
    }

    /// Whether the control topic has been read.
    package func isReady(within limit: Duration) -> Bool {
        progress.wait(within: limit) { state.withLock { $0.isReady } }
    }

    // MARK: StateKeeper

    package func shard(of partition: Int32) -> Int { context.layout.shard(of: partition) }

    package func onChange(_ callback: @escaping @Sendable () -> Void) {
        self.callback.function.withLock { $0 = callback }
    }

    package func join(_ target: KeptTarget) {
        let new = state.withLock { state -> TargetKeeper? in
            guard !state.isClosed else { return nil }
            if state.leaving[target.name] != nil {
                state.leaving[target.name] = target
                return nil
            }
            guard state.targets[target.name] == nil else { return nil }
            let keeper = TargetKeeper(target, context)
            state.targets[target.name] = keeper
            return state.isReady ? keeper : nil
        }
        new?.start()
    }

    package func leave(_ target: String) {
        let keeper = state.withLock { state -> TargetKeeper? in
            guard let keeper = state.targets[target] else { return nil }
            guard state.leaving[target] == nil else {
                state.leaving[target] = .some(nil)
                return nil
            }
            state.leaving[target] = .some(nil)
            return keeper
        }
        guard let keeper else { return }
        DispatchQueue.global().async { [weak self] in
            keeper.close(
                within: KafkaMembership.revokeTimeout + .seconds(2), isEngineThere: true, isRemoved: true)
            self?.left(target)
        }
    }

    private func left(_ target: String) {
        let again = state.withLock { state -> KeptTarget? in
            state.targets[target] = nil
            return state.leaving.removeValue(forKey: target) ?? nil
        }
        if let again { join(again) }
    }

    package func changes(of target: String) -> [ShardChange] {
        guard let changes = keeper(target)?.takeChanges(), !changes.isEmpty else { return [] }
        followShards()
        return changes
    }

    /// What comes for shards of this instance is to be read at once.
    private func followShards() {
        let shards = keepers.reduce(into: Set<Int>()) { $0.formUnion($1.shards) }
        let isNew = state.withLock { state in
            defer { state.followed = shards }
            return state.followed != shards
        }
        if isNew { log.follow(shards: shards) }
    }

    package func keep(_ changes: [KeptChange]) {
        for change in changes { keeper(change.target)?.keep(change) }
    }

    package var backlog: Int { keepers.reduce(0) { $0 + $1.backlog } }

    package func release(_ shards: Set<Int>, of target: String) { keeper(target)?.release(shards) }

    /// The replays of a target as they stood when its first shard, which runs them, became this instance's. Each is given
    /// once.
    package func replays(of target: String) -> [RestoredReplay] { keeper(target)?.takeReplays() ?? [] }

    // MARK: the end

    /// - Returns: whether all that was given so far is in Kafka.
    package func flush(within limit: Duration) -> Bool {
        let keepers = keepers
        for keeper in keepers { keeper.beginFlush() }
        defer { for keeper in keepers { keeper.endFlush() } }
        return progress.wait(within: limit) { keepers.allSatisfy(\.isEverythingKept) }
    }

    /// Keeps what there is, and leaves all groups in order, so that others have the shards at once. The engine's part is
    /// done: it is asked nothing more.
    package func close(within limit: Duration) {
        let end = ContinuousClock.now + limit
        state.withLock { $0.isClosed = true }
        _ = flush(within: limit * 0.5)
        let left = max(ContinuousClock.now.duration(to: end), Duration.milliseconds(100))
        let group = DispatchGroup()
        for keeper in keepers {
            DispatchQueue.global().async(group: group) {
                keeper.close(within: left, isEngineThere: false, isRemoved: false)
            }
        }
        group.wait()
        context.producer.close(within: max(ContinuousClock.now.duration(to: end), Duration.milliseconds(100)))
        control.close()
    }

    // MARK: others

    private func keeper(_ target: String) -> TargetKeeper? { state.withLock { $0.targets[target] } }
    private var keepers: [TargetKeeper] { state.withLock { $0.targets.values.sorted { $0.name < $1.name } } }

    /// On the control topic's thread.
    private func heard(_ entry: ControlEntry) {
        guard case .target(let name) = entry.key, let keeper = keeper(name),
            let record = entry.record(TargetRecord.self, StateDecoder(context.layout))
        else { return }
        keeper.heard(record)
    }

    private var lag: [KafkaMetrics.Lag] {
        let head = log.head
        return keepers.flatMap { keeper in
            keeper.positions.compactMap { index, position in
                guard head.offsets.indices.contains(Int(index)), head.offsets[Int(index)] > 0 else { return nil }
                let place = context.layout.topicPartition(index)
                return KafkaMetrics.Lag(
                    target: keeper.name, topic: place.topic, partition: place.partition,
                    records: max(0, head.offsets[Int(index)] - position))
            }
        }
    }
}
