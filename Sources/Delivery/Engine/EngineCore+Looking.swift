internal import EventLog

extension EngineCore {
    func statuses() -> [TargetStatus] {
        let now = clock()
        let (statistics, head) = snapshot(of: log)
        return runtimes.map { status($0, now, head, statistics) }
    }

    private func status(
        _ runtime: TargetRuntime, _ now: Moment, _ head: LogPosition, _ statistics: LogStatistics
    ) -> TargetStatus {
        let state = runtime.state
        let cursor = state.cursor
        return TargetStatus(
            name: runtime.name, type: runtime.stored.type, destination: runtime.stored.destination,
            standing: standing(of: runtime, now),
            balance: balance(runtime, cursor, head, statistics), inFlight: state.inFlightCount, open: state.openCount,
            lagEvents: log.count(from: cursor.position, to: head),
            lagSeconds: lagSeconds(state, cursor, now), lastError: state.health.lastFailure)
    }

    /// The age of the oldest event that is not finished.
    private func lagSeconds(_ state: TargetState, _ cursor: TargetCursor, _ now: Moment) -> Double {
        guard state.unfinishedBeforePosition > 0 || cursor.position != log.head else { return 0 }
        let open = state.oldestOpenMs.map { Double(max(0, now.wallMs - $0)) / 1000 } ?? 0
        return max(open, LogLag.seconds(log, at: cursor.lowest, nowMs: now.wallMs))
    }

    private func balance(
        _ runtime: TargetRuntime, _ cursor: TargetCursor, _ head: LogPosition, _ statistics: LogStatistics
    ) -> TargetBalance {
        TargetBalance(
            runtime.stored, cursor, open: Int64(runtime.state.openCount), log: log, head: head,
            systemEver: statistics.system)
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
        guard !store.isLost, !replays.contains(where: { isAtWork($0) && $0.target.state.isActive }) else {
            return false
        }
        return runtimes.allSatisfy { runtime in
            let state = runtime.state
            guard state.isActive else { return !state.isDirty && state.inFlightCount == 0 }
            return state.position == head && state.unfinishedBeforePosition == 0 && !state.isDirty
        }
    }

    /// Writes everything down and lets go of the targets.
    func close() {
        isStopping = true
        commit(clock(), isDurable: true)
        for runtime in runtimes { runtime.closeAll() }
        do {
            try store.close()
        } catch {
            reportStoreFailure(error)
        }
    }
}
