internal import EventLog
internal import Logging
internal import Targets

extension EngineCore {
    /// Looks after what grows old: events, history, dead letters.
    func keepHouse(_ now: Moment) {
        var hasMore = false
        cache.removeOld(now)
        if committing.undurableSinceMs == nil { publishLowest() }
        var positions: [Int64: LogPosition?] = [:]
        for runtime in runtimes { expire(runtime, now, &positions) }
        keepHouseOfReplays(now)
        do {
            if let keeper { hasMore = try trimKept(now, keeper) } else { hasMore = try trim(now) }
        } catch {
            logger.warning(
                "trimming_failed", "Old history could not be removed; it is tried again.",
                ["reason": .string("\(error)")])
        }
        housekeeping.dueMs =
            now.monotonicMs + (hasMore ? HousekeepingSchedule.busyIntervalMs : HousekeepingSchedule.intervalMs)
    }

    /// Removes a part of what is too old to be kept.
    /// - Returns: whether there is more of it.
    private func trim(_ now: Moment) throws -> Bool {
        var hasMore = false
        let historyMs = now.wallMs - retention.historyMs
        let historyStart = try log.position(at: historyMs)
        if try store.trimHistory(before: historyStart, endedBeforeMs: historyMs) { hasMore = true }
        let versions = Set(runtimes.compactMap { $0.settings?.version?.hash })
        if try store.trimAttempts(beforeMs: historyMs, versions: versions, nowMs: now.wallMs) { hasMore = true }
        if try store.trimDeadLetters(beforeMs: now.wallMs - retention.deadLettersMs) { hasMore = true }
        // Trimming takes its time.
        try store.trimReplays(endedBeforeMs: historyMs - 3_600_000)
        return hasMore
    }

    /// As `trim`, where a keeper has everything: of what is here there are only dead letters.
    private func trimKept(_ now: Moment, _ keeper: any StateKeeper) throws -> Bool {
        let limit = 1000
        let old = try store.oldDeadLetters(beforeMs: now.wallMs - retention.deadLettersMs, limit: limit)
        for (owner, places) in Dictionary(grouping: old, by: \.target) {
            if let runtime = byID[owner] {
                for (_, place) in places { runtime.state.trim(place) }
            } else if let stored = try store.endedReplays().first(where: { $0.state.id == owner }) {
                let change = TargetChange(cursor: stored.state.cursor, operations: places.map { .trim($0.place) })
                try store.commit([(owner, change)])
                keeper.keep([
                    KeptChange(target: stored.state.name, replay: stored.number, change: change, partitions: [:])
                ])
            }
        }
        return old.count == limit && commit(now)
    }

    /// - Parameter positions: places in the log by time, as they were asked for.
    private func expire(_ runtime: TargetRuntime, _ now: Moment, _ positions: inout [Int64: LogPosition?]) {
        let nowMs = believableWallMs(now)
        // A target that is younger than the age has not kept any event waiting for so long.
        let age = retention.ageMs.flatMap { nowMs - runtime.stored.createdAtMs >= $0 ? nowMs - $0 : nil }
        // One that is not configured may come back.
        let patience = runtime.settings == nil ? nil : runtime.state.policy.giveUpAfterMs
        let giveUp = patience.flatMap { limit in
            runtime.state.failingForMs(now).flatMap { $0 >= limit ? nowMs - limit : nil }
        }
        guard let latest = [age, giveUp].compactMap(\.self).max() else { return runtime.state.expire(nil, now) }
        let known = positions[latest] ?? (try? log.position(at: latest))
        positions[latest] = .some(known)
        let end = known ?? runtime.state.readPosition
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
        let lag = oldestSeconds(runtime.state, runtime.committedCursor, nowMs)
        let isOld = lag * 1000 > Double(age / 2)
        if isOld, !runtime.hasWarnedOfAge {
            logger.warning(
                "target_far_behind", "The target \(runtime.name) has not taken events for half of `retention: age`.",
                ["target": .string(runtime.name), "oldest_seconds": .integer(Int64(lag))])
        }
        runtime.hasWarnedOfAge = isOld
    }
}
