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
    let registry: MetricsRegistry
    let logger: Logger
    let retention: DeliveryRetention
    let clock: @Sendable () -> Moment
    let adjust: @Sendable (inout TargetPolicy) -> Void
    let makeTarget: @Sendable (any TargetBlueprint) throws -> any Target
    let inbox: CompletionInbox
    var observer: (@Sendable (DeliveryObservation) -> Void)?

    var runtimes: [TargetRuntime] = []
    var byID: [Int64: TargetRuntime] = [:]
    /// By the place in `RulePlan.targets`: the place in `runtimes`.
    var runtimeOfPlanTarget: [Int?] = []
    private var lastSink = 0
    private var completions: [Completion] = []

    var matcher: Matcher
    let parser = JSONParser()
    var cache = BatchCache()
    /// The next of the groups that fell behind to be read for.
    var nextLaggard = 0

    var crashWatch: CrashWatch
    var isStopping = false
    var committing = CommitSchedule()
    var housekeeping = HousekeepingSchedule()
    var storeFailure: String?
    /// What retention may remove up to: of the last commit that is surely on the disk.
    let durableLowest: SharedPosition
    private let startedAt: Moment

    init(
        log: any EventLog, store: DeliveryStore, plan: RulePlan, registry: MetricsRegistry, logger: Logger,
        retention: DeliveryRetention, inbox: CompletionInbox, clock: @escaping @Sendable () -> Moment,
        adjust: @escaping @Sendable (inout TargetPolicy) -> Void,
        makeTarget: @escaping @Sendable (any TargetBlueprint) throws -> any Target
    ) throws {
        self.log = log
        self.store = store
        self.registry = registry
        self.logger = logger
        self.retention = retention
        self.inbox = inbox
        self.clock = clock
        self.adjust = adjust
        self.makeTarget = makeTarget
        matcher = Matcher(plan)
        crashWatch = try CrashWatch(store)
        durableLowest = SharedPosition(log.beginning)
        startedAt = clock()
    }

    /// The wall clock as far as it can be believed for ages: a jump ahead must not make dead letters of everything.
    func believableWallMs(_ now: Moment) -> Int64 {
        min(now.wallMs, startedAt.wallMs + (now.monotonicMs - startedAt.monotonicMs) + 3_600_000)
    }

    func newSink(_ target: any Target) -> Sink {
        lastSink += 1
        return Sink(id: lastSink, target: target)
    }

    /// Does everything that can be done now.
    /// - Returns: milliseconds until there is something to do although nothing happens; nil: never.
    func turn() -> Int64? {
        var now = clock()
        finishAttempts(now)
        var hasRead = false
        if !isStopping {
            sendAll(now)
            hasRead = read(now)
            if hasRead {
                now = clock()
                sendAll(now)
            }
        }
        commitIfDue(now)
        if housekeeping.isDue(now) { keepHouse(now) }
        return hasRead ? 0 : nextTurn(now).map { max(0, $0 - now.monotonicMs) }
    }

    private func nextTurn(_ now: Moment) -> Int64? {
        var wakes = [committing.dueMs(now), housekeeping.dueMs]
        if !isStopping {
            for runtime in runtimes where runtime.sink != nil {
                wakes.append(runtime.state.wakeMs(now))
                if runtime.readAgainAtMs > now.monotonicMs { wakes.append(runtime.readAgainAtMs) }
            }
        }
        return wakes.compactMap(\.self).min()
    }

    var inFlightCount: Int { runtimes.reduce(0) { $0 + $1.state.inFlightCount } }

    // MARK: attempts

    private func finishAttempts(_ now: Moment) {
        inbox.take(&completions)
        for completion in completions {
            // A forgotten target's attempts end for nobody.
            guard let runtime = byID[completion.target] else { continue }
            runtime.ended(sink: completion.sink)
            guard let event = runtime.state.event(of: completion.ticket) else { continue }
            measure(completion, event, runtime, now)
            let dead = runtime.state.counters.dead
            runtime.state.finish(completion.ticket, completion.outcome, now)
            if case .failed(let failure) = completion.outcome {
                if runtime.state.counters.dead > dead { reportDeath(event, failure, runtime) }
                logStanding(runtime, now)
            } else if runtime.lastLoggedStanding != .running {
                logStanding(runtime, now)
            }
        }
    }

    private func measure(
        _ completion: Completion, _ event: AttemptedEvent, _ runtime: TargetRuntime, _ now: Moment
    ) {
        switch completion.outcome {
        case .delivered(let receipt):
            runtime.metrics.delivered(receipt, latencySeconds: Double(now.wallMs - event.receivedAtMs) / 1000)
            observer?(.delivered(event.id, target: runtime.name, attempt: completion.attempt, receipt))
        case .failed(let failure):
            runtime.metrics.failed(failure)
            observer?(.failed(event.id, target: runtime.name, attempt: completion.attempt, failure))
        }
    }

    private func reportDeath(_ event: AttemptedEvent, _ failure: DeliveryFailure, _ runtime: TargetRuntime) {
        observer?(.buried(event.id, target: runtime.name, reason: failure.code))
        logger.warning(
            "dead_letter", "The target \(runtime.name) does not take an event; it is in the dead letters.",
            [
                "target": .string(runtime.name), "event": .string(event.id.hex), "reason": .string(failure.code),
            ])
    }

    private func sendAll(_ now: Moment) {
        for runtime in runtimes {
            guard let sink = runtime.sink else { continue }
            while let attempt = runtime.state.nextAttempt(now) { send(attempt, runtime, sink, now) }
        }
        crashWatch.passed()
    }

    private func send(_ attempt: Attempt, _ runtime: TargetRuntime, _ sink: Sink, _ now: Moment) {
        switch attempt.content {
        case .event(let event): send(event, attempt, runtime, sink)
        case .open(let place):
            do {
                guard let entry = runtime.state.openEntry(place),
                    let payload = try store.openPayload(runtime.id, place) ?? runtime.state.uncommittedPayload(place)
                else { return runtime.state.vanish(attempt.ticket) }
                send(LoggedEvent(entry, payload, parser), attempt, runtime, sink)
            } catch {
                reportStoreFailure(error)
                runtime.state.abandon(attempt.ticket, now)
            }
        }
    }

    private func send(_ event: LoggedEvent, _ attempt: Attempt, _ runtime: TargetRuntime, _ sink: Sink) {
        sink.inFlight += 1
        let (id, sinkID, ticket, number, inbox) = (runtime.id, sink.id, attempt.ticket, attempt.number, inbox)
        let end: @Sendable (DeliveryOutcome) -> Void = { outcome in
            inbox.post(
                Completion(target: id, sink: sinkID, ticket: ticket, attempt: number, outcome: outcome))
        }
        guard let view = event.view else {
            return end(
                .failed(DeliveryFailure(code: "unreadable", message: "The event cannot be read.", blame: .event)))
        }
        guard crashWatch.mayBegin(runtime.id, event.place) else {
            let message = "The program died several times while it sent this event."
            return end(.failed(DeliveryFailure(code: "crashed", message: message, blame: .event)))
        }
        sink.target.send(OutgoingEvent(event: view, routes: attempt.routes.names, attempt: number), completion: end)
    }

    /// Tells people when a target begins or ends to wait, or is switched off.
    func logStanding(_ runtime: TargetRuntime, _ now: Moment) {
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
