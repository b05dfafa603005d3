internal import EventLog
internal import Targets

extension EngineCore {
    func statuses() -> [TargetStatus] {
        let now = clock()
        let (statistics, head) = keeper == nil ? snapshot(of: log) : (log.statistics(), log.head)
        return runtimes.map { status($0, now, head, statistics) }
    }

    private func status(
        _ runtime: TargetRuntime, _ now: Moment, _ head: LogPosition, _ statistics: LogStatistics
    ) -> TargetStatus {
        let state = runtime.state
        let cursor = state.cursor
        return TargetStatus(
            name: runtime.name, type: runtime.stored.type, destination: runtime.stored.destination,
            description: runtime.settings?.description,
            standing: standing(of: runtime, now),
            balance: balance(runtime, cursor, head, statistics), inFlight: state.inFlightCount, open: state.openCount,
            sent: state.sentCount,
            lagEvents: log.count(from: cursor.position, to: head),
            lagSeconds: lagSeconds(state, cursor, now), lastError: state.health.lastFailure)
    }

    /// The age of the oldest event that is not finished.
    private func lagSeconds(_ state: TargetState, _ cursor: TargetCursor, _ now: Moment) -> Double {
        guard state.unfinishedBeforePosition > 0 || !cursor.position.isAtEnd(of: log.head) else { return 0 }
        let open = state.oldestOpenMs.map { Double(max(0, now.wallMs - $0)) / 1000 } ?? 0
        return max(open, oldestSeconds(state, cursor, now.wallMs))
    }

    /// The age of the oldest event that the log is still needed for. Where several share the work, what is in memory tells
    /// it if it can: a look into the log may take its time there.
    func oldestSeconds(_ state: TargetState, _ cursor: TargetCursor, _ nowMs: Int64) -> Double {
        if keeper != nil, let known = state.oldestUnsentMs { return Double(max(0, nowMs - known)) / 1000 }
        return LogLag.seconds(log, at: keeper == nil ? cursor.lowest : cursor.position, nowMs: nowMs)
    }

    private func balance(
        _ runtime: TargetRuntime, _ cursor: TargetCursor, _ head: LogPosition, _ statistics: LogStatistics
    ) -> TargetBalance {
        var cursor = cursor
        var system = statistics.system
        if keeper != nil {
            // Of a part of the log nobody knows how many events are Gatehouse's own before they were read.
            cursor.counters = runtime.state.countedHere
            system = runtime.stored.systemBeforeStart + cursor.counters.system
        }
        return TargetBalance(
            runtime.stored, cursor, open: Int64(runtime.state.openCount), log: log, head: head, systemEver: system)
    }

    func reconcile() -> Reconciliation {
        let (statistics, head) = snapshot(of: log)
        return Reconciliation(
            statistics,
            runtimes.map {
                Reconciliation.Target(name: $0.name, balance: balance($0, $0.state.cursor, head, statistics))
            }, replays: (try? replayStatuses()) ?? [])
    }

    /// Every target that takes events has none left to take, and everything is written down.
    var isIdle: Bool {
        let head = log.head
        guard !store.isLost, keeper?.backlog ?? 0 == 0,
            !replays.contains(where: { isAtWork($0) && $0.target.state.isActive })
        else {
            return false
        }
        return runtimes.allSatisfy { runtime in
            let state = runtime.state
            guard state.isActive else { return !state.isDirty && state.inFlightCount == 0 }
            return state.position.isAtEnd(of: head) && state.unfinishedBeforePosition == 0 && !state.isDirty
        }
    }

    /// Writes everything down and lets go of the targets.
    func close() {
        isStopping = true
        commit(clock(), isDurable: true)
        releaseAll()
        for runtime in runtimes { runtime.closeAll() }
        do {
            try store.close()
        } catch {
            reportStoreFailure(error)
        }
    }
}
