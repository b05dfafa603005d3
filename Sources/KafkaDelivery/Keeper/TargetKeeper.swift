internal import Delivery
internal import Dispatch
internal import EventLog
internal import Glibc
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

/// What all targets' keepers share.
struct KeeperContext: Sendable {
    let options: KafkaLogOptions
    let layout: LogLayout
    let admin: KafkaAdmin
    let producer: KafkaProducer
    let control: ControlTopic
    let topics: TopicAdministration
    /// Of the log.
    let head: @Sendable () -> LogPosition
    let versions: KnownVersions
    let logger: Logger
    /// Names this run of this instance.
    let run: String
    /// Something is to be fetched by `changes`.
    let onChange: @Sendable () -> Void
    /// Something was kept.
    let onProgress: @Sendable () -> Void

    var instance: String { options.kafka.clientID }
    var names: StateTopics { StateTopics(prefix: options.prefix) }
}

/// One target's shards on this instance: takes them up, keeps what becomes of them, and gives them back. Works on a queue of
/// its own, where calls may block.
final class TargetKeeper: Sendable {
    /// What of a shard is this instance's business. A shard that is not is not listed.
    enum Phase: Sendable, Hashable {
        /// What is kept of it is read.
        case reading
        /// What an owner before began is ended, and this one's taking up is kept.
        case settling
        /// The engine's.
        case held
        /// The engine has let go of it; the last of it is being kept.
        case releasing
    }

    struct State: Sendable {
        var target: KeptTarget
        var membership: KafkaMembership?
        var shards: [Int: Phase] = [:]
        /// Counts what the group decides: work for a decision before is of no use.
        var generation = 0
        /// Revoked, and not given back yet.
        var revoked: Set<Int> = []
        var changes: [ShardChange] = []
        var settling: [Int: RestoredShard] = [:]
        /// Where new shards begin is being written down.
        var isIntroducing = false
        var replays: [RestoredReplay] = []

        var scribe: StateScribe
        var journal = StateJournal()
        var ledger = CommittedShards()
        /// Somebody waits until everything is kept.
        var isFlushing = false
        var isClosing = false
        var isClosed = false

        var standing = TargetStanding()
        /// Records of it that this instance has written and not read yet.
        var unheard = 0
        var isPumpDue = false
        var timerAtMs: Int64?
        var startFailures = 0
        var troubles: Set<String> = []

        func shards(in phase: Phase) -> Set<Int> { Set(shards.filter { $0.value == phase }.keys) }
    }

    let context: KeeperContext
    let name: String
    /// When this instance began to take part, by the wall clock: what a new target gets begins there, although its shards
    /// come some seconds later.
    let firstSeenMs = Moment.now().wallMs
    let state: Mutex<State>
    let queue: DispatchQueue

    init(_ target: KeptTarget, _ context: KeeperContext) {
        self.context = context
        name = target.name
        queue = DispatchQueue(label: "kafka state of \(target.name)", qos: .userInitiated)
        state = Mutex(
            State(
                target: target,
                scribe: StateScribe(
                    target: target.name, instance: context.instance, run: context.run, context.layout,
                    context.versions)))
    }

    var layout: LogLayout { context.layout }

    func belongs(to shards: Set<Int>) -> (Int32) -> Bool {
        let layout = layout
        return { shards.contains(layout.shard(of: $0)) }
    }

    static func nowMs() -> Int64 { Moment.now().monotonicMs }

    // MARK: taking part

    func start() {
        queue.async { self.tryToStart() }
    }

    private func tryToStart() {
        let target = state.withLock { $0.isClosing ? nil : $0.target }
        guard let target else { return }
        do {
            try context.topics.ensure(target: name)
            try introduce(target)
            let membership = try KafkaMembership(
                context.options.kafka, group: context.names.group(name), topic: context.names.retry(name)
            ) { [weak self] event in self?.groupDecided(event) }
            let isWanted = state.withLock { state in
                guard !state.isClosing else { return false }
                state.membership = membership
                state.troubles.removeAll()
                return true
            }
            if !isWanted { membership.close(within: .zero) }
            pump()
        } catch {
            if isNews("not joined") {
                context.logger.warning(
                    "kafka_target_not_joined",
                    "This instance cannot take part in the deliveries of \(name) yet: \(Self.message(error))",
                    ["target": .string(name)])
            }
            let failures = state.withLock { state in
                state.startFailures += 1
                return state.startFailures
            }
            let delayMs = min(500 << min(failures, 4), 5000)
            queue.asyncAfter(deadline: .now() + .milliseconds(delayMs)) { [weak self] in self?.tryToStart() }
        }
    }

    /// Whether a trouble has just begun: it is told of once while it goes on.
    func isNews(_ trouble: String) -> Bool { state.withLock { $0.troubles.insert(trouble).inserted } }

    static func message(_ error: any Error) -> String { (error as? KafkaFailure)?.message ?? "\(error)" }

    func ended(_ trouble: String) { state.withLock { _ = $0.troubles.remove(trouble) } }

    // MARK: what the group decides

    /// On the member's thread.
    private func groupDecided(_ event: KafkaMembership.Event) {
        switch event {
        case .assigned(let partitions): assigned(Set(partitions.map(Int.init)))
        case .revoked(let partitions): revoked(Set(partitions.map(Int.init)))
        case .lost(let partitions): lost(Set(partitions.map(Int.init)))
        }
    }

    private func assigned(_ shards: Set<Int>) {
        let generation = state.withLock { state in
            state.generation += 1
            for shard in shards { state.shards[shard] = .reading }
            return state.generation
        }
        context.logger.info(
            "kafka_shards_assigned", "\(shards.count) of \(layout.partitions) shards of \(name) are this instance's.",
            ["target": .string(name), "shards": .string(Self.list(shards))])
        guard !shards.isEmpty else { return }
        queue.async { self.restore(shards, generation, failures: 0) }
    }

    private func revoked(_ shards: Set<Int>) {
        let deadlineMs = Self.nowMs() + KafkaMembership.revokeTimeout.milliseconds
        let isLeft = state.withLock { state in
            state.generation += 1
            let held = shards.intersection(state.shards(in: .held))
            let mine = held.union(shards.intersection(state.shards(in: .releasing)))
            forget(shards.subtracting(mine), &state)
            state.revoked = mine
            if state.isClosing {
                for shard in held { state.shards[shard] = .releasing }
            } else if !held.isEmpty {
                state.changes.append(.revoked(held, deadlineMs: deadlineMs))
            }
            return !mine.isEmpty
        }
        guard isLeft else { return state.withLock { $0.membership }?.released() ?? () }
        context.onChange()
        wake()
    }

    private func lost(_ shards: Set<Int>) {
        let isKnown = state.withLock { state in
            state.generation += 1
            let known = shards.intersection(state.shards(in: .held).union(state.shards(in: .releasing)))
            forget(shards, &state)
            state.revoked.subtract(shards)
            if !known.isEmpty { state.changes.append(.lost(known)) }
            return !known.isEmpty
        }
        if isKnown { context.onChange() }
        wake()
    }

    private static func list(_ shards: Set<Int>) -> String { shards.sorted().map(String.init).joined(separator: ",") }

    /// Nothing of these shards is known or kept any more.
    func forget(_ shards: Set<Int>, _ state: inout State) {
        guard !shards.isEmpty else { return }
        let belongs = belongs(to: shards)
        state.journal.drop(shards, belongs)
        state.scribe.forget(replays: shards.contains(0), where: belongs)
        state.ledger.forget(where: belongs)
        if shards.contains(0) { state.replays = [] }
        for shard in shards {
            state.shards[shard] = nil
            state.settling[shard] = nil
        }
    }
}
