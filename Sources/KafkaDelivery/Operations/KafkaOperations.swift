package import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
package import KafkaLog
package import Logging
internal import Synchronization
package import Targets
internal import Threads

/// What operators ask of any instance, where several share the work: it is done here, or handed to the instances that own the
/// shards it is about, and holds for all of them.
package final class KafkaOperations: DeliveryOperations {
    let engine: DeliveryEngine
    let view: KafkaView
    let control: ControlTopic
    let options: KafkaLogOptions
    let layout: LogLayout
    let desk: CommandDesk
    let replayDesk: ReplayDesk
    let logger: Logger
    private let reporter: InstanceReporter
    private let flush: @Sendable (Duration) -> Bool
    private let producer = Mutex<KafkaProducer?>(nil)
    private let thread = Mutex<Thread?>(nil)
    private let isEnding = Atomic(false)
    private let wake = DispatchSemaphore(value: 0)
    /// A record of the control topic has come.
    let changed = Condition()

    /// How long an answer waits for the other instances, and for Kafka.
    static let patience = Duration.seconds(10)
    /// How often is looked for what is left to do, in milliseconds.
    private static let intervalMs = 2000

    /// - Parameters:
    ///   - engine: this instance's.
    ///   - control: open.
    ///   - flush: waits until all that the engine has given its keeper is in Kafka; whether it is.
    ///   - restoredReplays: as the keeper gives them.
    ///   - facts: what to tell the other instances, as of now.
    package init(
        engine: DeliveryEngine, view: KafkaView, control: ControlTopic, options: KafkaLogOptions, logger: Logger,
        flush: @escaping @Sendable (Duration) -> Bool,
        restoredReplays: @escaping @Sendable (_ target: String) -> [RestoredReplay] = { _ in [] },
        facts: @escaping @Sendable () -> InstanceFacts
    ) {
        self.engine = engine
        self.view = view
        self.control = control
        self.options = options
        self.logger = logger
        self.flush = flush
        layout = options.layout
        desk = CommandDesk(
            engine, control, options.layout, instance: options.kafka.clientID, logger: logger, flush: flush)
        replayDesk = ReplayDesk(
            engine, view, control, options.layout, logger: logger, flush: flush, restore: restoredReplays)
        reporter = InstanceReporter(options.kafka.clientID, control, options.layout, facts)
    }

    // MARK: life

    /// Begins to do what the other instances ask for, and to tell them of this one.
    package func start() throws {
        control.onRecord { [weak self] entry in self?.noteRecord(entry) }
        replayDesk.begin { [wake] in wake.signal() }
        let started = try Thread(name: "operations") { [weak self] in
            while let self, !self.isEnding.load(ordering: .relaxed) { self.turn() }
        }
        thread.withLock { $0 = started }
    }

    /// Does nothing more for others. Tells them that this instance ends.
    package func close() {
        isEnding.store(true, ordering: .relaxed)
        wake.signal()
        changed.broadcast()
        replayDesk.end()
        guard let running = thread.withLock({ $0.take() }) else { return }
        running.join()
        reporter.tell(hasEnded: true)
        producer.withLock { $0.take() }?.close(within: .seconds(2))
    }

    private func noteRecord(_ entry: ControlEntry) {
        switch entry.key {
        case .command, .target: wake.signal()
        case .replay:
            wake.signal()
            changed.broadcast()
        case .result, .replayCursor: changed.broadcast()
        case .version, .instance, .cursor: break
        }
    }

    private func turn() {
        let decoder = StateDecoder(layout)
        reporter.tell()
        forgetGone()
        desk.work(decoder)
        replayDesk.work(decoder)
        _ = wake.wait(timeout: .now() + .milliseconds(Self.intervalMs))
    }

    // MARK: looking

    package func reconcile() throws -> Reconciliation { try view.reconcile() }

    /// What all instances have done, with how each target stands here: every instance sends to every target.
    package func targets() throws -> [TargetStatus] {
        let here = Dictionary(engine.targets().map { ($0.name, $0) }) { first, _ in first }
        return try view.targets().map { shared in
            var status = shared
            guard let own = here[shared.name] else {
                status.standing = .removed
                return status
            }
            status.standing = own.standing
            status.inFlight = own.inFlight
            status.lastError = own.lastError
            return status
        }
    }

    // MARK: targets

    package func pause(_ target: String, by actor: String) throws {
        try note("targets.pause", target, actor)
        try engine.pause(target)
        try keep()
    }

    package func resume(_ target: String, by actor: String) throws {
        try note("targets.resume", target, actor)
        try engine.resume(target)
        try keep()
    }

    package func test(
        _ target: String, by actor: String, completion: @escaping @Sendable (TargetTestReport) -> Void
    ) throws {
        try note("targets.test", target, actor)
        try engine.test(target, by: actor, completion: completion)
    }

    private func note(_ action: String, _ target: String, _ actor: String) throws {
        guard engine.targets().contains(where: { $0.name == target }) else {
            throw DeliveryStoreError("there is no target \(target)")
        }
        try audit(AuditEntry(atMs: Moment.now().wallMs, actor: actor, action: action, subject: target))
    }

    /// Waits until what the engine has done holds for every instance.
    func keep() throws(DeliveryStoreError) {
        defer { view.outdate() }
        guard flush(Self.patience) else {
            throw DeliveryStoreError(
                "this is done here, but Kafka has not taken it within \(Self.patience.components.seconds) s: the other "
                    + "instances follow when it does")
        }
    }

    // MARK: audit

    package func audit(_ entry: AuditEntry) throws { try audit([entry]) }

    /// All of them are durable when this returns.
    func audit(_ entries: [AuditEntry]) throws {
        let topic = StateTopics(prefix: options.prefix).audit
        let producer = try auditor()
        let answers = Answers(entries.count)
        for entry in entries {
            producer.send(AuditRecord.encode(entry, topic: topic)) { answers.take($0) }
        }
        switch answers.wait(within: Self.patience) {
        case .success: break
        case .failure(let failure):
            throw DeliveryStoreError("Kafka does not take the audit entry, so nothing was done: \(failure.message)")
        case nil: throw DeliveryStoreError("Kafka has not taken the audit entry in time, so nothing was done")
        }
    }

    /// Of records that are published together.
    private final class Answers: Sendable {
        private struct State {
            var left: Int
            var failure: KafkaFailure?
        }

        private let state: Mutex<State>
        private let changed = Condition()

        init(_ count: Int) {
            state = Mutex(State(left: count))
        }

        func take(_ answer: Result<KafkaPlace, KafkaFailure>) {
            state.withLock { state in
                state.left -= 1
                if case .failure(let failure) = answer { state.failure = failure }
            }
            changed.broadcast()
        }

        /// Nil when the time was up first.
        func wait(within limit: Duration) -> Result<Void, KafkaFailure>? {
            _ = changed.wait(within: limit) { state.withLock { $0.left == 0 || $0.failure != nil } }
            return state.withLock { state in
                if let failure = state.failure { return .failure(failure) }
                return state.left == 0 ? .success(()) : nil
            }
        }
    }

    private func auditor() throws -> KafkaProducer {
        try producer.withLock { producer in
            if let producer { return producer }
            let made = try KafkaProducer(options.kafka, timeout: Self.patience)
            producer = made
            return made
        }
    }
}
