internal import Configuration
internal import Delivery
internal import Dispatch
internal import EventLog
internal import Events
internal import Ingest
internal import Logging
internal import Metrics
internal import Synchronization

/// Looks once a second for what nobody reports: sources that are silent, and a log that fills with unfinished events.
final class Watch: Sendable {
    private struct State {
        var silence: SilenceWatch
        var fill = LogFillWatch()
        /// What other instances took in last, milliseconds since 1970 UTC.
        var elsewhere: [String: Int64] = [:]
        var looks = 0
        var isStopped = false
    }

    /// Looks between two questions whether others have heard of a source that was told of.
    private static let asksAgainEvery = 60

    private let storage: any InstanceStorage
    private let delivery: DeliveryEngine
    private let events: SystemEvents
    private let logger: Logger
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "watch", qos: .utility)

    init(
        _ storage: any InstanceStorage, delivery: DeliveryEngine, events: SystemEvents, metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.storage = storage
        self.delivery = delivery
        self.events = events
        self.logger = logger
        state = Mutex(State(silence: SilenceWatch(startMs: Moment.now().monotonicMs)))
        metrics.collected("gatehouse_source_silent", "1 while a source is silent for longer than its expect_every.") {
            [weak self] in
            (self?.state.withLock { $0.silence.silent } ?? []).map { ([("source", $0.source)], $0.isSilent ? 1 : 0) }
        }
    }

    func adopt(_ sources: [SourceConfiguration]) {
        let (statistics, now) = (storage.log.statistics(), Moment.now())
        state.withLock {
            $0.silence.adopt(sources, statistics, nowMs: now.monotonicMs, wallMs: now.wallMs)
        }
    }

    func start() { schedule() }

    func stop() {
        queue.sync { state.withLock { $0.isStopped = true } }
    }

    private func schedule() {
        queue.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in
            guard let self, !self.state.withLock({ $0.isStopped }) else { return }
            self.look()
            self.schedule()
        }
    }

    private func look() {
        let statistics = storage.log.statistics()
        askOthers(statistics)
        let silent = state.withLock { state in
            var known = statistics
            for (source, lastMs) in state.elsewhere where lastMs > known.sources[source]?.lastAcceptedMs ?? 0 {
                known.sources[source, default: .init()].lastAcceptedMs = lastMs
            }
            return state.silence.look(known, nowMs: Moment.now().monotonicMs)
        }
        for incident in silent {
            logger.warning(
                "source_silent", "The source \(incident.source ?? "") is silent for longer than its expect_every.",
                ["source": .string(incident.source ?? ""), "seconds": .integer(incident.count)])
            events.raise(incident)
        }
        lookAtSpace()
    }

    /// Before a source is called silent: another instance may have heard of it.
    private func askOthers(_ statistics: LogStatistics) {
        let suspects = state.withLock { state in
            state.looks += 1
            return state.silence.suspects(
                statistics, nowMs: Moment.now().monotonicMs, includesTold: state.looks % Self.asksAgainEvery == 0)
        }
        for source in suspects {
            guard let lastMs = storage.lastAccepted(source) else { continue }
            let now = Moment.now()
            state.withLock {
                $0.elsewhere[source] = lastMs
                $0.silence.heard(source, agoMs: now.wallMs - lastMs, nowMs: now.monotonicMs)
            }
        }
    }

    private func lookAtSpace() {
        let fill = storage.fill(delivery.lowestUnfinished())
        let isFilling = state.withLock {
            $0.fill.look(
                unfinished: fill.unfinished, kept: fill.kept, bytes: fill.bytes, limit: fill.maximumBytes ?? 0)
        }
        guard isFilling else { return }
        let furthestBehind = delivery.targets().max { $0.balance.pending < $1.balance.pending }
        events.raise(
            Incident(
                .systemLogFilling, target: furthestBehind?.name, reason: fill.reason, count: fill.unfinished,
                occurrence: "\(Moment.now().wallMs / 3_600_000)"))
    }
}

extension Incident {
    init(_ incident: DeliveryIncident) {
        switch incident {
        case .deadLetters(let target, let reason, let count):
            self.init(.systemDeadLetter, target: target, reason: reason, count: count)
        case .breakerOpened(let target, let reason, let since):
            self.init(.systemBreakerOpened, target: target, reason: reason, occurrence: "\(since)")
        case .disabled(let target, let reason):
            self.init(.systemTargetDisabled, target: target, reason: reason)
        }
    }
}
