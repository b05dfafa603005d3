package import EventLog

extension EngineCore {
    /// Those at work, and the newest of those that have ended, in the order they came.
    func replayStatuses() throws -> [ReplayStatus] {
        let now = clock()
        let ended = try store.endedReplays().map(Self.status)
        return (ended + replays.map { status(of: $0, now) }).sorted { $0.number < $1.number }
    }

    func status(of replay: Replay, _ now: Moment) -> ReplayStatus {
        let state = replay.runtime.state
        let pending =
            log.count(from: state.position, to: replay.stored.end) + Int64(state.unfinishedBeforePosition)
        let (name, reason) = standing(of: replay, now)
        return ReplayStatus(
            number: replay.number, request: replay.stored.request, by: replay.stored.by, state: name, reason: reason,
            createdAtMs: replay.stored.state.createdAtMs, endedAtMs: nil,
            balance: ReplayBalance(replay.stored, state.counters, pending: pending))
    }

    private func standing(of replay: Replay, _ now: Moment) -> (ReplayState, String?) {
        if replay.isEnding { return (.cancelling, replay.stored.cancelled) }
        guard isAtWork(replay) else { return (.queued, nil) }
        let target = standing(of: replay.target, now)
        guard target == .running else { return (.waiting, "the target is \(target.name)") }
        if let failure = replay.runtime.readFailure { return (.waiting, failure) }
        return replay.runtime.state.health.isRunning
            ? (.running, nil) : (.waiting, replay.runtime.state.health.lastFailure)
    }

    /// Of one that has ended, or of an instance that does not run.
    static func status(of stored: StoredReplay) -> ReplayStatus {
        ReplayStatus(stored, pending: stored.phase == .ended ? 0 : nil, log: nil)
    }
}

extension ReplayStatus {
    /// The replays of an instance that is not running.
    package static func stopped(store: DeliveryStore, log: any LogReader) throws -> [ReplayStatus] {
        let stored = try store.endedReplays() + store.activeReplays()
        return stored.map { ReplayStatus($0, pending: nil, log: log) }.sorted { $0.number < $1.number }
    }

    /// - Parameter pending: nil: as the state file and the log tell.
    fileprivate init(_ stored: StoredReplay, pending: Int64?, log: (any LogReader)?) {
        let cursor = stored.state.cursor
        let unfinished = Int64(cursor.holes.count) + stored.state.openCount
        let unread = log.map { $0.count(from: cursor.position, to: stored.end) } ?? 0
        let state: ReplayState =
            switch stored.phase {
            case .active: .waiting
            case .ending: .cancelling
            case .ended: stored.cancelled == nil ? .finished : .cancelled
            }
        self.init(
            number: stored.number, request: stored.request, by: stored.by, state: state,
            reason: stored.phase == .active ? "no instance is running" : stored.cancelled,
            createdAtMs: stored.state.createdAtMs, endedAtMs: stored.endedAtMs,
            balance: ReplayBalance(stored, cursor.counters, pending: pending ?? unread + unfinished))
    }
}
