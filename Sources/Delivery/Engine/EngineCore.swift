internal import EventLog
internal import Events
internal import JSON
internal import Logging
internal import Metrics
internal import Rules
internal import Targets

/// Everything delivery works with, driven turn by turn. Confined to the engine's lock.
final class EngineCore {
    let log: any EventLog
    let store: DeliveryStore
    /// Where several instances share the work: who owns what, and where it is kept.
    let keeper: (any StateKeeper)?
    /// The keeper may have changes.
    let shardNews = Signal()
    var onShards: (@Sendable (_ target: String, _ shards: Set<Int>) -> Void)?
    var onReplay: (@Sendable (MirroredReplay) -> Void)?
    /// By row, the targets of replays that another instance has taken over while requests of theirs were on their way.
    var departed: [Int64: TargetRuntime] = [:]
    var takenUp: UInt32 = 0
    let registry: MetricsRegistry
    let logger: Logger
    let retention: DeliveryRetention
    let clock: @Sendable () -> Moment
    /// Of each target's jitter.
    let seed: @Sendable () -> UInt64
    let adjust: @Sendable (inout TargetPolicy) -> Void
    let makeTarget: @Sendable (any TargetBlueprint) throws -> any Target
    let inbox: CompletionInbox
    var observer: (@Sendable (DeliveryObservation) -> Void)?
    var onIncident: (@Sendable (DeliveryIncident) -> Void)?

    var runtimes: [TargetRuntime] = [] { didSet { working = runtimes + replays.map(\.runtime) } }
    /// Those that have not ended, in the order they came.
    var replays: [Replay] = [] { didSet { working = runtimes + replays.map(\.runtime) } }
    /// Everything that sends and is written down: the targets and the replays.
    private(set) var working: [TargetRuntime] = []
    /// The next of the replays that want to read.
    var nextReplay = 0
    /// Reads events again for replays that ask for it.
    var decodeAgain: ReplayDecoder?
    var byID: [Int64: TargetRuntime] = [:]
    /// By the place in `RulePlan.targets`: the place in `runtimes`.
    var runtimeOfPlanTarget: [Int?] = []
    private var lastSink = 0
    var completions: [Completion] = []

    var matcher: Matcher
    let routeErrors: RouteErrors
    let parser = JSONParser()
    var cache = BatchCache()
    /// The next of the groups that fell behind to be read for.
    var nextLaggard = 0

    var crashWatch: CrashWatch
    var isStopping = false
    var isClosingConnections = false
    var committing = CommitSchedule()
    var housekeeping = HousekeepingSchedule()
    var storeFailure: String?
    /// What retention may remove up to: of the last commit that is surely on the disk.
    let durableLowest: SharedPosition
    private let startedAt: Moment

    init(
        log: any EventLog, store: DeliveryStore, keeper: (any StateKeeper)?, plan: RulePlan, registry: MetricsRegistry,
        logger: Logger, retention: DeliveryRetention, inbox: CompletionInbox, clock: @escaping @Sendable () -> Moment,
        seed: @escaping @Sendable () -> UInt64, adjust: @escaping @Sendable (inout TargetPolicy) -> Void,
        makeTarget: @escaping @Sendable (any TargetBlueprint) throws -> any Target
    ) throws {
        self.log = log
        self.store = store
        self.keeper = keeper
        self.registry = registry
        self.logger = logger
        self.retention = retention
        self.inbox = inbox
        self.clock = clock
        self.seed = seed
        self.adjust = adjust
        self.makeTarget = makeTarget
        routeErrors = RouteErrors(registry)
        matcher = Matcher(plan, errors: routeErrors)
        crashWatch = try CrashWatch(store)
        durableLowest = SharedPosition(log.beginning)
        startedAt = clock()
    }

    /// The wall clock as far as it can be believed for ages: a jump ahead must not make dead letters of everything.
    func believableWallMs(_ now: Moment) -> Int64 {
        min(now.wallMs, startedAt.wallMs + (now.monotonicMs - startedAt.monotonicMs) + 3_600_000)
    }

    /// - Parameter name: the target's.
    func newSink(_ target: any Target, name: String) -> Sink {
        lastSink += 1
        target.watchConnections { [inbox, lastSink, clock] news in
            inbox.post(Completion(target: 0, sink: lastSink, content: .connection(name, news, clock())))
        }
        return Sink(id: lastSink, target: target)
    }

    /// Does everything that can be done now.
    /// - Returns: milliseconds until there is something to do although nothing happens; nil: never.
    func turn() -> Int64? {
        var now = clock()
        finishAttempts(now)
        followShards(now)
        if store.isLost { restore(now) }
        var hasRead = false
        if !isStopping, !store.isLost {
            sendAll(now)
            hasRead = read(now)
            if hasRead {
                now = clock()
                sendAll(now)
            }
            if workOnReplays(now) { hasRead = true }
        }
        if store.isLost {
            return inFlightCount > 0 ? nil : max(1, committing.blockedUntilMs - now.monotonicMs)
        }
        commitIfDue(now)
        if endReplays(now) { hasRead = true }
        if housekeeping.isDue(now) { keepHouse(now) }
        return hasRead ? 0 : nextTurn(now).map { max(0, $0 - now.monotonicMs) }
    }

    private func nextTurn(_ now: Moment) -> Int64? {
        var wakes = [committing.dueMs(now), housekeeping.dueMs]
        wakes += wakesOfSharing(now)
        if !isStopping {
            for runtime in runtimes where runtime.sink != nil {
                wakes.append(runtime.state.wakeMs(now))
                if runtime.readAgainAtMs > now.monotonicMs { wakes.append(runtime.readAgainAtMs) }
            }
            wakes += wakesOfReplays(now)
        }
        return wakes.compactMap(\.self).min()
    }

    var inFlightCount: Int { working.reduce(0) { $0 + $1.state.inFlightCount } }

    /// Tells people when a target begins or ends to wait, or is switched off.
    func logStanding(_ runtime: TargetRuntime, _ now: Moment) {
        guard runtime.replay == nil else { return }
        let standing = standing(of: runtime, now)
        guard standing.name != runtime.lastLoggedStanding.name else { return }
        defer { runtime.lastLoggedStanding = standing }
        switch standing {
        case .waiting(let why, _):
            logger.warning(
                "target_waiting", "The target \(runtime.name) takes no events; they wait for it.",
                ["target": .string(runtime.name), "reason": .string(why)])
        case .disabled(let why):
            logger.error(
                "target_disabled", "The target \(runtime.name) is switched off until it is resumed.",
                ["target": .string(runtime.name), "reason": .string(why)])
        case .running:
            logger.info(
                "target_running", "The target \(runtime.name) takes events.", ["target": .string(runtime.name)])
        case .paused, .removed, .stopped: break
        }
    }

    func standing(of runtime: TargetRuntime, _ now: Moment) -> TargetStanding {
        let state = runtime.state
        guard runtime.settings != nil else { return .removed }
        if !state.isEnabled { return .disabled(why: "configuration") }
        if let reason = state.disabledReason { return .disabled(why: reason) }
        if state.isPaused { return .paused }
        if let failure = runtime.readFailure { return .waiting(why: failure, untilMs: nil) }
        if storeFailure != nil, state.isUncommittedFull { return .waiting(why: "state_unavailable", untilMs: nil) }
        switch state.health.mode {
        case .running: break
        case .waiting(let until):
            let left = max(0, until - now.monotonicMs)
            return .waiting(why: state.health.lastFailure ?? "failing", untilMs: now.wallMs + left)
        case .probing: return .waiting(why: state.health.lastFailure ?? "failing", untilMs: nil)
        }
        return state.isOpenSetFull ? .waiting(why: "open_set_full", untilMs: nil) : .running
    }
}
