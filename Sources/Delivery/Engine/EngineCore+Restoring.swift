internal import EventLog
internal import Logging

extension EngineCore {
    /// After an I/O error of the state file nobody knows what it holds. Nothing more is sent; once what is under way has
    /// ended, everything is taken up again from what is sound of the file, as after a power cut: that may repeat, and never
    /// loses.
    func restore(_ now: Moment) {
        guard inFlightCount == 0 || keeper != nil, committing.blockedUntilMs <= now.monotonicMs else { return }
        do {
            if let keeper {
                try startOver(now, keeper)
            } else {
                try takeUpStored(now)
            }
        } catch {
            committing.blockedUntilMs = now.monotonicMs + CommitSchedule.retryDelayMs
            return reportStoreFailure(error)
        }
        matcher = Matcher(matcher.plan, errors: routeErrors)
        cache.removeAll()
        committing = CommitSchedule()
        storeFailure = nil
        publishLowest()
        logger.warning(
            "state_restored", "The state file was opened anew after an I/O error; some deliveries may be repeated.")
    }

    private func takeUpStored(_ now: Moment) throws {
        try store.reopen()
        for stored in try store.targets() {
            guard let runtime = byID[stored.id] else { continue }
            let restored = RestoredTarget(cursor: stored.cursor, open: try store.openEvents(stored.id))
            let (policy, isEnabled) = (runtime.state.policy, runtime.state.isEnabled)
            runtime.state = TargetState(restored, policy: policy, now, seed: seed())
            runtime.state.setPolicy(policy, isEnabled: isEnabled)
            runtime.committedCursor = stored.cursor
        }
        try restoreReplays(now)
    }
}
