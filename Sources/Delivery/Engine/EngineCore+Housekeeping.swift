internal import EventLog
internal import Logging
internal import Targets

extension EngineCore {
    /// Looks after what grows old: events, history, dead letters.
    func keepHouse(_ now: Moment) {
        var hasMore = false
        cache.removeOld(now)
        if committing.undurableSinceMs == nil { publishLowest() }
        for runtime in runtimes { expire(runtime, now) }
        keepHouseOfReplays(now)
        do {
            let historyMs = now.wallMs - retention.historyMs
            let historyStart = try log.position(at: historyMs)
            if try store.trimHistory(before: historyStart, endedBeforeMs: historyMs) { hasMore = true }
            let versions = Set(runtimes.compactMap { $0.settings?.version?.hash })
            if try store.trimAttempts(beforeMs: historyMs, versions: versions, nowMs: now.wallMs) { hasMore = true }
            if try store.trimDeadLetters(beforeMs: now.wallMs - retention.deadLettersMs) { hasMore = true }
            // Trimming takes its time.
            try store.trimReplays(endedBeforeMs: historyMs - 3_600_000)
        } catch {
            logger.warning(
                "trimming_failed", "Old history could not be removed; it is tried again.",
                ["reason": .string("\(error)")])
        }
        housekeeping.dueMs =
            now.monotonicMs + (hasMore ? HousekeepingSchedule.busyIntervalMs : HousekeepingSchedule.intervalMs)
    }

    private func expire(_ runtime: TargetRuntime, _ now: Moment) {
        let nowMs = believableWallMs(now)
        // A target that is younger than the age has not kept any event waiting for so long.
        let age = retention.ageMs.flatMap { nowMs - runtime.stored.createdAtMs >= $0 ? nowMs - $0 : nil }
        // One that is not configured may come back.
        let patience = runtime.settings == nil ? nil : runtime.state.policy.giveUpAfterMs
        let giveUp = patience.flatMap { limit in
            runtime.state.failingForMs(now).flatMap { $0 >= limit ? nowMs - limit : nil }
        }
        guard let latest = [age, giveUp].compactMap(\.self).max() else { return runtime.state.expire(nil, now) }
        let end = (try? log.position(at: latest)) ?? runtime.state.readPosition
        let dead = runtime.state.counters.dead
        if runtime.settings == nil { fillHoles(runtime, before: end, now) }
        runtime.state.expire(Expiry(tooOldBeforeMs: age ?? Int64.min, gaveUpBeforeMs: giveUp, end: end), now)
        report(runtime, expired: runtime.state.counters.dead - dead, nowMs)
    }

    /// Warns in good time: at half of the age.
    private func report(_ runtime: TargetRuntime, expired: Int64, _ nowMs: Int64) {
        if expired > 0 {
            logger.error(
                "events_too_old", "Events waited too long for the target \(runtime.name) and are dead letters now.",
                ["target": .string(runtime.name), "events": .integer(expired)])
        }
        guard let age = retention.ageMs else { return }
        let lag = LogLag.seconds(log, at: runtime.committedCursor.lowest, nowMs: nowMs)
        let isOld = lag * 1000 > Double(age / 2)
        if isOld, !runtime.hasWarnedOfAge {
            logger.warning(
                "target_far_behind", "The target \(runtime.name) has not taken events for half of `retention: age`.",
                ["target": .string(runtime.name), "oldest_seconds": .integer(Int64(lag))])
        }
        runtime.hasWarnedOfAge = isOld
    }
}
