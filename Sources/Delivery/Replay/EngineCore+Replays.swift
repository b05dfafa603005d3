internal import EventLog
internal import Events
internal import Logging
internal import Rules
internal import YAML

/// How replays begin, go on after a restart or a reload, and end.
extension EngineCore {
    /// Replays that have not ended, of all targets.
    static let maximumActiveReplays = 16

    // MARK: beginning

    func beginReplay(_ request: ReplayRequest, by actor: String, _ now: Moment) throws -> ReplayStatus {
        guard replays.count < Self.maximumActiveReplays else {
            throw DeliveryStoreError(
                "\(Self.maximumActiveReplays) replays are at work already: wait for one to end, or cancel one")
        }
        guard try store.replayCount() < Int64(DeliveryStore.maximumReplays) else {
            throw DeliveryStoreError(
                "\(DeliveryStore.maximumReplays) replays are remembered already: they go when their history has, and "
                    + "their dead letters are decided about")
        }
        let (target, range) = try replayRange(request, now)
        let new = DeliveryStore.NewReplay(
            request: request, target: target.id, start: range.start, end: range.end,
            events: log.count(from: range.start, to: range.end), by: actor, createdAtMs: now.wallMs)
        let audit = AuditEntry(
            atMs: now.wallMs, actor: actor, action: "replay.begin", subject: request.target,
            detail: request.auditDetail)
        let number = try store.create(new, audit)
        guard let stored = try store.replay(number) else { throw DeliveryStoreError("the replay was not kept") }
        let replay = try takeUp(stored, now)
        logger.info(
            "replay_begun", "Replay \(number) to the target \(request.target) has begun.",
            ["replay": .integer(number), "target": .string(request.target), "events": .integer(new.events)])
        return status(of: replay, now)
    }

    /// What a request means now.
    /// - Throws: `DeliveryStoreError` for one that makes no sense.
    /// - Parameter position: where the target stands; nil: as this engine knows.
    func replayRange(
        _ request: ReplayRequest, _ now: Moment, at position: LogPosition? = nil
    ) throws -> (TargetRuntime, ReplayRange) {
        guard let target = runtime(named: request.target) else {
            throw DeliveryStoreError(
                "there is no target \(request.target)" + didYouMean(request.target, among: runtimes.map(\.name)))
        }
        guard target.settings != nil else {
            throw DeliveryStoreError("the target \(target.name) is not configured: nothing can be sent to it")
        }
        let selection = try ReplaySelection(request)
        try check(request, selection)
        if let until = request.untilMs, until <= request.sinceMs {
            throw DeliveryStoreError("the end of the time asked for is not after its beginning")
        }
        if request.decodesAgain, decodeAgain == nil {
            throw DeliveryStoreError("there are no sources here to read the events again")
        }
        // What is beyond the target's own position is on its way to it anyhow.
        var end = position ?? target.state.position
        if let until = request.untilMs { end = end.lowest(try log.position(at: until)) }
        let start = try log.position(at: request.sinceMs)
        for partition in end.offsets.indices {
            end.offsets[partition] = max(end.offsets[partition], start.offsets[partition])
        }
        return (target, ReplayRange(start: start, end: end))
    }

    private func check(_ request: ReplayRequest, _ selection: ReplaySelection) throws(DeliveryStoreError) {
        let routes = matcher.plan.routes.filter { request.team == nil || $0.team == request.team }
        if let name = request.route {
            guard let route = routes.first(where: { $0.name == name }) else {
                throw DeliveryStoreError("there is no route \(name)" + didYouMean(name, among: routes.map(\.name)))
            }
            guard route.targets.contains(request.target) else {
                throw DeliveryStoreError(
                    "the route \(name) does not lead to the target \(request.target), but to "
                        + route.targets.joined(separator: ", "))
            }
        }
        guard routes.contains(where: { selection.isMeant($0) && $0.targets.contains(request.target) }) else {
            throw DeliveryStoreError("no route leads to the target \(request.target): nothing would be sent")
        }
    }

    // MARK: going on

    /// Takes up what an earlier run left.
    func takeUpReplays(_ now: Moment) throws {
        for stored in try store.activeReplays() where byID[stored.state.id] == nil { try takeUp(stored, now) }
        adaptReplays(now)
    }

    @discardableResult
    func takeUp(_ stored: StoredReplay, _ now: Moment) throws -> Replay {
        guard let target = byID[stored.target] else {
            throw DeliveryStoreError("replay \(stored.number) is of a target that is not known")
        }
        let restored = RestoredTarget(cursor: stored.state.cursor, open: try store.openEvents(stored.state.id))
        let state = TargetState(restored, policy: Replay.policy(of: target.state.policy), now, seed: seed())
        let runtime = TargetRuntime(
            stored.state, state: state, metrics: TargetMetrics(target.name, registry, isReplay: true),
            replaying: target)
        runtime.settings = target.settings
        let replay: Replay
        do {
            replay = try Replay(stored, target: target, runtime: runtime)
        } catch {
            // A condition that was good when it was given, and is not for this program.
            var stored = stored
            stored.request.condition = nil
            replay = try Replay(stored, target: target, runtime: runtime)
            cancel(replay, "its condition cannot be read any more")
        }
        replays.append(replay)
        replays.sort { $0.number < $1.number }
        byID[stored.state.id] = runtime
        return replay
    }

    /// Follows the configuration: how targets take events, and which there are.
    func adaptReplays(_ now: Moment) {
        for replay in replays {
            replay.runtime.state.setPolicy(Replay.policy(of: replay.target.state.policy), isEnabled: true)
            replay.runtime.settings = replay.target.settings
            guard !replay.isEnding else { continue }
            if replay.target.settings == nil {
                cancel(replay, "the target \(replay.target.name) is no longer configured")
            } else if let route = replay.stored.request.route,
                !matcher.plan.routes.contains(where: { $0.name == route && $0.targets.contains(replay.target.name) })
            {
                cancel(replay, "the route \(route) no longer leads there")
            }
        }
    }

    /// After an I/O error of the state file: from what is sound of it.
    func restoreReplays(_ now: Moment) throws {
        let stored = try store.activeReplays()
        for replay in replays where !stored.contains(where: { $0.number == replay.number }) { drop(replay) }
        for stored in stored {
            guard let replay = replays.first(where: { $0.number == stored.number }) else {
                try takeUp(stored, now)
                continue
            }
            let restored = RestoredTarget(cursor: stored.state.cursor, open: try store.openEvents(stored.state.id))
            let policy = replay.runtime.state.policy
            replay.stored = stored
            replay.runtime.state = TargetState(restored, policy: policy, now, seed: seed())
            replay.runtime.committedCursor = stored.state.cursor
        }
    }

    /// The state of a replay, also of one that has ended and has dead letters still: it goes on until those that are sent
    /// again are finished.
    func runtime(ofReplay number: Int64, _ now: Moment) throws -> TargetRuntime {
        if let replay = replays.first(where: { $0.number == number }) {
            guard !replay.isEnding else {
                throw DeliveryStoreError("replay \(number) is being cancelled: try again in a moment")
            }
            return replay.runtime
        }
        guard var stored = try store.replay(number) else { throw DeliveryStoreError("there is no replay \(number)") }
        stored.phase = .active
        stored.endedAtMs = nil
        try store.update(stored)
        tell(stored)
        return try takeUp(stored, now).runtime
    }

    // MARK: ending

    func cancelReplay(_ number: Int64, by actor: String, _ now: Moment) throws -> ReplayStatus {
        guard let replay = replays.first(where: { $0.number == number }) else {
            guard let stored = try store.replay(number) else {
                throw DeliveryStoreError("there is no replay \(number)")
            }
            return Self.status(of: stored)
        }
        guard !replay.isEnding else { return status(of: replay, now) }
        var stored = replay.stored
        stored.phase = .ending
        stored.cancelled = "cancelled by \(actor)"
        try store.update(
            stored,
            AuditEntry(
                atMs: now.wallMs, actor: actor, action: "replay.cancel", subject: replay.target.name,
                detail: "replay=\(number)"))
        replay.stored = stored
        tell(stored)
        endReplays(now)
        if let replay = replays.first(where: { $0.number == number }) { return status(of: replay, now) }
        return try store.replay(number).map(Self.status) ?? status(of: replay, now)
    }

    /// Without a person's asking. When it cannot be written down, the next run finds the same reason.
    private func cancel(_ replay: Replay, _ why: String) {
        replay.stored.phase = .ending
        replay.stored.cancelled = why
        try? store.update(replay.stored)
        tell(replay.stored)
        logger.warning(
            "replay_cancelled", "Replay \(replay.number) was cancelled: \(why).",
            ["replay": .integer(replay.number), "target": .string(replay.target.name)])
    }

    /// A replay that takes longer than the log keeps events is given up.
    func keepHouseOfReplays(_ now: Moment) {
        for replay in replays where !replay.isEnding {
            let expiry = Expiry(tooOldBeforeMs: Int64.min, end: replay.range.start)
            replay.runtime.state.expire(replay.runtime.state.policy.giveUpAfterMs == nil ? nil : expiry, now)
            guard let age = retention.ageMs, believableWallMs(now) - replay.stored.state.createdAtMs >= age else {
                continue
            }
            cancel(replay, "it took longer than `retention: age`")
        }
    }

    /// Ends those that have nothing left to do.
    /// - Returns: whether there were any: then others may have their turn.
    @discardableResult
    func endReplays(_ now: Moment) -> Bool {
        guard !replays.isEmpty, !store.isLost, committing.blockedUntilMs <= now.monotonicMs else { return false }
        var hasEnded = false
        for replay in replays where replay.isStill && (replay.isEnding || replay.isDone) {
            if replay.isEnding { replay.runtime.state.discardUnfinished(now) }
            guard !replay.runtime.state.isDirty || commit(now) else { return hasEnded }
            do {
                try end(replay, now)
                hasEnded = true
            } catch {
                committing.blockedUntilMs = now.monotonicMs + CommitSchedule.retryDelayMs
                reportStoreFailure(error)
                return hasEnded
            }
        }
        return hasEnded
    }

    private func end(_ replay: Replay, _ now: Moment) throws {
        let position = replay.runtime.state.position
        var stored = replay.stored
        stored.left += log.count(from: position, to: stored.end)
        stored.end = position
        stored.phase = .ended
        stored.endedAtMs = now.wallMs
        try store.update(stored)
        stored.state.cursor = replay.runtime.committedCursor
        tell(stored)
        drop(replay)
        let counters = replay.runtime.state.counters
        logger.info(
            "replay_ended",
            "Replay \(replay.number) to the target \(replay.target.name) has ended"
                + (stored.cancelled.map { ": \($0)." } ?? "."),
            [
                "replay": .integer(replay.number), "target": .string(replay.target.name),
                "delivered": .integer(counters.delivered), "dead": .integer(counters.dead),
                "left": .integer(stored.left),
            ])
    }

    func drop(_ replay: Replay) {
        byID[replay.runtime.id] = nil
        replays.removeAll { $0 === replay }
    }

    /// Its target is forgotten, and everything with it.
    func forgetReplays(of target: TargetRuntime) {
        for replay in replays where replay.target === target { drop(replay) }
    }
}

extension ReplayRequest {
    /// For the audit log: a condition may name the person it looks for.
    package var auditDetail: String {
        var parts = ["since=\(Timestamp(milliseconds: sinceMs).text)"]
        if let untilMs { parts.append("until=\(Timestamp(milliseconds: untilMs).text)") }
        if let route { parts.append("route=\(route)") }
        if condition != nil { parts.append("where=…") }
        if decodesAgain { parts.append("decode_again") }
        return parts.joined(separator: " ")
    }
}
