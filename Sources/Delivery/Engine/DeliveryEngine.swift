package import EventLog
package import Logging
package import Metrics
package import Rules
internal import Synchronization
package import Targets
internal import Threads

/// Brings every event of the log to every target whose routes take it: one thread that reads, matches once for all targets
/// that keep up, sends, gathers outcomes, and writes down what has changed. Once started, it is to be stopped.
package final class DeliveryEngine: Sendable {
    private let core: Mutex<EngineCore>
    private let wakeUp: WakeUp
    let log: any EventLog
    let store: DeliveryStore
    private let thread = Mutex<Thread?>(nil)
    private let stopping = StopRequest()
    private let statuses = StatusCache()
    private let durableLowest: SharedPosition
    private let errorsOfRoutes: RouteErrors

    /// Opens every target. Nothing is sent before `start`.
    /// - Throws: what a target threw when it was made; `DeliveryStoreError` when the state file does not fit the log.
    package convenience init(
        log: any EventLog, store: DeliveryStore, plan: RulePlan, blueprints: [any TargetBlueprint],
        context: TargetContext, metrics: MetricsRegistry, logger: Logger, retention: DeliveryRetention = .init(),
        keeper: (any StateKeeper)? = nil
    ) throws {
        try self.init(
            log: log, store: store, keeper: keeper, plan: plan, blueprints: blueprints, metrics: metrics,
            logger: logger,
            retention: retention, makeTarget: { try $0.make(context) })
    }

    /// - Parameters:
    ///   - keeper: where several instances share the work; `store` is then opened without history.
    ///   - clock: asked on the delivery thread.
    ///   - seed: of each target's jitter.
    ///   - adjust: changes every target's limits.
    ///   - makeTarget: in place of the blueprints' own.
    package init(
        log: any EventLog, store: DeliveryStore, keeper: (any StateKeeper)? = nil, plan: RulePlan,
        blueprints: [any TargetBlueprint], metrics: MetricsRegistry, logger: Logger,
        retention: DeliveryRetention = .init(),
        clock: @escaping @Sendable () -> Moment = { Moment.now() },
        seed: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) },
        adjust: @escaping @Sendable (inout TargetPolicy) -> Void = { _ in },
        makeTarget: @escaping @Sendable (any TargetBlueprint) throws -> any Target
    ) throws {
        let wakeUp = try WakeUp()
        let core = try EngineCore(
            log: log, store: store, keeper: keeper, plan: plan, registry: metrics, logger: logger, retention: retention,
            inbox: CompletionInbox(wakeUp), clock: clock, seed: seed, adjust: adjust,
            makeTarget: makeTarget)
        try core.configure(plan, blueprints, clock())
        try core.takeUpReplays(clock())
        core.publishLowest()
        keeper?.onChange { [news = core.shardNews, wakeUp] in
            news.set()
            wakeUp.signal()
        }
        durableLowest = core.durableLowest
        errorsOfRoutes = core.routeErrors
        self.core = Mutex(core)
        self.wakeUp = wakeUp
        self.log = log
        self.store = store
        metrics.collectTargets { [weak self] in self?.recentTargets() ?? [] }
    }

    // MARK: life

    /// Begins to deliver.
    package func start() throws {
        log.onAppend { [wakeUp] in wakeUp.signal() }
        store.refusals.onFirst { [wakeUp] in wakeUp.signal() }
        let started = try Thread(name: "delivery") { self.run() }
        thread.withLock { $0 = started }
    }

    /// Sends nothing more, waits for what is under way, writes everything down and closes the targets. What has not ended
    /// by then is sent again by the next run.
    package func stop(within limit: Duration) {
        stopping.request(deadlineMs: Moment.now().monotonicMs + limit.milliseconds)
        wakeUp.signal()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let running {
            running.join()
        } else {
            core.withLock { $0.close() }
        }
    }

    private func run() {
        while stopping.deadlineMs == nil {
            sleep(core.withLock { $0.turn() })
        }
        while let deadline = stopping.deadlineMs {
            let (wait, isUnfinished) = core.withLock { core in
                core.isStopping = true
                return (core.turn(), core.finishConnections())
            }
            let left = deadline - Moment.now().monotonicMs
            guard isUnfinished, left > 0 else { break }
            sleep(min(wait ?? left, left))
        }
        core.withLock { $0.close() }
    }

    /// Does everything that can be done now, on the caller's thread. Of an engine that is not started.
    /// - Returns: milliseconds until there is something to do although nothing happens; nil: never.
    package func turn() -> Int64? { core.withLock { $0.turn() } }

    /// Every target that takes events has none left to take, and all is written down.
    package var isIdle: Bool { core.withLock { $0.isIdle } }

    private func sleep(_ milliseconds: Int64?) {
        if milliseconds != 0 { wakeUp.wait(milliseconds: milliseconds) }
    }

    /// Puts another configuration in the place of the present one, without losing anything: targets keep their state, and
    /// events that are not on their way yet are matched by the new plan.
    /// - Throws: as `init`; then everything is as it was.
    package func reload(plan: RulePlan, blueprints: [any TargetBlueprint]) throws {
        try core.withLock { try $0.configure(plan, blueprints, $0.clock()) }
        wakeUp.signal()
    }

    /// Told of everything that happens, on the delivery thread; must not block.
    package var observer: (@Sendable (DeliveryObservation) -> Void)? {
        get { core.withLock { $0.observer } }
        set { core.withLock { $0.observer = newValue } }
    }

    /// Told of what somebody may have to see to, on the delivery thread; must not block.
    package var onIncident: (@Sendable (DeliveryIncident) -> Void)? {
        get { core.withLock { $0.onIncident } }
        set { core.withLock { $0.onIncident = newValue } }
    }

    // MARK: operators

    /// Sends nothing more to a target until `resume`, also after a restart.
    package func pause(_ target: String) throws {
        try operate(target) { $0.state.pause() }
    }

    /// Ends a pause, and what the target's own answer (410) switched off.
    package func resume(_ target: String) throws {
        try operate(target) { $0.state.resume() }
    }

    /// Removes a target that is no longer configured, with its counters, history and dead letters.
    package func forget(_ target: String) throws {
        try core.withLock { core in
            guard let runtime = core.runtime(named: target) else { throw Self.unknown(target) }
            try core.forget(runtime)
        }
    }

    private func operate(_ target: String, _ body: (TargetRuntime) -> Void) throws {
        try operate(target) { _, runtime, _ in body(runtime) }
    }

    /// Changes a target's state, or that of a replay of it; the change is on the disk when this returns.
    func operate<Result: Sendable>(
        _ target: String, replay: Int64? = nil, _ body: (EngineCore, TargetRuntime, Moment) throws -> Result
    ) throws -> Result {
        defer { wakeUp.signal() }
        return try core.withLock { core in
            let now = core.clock()
            guard let runtime = try replay.map({ try core.runtime(ofReplay: $0, now) }) ?? core.runtime(named: target)
            else { throw Self.unknown(target) }
            let result = try body(core, runtime, now)
            guard core.commit(now, isDurable: true) else {
                throw DeliveryStoreError(
                    "this could not be written down, so a restart would undo it: \(core.storeFailure ?? "")")
            }
            core.logStanding(runtime, now)
            return result
        }
    }

    /// Asks for something of the replays.
    func withReplays<Result: Sendable>(_ body: (EngineCore) throws -> Result) throws -> Result {
        defer { wakeUp.signal() }
        return try core.withLock { try body($0) }
    }

    /// Reads events again for replays that ask for it; nil: none can.
    package var decodeAgain: ReplayDecoder? {
        get { core.withLock { $0.decodeAgain } }
        set { core.withLock { $0.decodeAgain = newValue } }
    }

    static func unknown(_ target: String) -> DeliveryStoreError {
        DeliveryStoreError("there is no target \(target)")
    }

    /// Looks after what grows old at once, and not only every half minute.
    func keepHouse() {
        core.withLock { $0.keepHouse($0.clock()) }
        wakeUp.signal()
    }

    // MARK: looking

    func look<Result: Sendable>(_ body: (EngineCore) -> Result) -> Result { core.withLock { body($0) } }

    package func targets() -> [TargetStatus] { core.withLock { $0.statuses() } }

    /// A target's configuration now; nil when it has none.
    package func settings(of target: String) -> TargetSettings? {
        core.withLock { $0.runtime(named: target)?.settings }
    }

    private func recentTargets() -> [TargetStatus] { statuses.statuses { targets() } }

    /// How often each route could not be decided for an event, by its name, since the program started.
    package var routeErrors: [String: Int64] { errorsOfRoutes.byName }

    package func reconcile() -> Reconciliation { core.withLock { $0.reconcile() } }

    /// Why the state file cannot be written at present; nil when it can.
    package var storeFailure: String? { core.withLock { $0.storeFailure } }

    /// Whether, within the time, every target that takes events has none left to take, and all is written down.
    package func waitUntilIdle(within limit: Duration) -> Bool {
        let deadline = Moment.now().monotonicMs + limit.milliseconds
        repeat {
            if core.withLock({ $0.isIdle }) { return true }
            WakeUp.pause(milliseconds: 2)
        } while Moment.now().monotonicMs < deadline
        return core.withLock { $0.isIdle }
    }

    /// As `waitUntilIdle`, for the end: connections that acknowledge nothing are then closed in order, so that what their
    /// receivers have read is known at once. Nothing more is sent by them.
    package func waitUntilFinished(within limit: Duration) -> Bool {
        let deadline = Moment.now().monotonicMs + limit.milliseconds
        repeat {
            let isIdle = core.withLock { core in
                if core.isIdleButForConnections { _ = core.finishConnections() }
                return core.isIdle
            }
            if isIdle { return true }
            WakeUp.pause(milliseconds: 2)
        } while Moment.now().monotonicMs < deadline
        return false
    }

    /// What the log may not remove: the lowest place some target still needs, as it surely is on the disk. Answers at once.
    package func lowestUnfinished() -> LogPosition { durableLowest.value }
}
