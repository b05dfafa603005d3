internal import Delivery
internal import Dispatch
internal import EventLog
internal import KafkaDelivery
internal import KafkaLog
internal import Logging
internal import Metrics
internal import Synchronization
internal import Threads

/// What an instance does together with others, which needs Kafka before it can begin: at once where brokers answer,
/// otherwise as soon as they do.
final class KafkaSharing: Sendable {
    private struct State {
        var keeper: KafkaStateKeeper?
        var operations: KafkaOperations?
        var thread: Thread?
        var isClosed = false
    }

    let keeper: DeferredKeeper
    private let options: KafkaLogOptions
    private let log: KafkaEventLog
    private let view: KafkaView
    private let metrics: MetricsRegistry
    private let logger: Logger
    private let onKeeper: @Sendable (KafkaStateKeeper) -> Void
    private let state = Mutex(State())
    private let ending = DispatchSemaphore(value: 0)

    /// - Parameter onKeeper: called once, when there is one.
    init(
        _ options: KafkaLogOptions, log: KafkaEventLog, view: KafkaView, metrics: MetricsRegistry, logger: Logger,
        onKeeper: @escaping @Sendable (KafkaStateKeeper) -> Void
    ) throws {
        self.options = options
        self.log = log
        self.view = view
        self.metrics = metrics
        self.logger = logger
        self.onKeeper = onKeeper
        keeper = DeferredKeeper(options.layout)
        if log.problem == nil { try makeKeeper() }
    }

    private func makeKeeper() throws {
        let made = try KafkaStateKeeper(options, log: log, logger: logger, metrics: metrics)
        state.withLock { $0.keeper = made }
        onKeeper(made)
        keeper.begin(made)
    }

    /// What operators ask of all instances.
    func operations(of engine: DeliveryEngine) throws -> any DeliveryOperations {
        let deferred = DeferredOperations(engine)
        if state.withLock({ $0.keeper }) != nil {
            try begin(engine, deferred)
        } else {
            let thread = try Thread(name: "wait-for-kafka") { [self] in waitForKafka(engine, deferred) }
            state.withLock { $0.thread = thread }
        }
        return deferred
    }

    private func begin(_ engine: DeliveryEngine, _ deferred: DeferredOperations) throws {
        guard let keeper = state.withLock({ $0.keeper }) else { return }
        let operations = KafkaOperations(
            engine: engine, view: view, control: keeper.control, options: options, logger: logger,
            flush: { keeper.flush(within: $0) }, restoredReplays: { keeper.replays(of: $0) },
            facts: { [log, weak engine] in InstanceFacts(log, engine?.targets() ?? []) })
        try operations.start()
        state.withLock { $0.operations = operations }
        deferred.begin(operations)
    }

    private func waitForKafka(_ engine: DeliveryEngine, _ deferred: DeferredOperations) {
        while ending.wait(timeout: .now() + .seconds(1)) == .timedOut {
            guard log.problem == nil else { continue }
            do {
                if state.withLock({ $0.keeper }) == nil { try makeKeeper() }
                try begin(engine, deferred)
                return
            } catch {
                logger.warning(
                    "kafka_sharing_failed", "Deliveries cannot begin yet, it is tried again: \(error)",
                    ["reason": .string("\(error)")])
            }
        }
    }

    /// Gives the work back. All that was done so far is kept first.
    func close(within limit: Duration) {
        ending.signal()
        let (thread, operations, keeper) = state.withLock { state in
            (state.thread.take(), state.operations.take(), state.keeper.take())
        }
        thread?.join()
        operations?.close()
        keeper?.close(within: limit)
    }
}

extension InstanceFacts {
    fileprivate init(_ log: KafkaEventLog, _ targets: [TargetStatus]) {
        let statistics = log.statistics()
        self.init(
            version: Version.current, spooled: log.spooled, duplicates: statistics.duplicates,
            quarantined: statistics.quarantined,
            targets: targets.filter { $0.standing != .removed }.map(\.name))
    }
}
