internal import EventLog
internal import Logging

extension EngineCore {
    /// Writes what has changed when it has waited long enough, or there is enough of it.
    func commitIfDue(_ now: Moment) {
        let uncommitted = working.reduce(0) { $0 + ($1.state.isDirty ? $1.state.uncommittedCount : 0) }
        let isDirty = working.contains { $0.state.isDirty }
        if !isDirty {
            committing.dirtySinceMs = nil
        } else if committing.dirtySinceMs == nil {
            committing.dirtySinceMs = now.monotonicMs
        }
        if committing.refusedSinceMs == nil, !store.refusals.isEmpty { committing.refusedSinceMs = now.monotonicMs }
        let isFull = uncommitted >= CommitSchedule.batch && committing.blockedUntilMs <= now.monotonicMs
        guard isFull || committing.dueMs(now).map({ $0 <= now.monotonicMs }) ?? false else { return }
        commit(now)
    }

    /// Writes everything there is to write.
    /// - Parameter isDurable: waits until it is on the disk.
    /// - Returns: whether it could be written.
    @discardableResult
    func commit(_ now: Moment, isDurable: Bool = false) -> Bool {
        let isDurable =
            isDurable
            || committing.undurableSinceMs.map { now.monotonicMs - $0 >= CommitSchedule.durableDelayMs } ?? false
        let dirty = working.filter { $0.state.isDirty }
        let changes = dirty.map { (target: $0.id, change: $0.state.takeChange()) }
        var kept: [KeptChange?] = []
        do {
            if keeper != nil { kept = try zip(dirty, changes).map { try keptChange($1.change, $0) } }
            if committing.refusedSinceMs != nil { try store.flushRefusals() }
            if !changes.isEmpty || isDurable { try store.commit(changes, isDurable: isDurable) }
        } catch {
            for (runtime, (_, change)) in zip(dirty, changes) { runtime.state.putBack(change) }
            committing.blockedUntilMs = now.monotonicMs + CommitSchedule.retryDelayMs
            reportStoreFailure(error)
            return false
        }
        for (runtime, (_, change)) in zip(dirty, changes) {
            tellIncidents(change, runtime)
            runtime.committedCursor = change.cursor
        }
        if let keeper {
            for case (let runtime, let change?) in zip(dirty, kept) { noteKept(change, runtime) }
            keeper.keep(kept.compactMap(\.self))
        }
        committed(now, hasChanged: !changes.isEmpty, isDurable: isDurable)
        return true
    }

    private func committed(_ now: Moment, hasChanged: Bool, isDurable: Bool) {
        committing.dirtySinceMs = nil
        committing.refusedSinceMs = nil
        if isDurable {
            committing.undurableSinceMs = nil
            publishLowest()
        } else if hasChanged, committing.undurableSinceMs == nil {
            committing.undurableSinceMs = now.monotonicMs
        }
        guard storeFailure != nil else { return }
        storeFailure = nil
        logger.info("state_written", "The state file can be written again.")
        for runtime in runtimes { logStanding(runtime, now) }
    }

    /// What the log may remove: everything below the committed cursors, now that they are on the disk.
    func publishLowest() {
        let head = log.head
        let lowest = runtimes.reduce(head) { $0.lowest($1.committedCursor.lowest) }
        durableLowest.value = lowest
    }

    func reportStoreFailure(_ error: any Error) {
        if storeFailure == nil {
            logger.error(
                "state_unavailable", "The state file cannot be used: deliveries go on until too many are not written.",
                ["reason": .string("\(error)")])
        }
        storeFailure = "\(error)"
    }
}
