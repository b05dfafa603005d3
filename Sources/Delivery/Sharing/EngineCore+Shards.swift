internal import EventLog
internal import Events
internal import Logging
internal import Targets

/// Which parts of the log are this instance's, where several share the work.
extension EngineCore {
    /// Changes the keeper may have before nothing new is begun, and how often it is asked then, in milliseconds.
    private static let maximumUnkept = 20_000
    private static let unkeptIntervalMs: Int64 = 20

    /// Takes part, takes up what has come, and lets go of what has to go.
    func followShards(_ now: Moment) {
        guard let keeper else { return }
        let isBehind = keeper.backlog > Self.maximumUnkept
        for runtime in working { runtime.state.isKeeperBehind = isBehind }
        if !isStopping, !store.isLost { takePart(keeper) }
        if shardNews.take() {
            for runtime in runtimes { runtime.sharing.news += keeper.changes(of: runtime.name) }
        }
        for runtime in runtimes where !runtime.sharing.news.isEmpty { followNews(of: runtime, now) }
        endReleases(now, keeper)
    }

    private func takePart(_ keeper: any StateKeeper) {
        for runtime in runtimes {
            if let settings = runtime.settings, !runtime.sharing.hasJoined {
                runtime.sharing.hasJoined = true
                let start: KeptTarget.Start =
                    switch settings.start {
                    case .now: .now
                    case .beginning: .beginning
                    case .time(let time): .time(time.milliseconds)
                    }
                keeper.join(
                    KeptTarget(
                        name: runtime.name, type: runtime.stored.type, destination: runtime.stored.destination,
                        start: start))
            } else if runtime.settings == nil, runtime.sharing.hasJoined {
                runtime.sharing.hasJoined = false
                keeper.leave(runtime.name)
            }
        }
    }

    /// When to look again although nothing happens, on the monotonic clock.
    func wakesOfSharing(_ now: Moment) -> [Int64] {
        guard keeper != nil else { return [] }
        var wakes = runtimes.flatMap { $0.sharing.releases.map(\.abandonsAtMs) }
        if runtimes.contains(where: { $0.state.isKeeperBehind }) {
            wakes.append(now.monotonicMs + Self.unkeptIntervalMs)
        }
        if runtimes.contains(where: { !$0.sharing.news.isEmpty || !$0.sharing.releases.isEmpty }),
            committing.blockedUntilMs > now.monotonicMs
        {
            wakes.append(committing.blockedUntilMs)
        }
        return wakes
    }

    // MARK: news

    private func followNews(of runtime: TargetRuntime, _ now: Moment) {
        while let change = runtime.sharing.news.first {
            switch change {
            case .assigned(let shard):
                guard committing.blockedUntilMs <= now.monotonicMs, !store.isLost, take(shard, runtime, now) else {
                    return
                }
            case .revoked(let shards, let deadlineMs): beginRelease(shards, by: deadlineMs, runtime)
            case .lost(let shards): lose(shards, runtime, now)
            case .standing(let isPaused, let reason):
                runtime.state.adopt(isPaused: isPaused, disabledReason: reason)
                runtime.sharing.standing = TargetSharing.Standing(runtime.state.cursor)
                logStanding(runtime, now)
            }
            runtime.sharing.news.removeFirst()
        }
    }

    /// Takes up a shard: what is unfinished of it goes to the state file first.
    /// - Returns: false when that cannot be written now.
    private func take(_ given: RestoredShard, _ runtime: TargetRuntime, _ now: Moment) -> Bool {
        guard runtime.sharing.shards[given.shard] == nil else { return true }
        var shard = given
        for index in shard.open.indices {
            shard.open[index].record.routes = store.routeSet(shard.open[index].routes)
            shard.open[index].record.size = shard.open[index].payload.count
        }
        do {
            let operations = opened(shard.open, runtime.state.policy, now) + buried(shard.dead)
            let change = TargetChange(cursor: runtime.state.cursor, operations: operations)
            try store.commit([(runtime.id, change)])
        } catch {
            committing.blockedUntilMs = now.monotonicMs + CommitSchedule.retryDelayMs
            reportStoreFailure(error)
            return false
        }
        runtime.state.assign(shard, now)
        runtime.sharing.shards[shard.shard] = Set(shard.partitions.keys)
        runtime.stored.createdAtMs = min(runtime.stored.createdAtMs, shard.createdAtMs)
        onShards?(runtime.name, Set(runtime.sharing.shards.keys))
        return true
    }

    private func beginRelease(_ shards: Set<Int>, by deadlineMs: Int64, _ runtime: TargetRuntime) {
        let partitions = runtime.sharing.partitions(of: shards)
        runtime.sharing.releases.append(
            TargetSharing.Release(shards: shards, partitions: partitions, deadlineMs: deadlineMs))
        runtime.state.beginRelease(of: partitions)
    }

    /// Another instance has them already.
    private func lose(_ shards: Set<Int>, _ runtime: TargetRuntime, _ now: Moment) {
        let partitions = runtime.sharing.partitions(of: shards)
        runtime.state.abandon(partitions, now)
        runtime.state.dropOperations(of: partitions)
        letGo(shards, partitions, runtime)
        logger.warning(
            "shards_lost",
            "Another instance has taken over a part of the events for the target \(runtime.name), because this one was not "
                + "heard of; some deliveries may be repeated.",
            [
                "target": .string(runtime.name),
                "shards": .string(shards.sorted().map(String.init).joined(separator: ",")),
            ])
    }

    // MARK: letting go

    /// Releases what has nothing on its way any more, or has to be released now.
    private func endReleases(_ now: Moment, _ keeper: any StateKeeper) {
        var due: [(runtime: TargetRuntime, release: TargetSharing.Release)] = []
        for runtime in runtimes {
            for release in runtime.sharing.releases
            where now.monotonicMs >= release.abandonsAtMs || isStill(runtime, release) {
                due.append((runtime, release))
            }
        }
        guard !due.isEmpty else { return }
        let isLate = due.contains { now.monotonicMs >= $0.release.abandonsAtMs }
        guard isLate || committing.blockedUntilMs <= now.monotonicMs else { return }
        for (runtime, release) in due {
            runtime.state.abandon(release.partitions, now)
            if release.shards.contains(0) { abandonReplays(of: runtime, now) }
        }
        // What cannot be written down by the deadline is as good as never done: the next owner does it again.
        let isKept = commit(now)
        for (runtime, release) in due where isKept || now.monotonicMs >= release.abandonsAtMs {
            runtime.state.dropOperations(of: release.partitions)
            letGo(release.shards, release.partitions, runtime)
            keeper.release(release.shards, of: runtime.name)
        }
    }

    /// Nothing of it is on its way any more.
    private func isStill(_ runtime: TargetRuntime, _ release: TargetSharing.Release) -> Bool {
        runtime.state.inFlightCount(of: release.partitions) == 0
            && !(release.shards.contains(0) && isReplaying(runtime))
    }

    private func letGo(_ shards: Set<Int>, _ partitions: Set<Int32>, _ runtime: TargetRuntime) {
        let hasReplays = shards.contains(0) && runtime.sharing.shards[0] != nil
        runtime.state.release(partitions)
        runtime.sharing.remove(shards)
        onShards?(runtime.name, Set(runtime.sharing.shards.keys))
        do {
            if hasReplays { try letGoOfReplays(of: runtime) }
            try store.forget(partitions, of: runtime.id)
        } catch {
            reportStoreFailure(error)
        }
    }

    /// Lets go of everything that is left, when the engine ends.
    func releaseAll() {
        guard let keeper else { return }
        for runtime in runtimes where !runtime.sharing.shards.isEmpty {
            keeper.release(Set(runtime.sharing.shards.keys), of: runtime.name)
            runtime.sharing.shards = [:]
        }
    }

    /// After an I/O error of the state file: it only held what the keeper has as well, so that everything is let go of and
    /// taken up anew.
    func startOver(_ now: Moment, _ keeper: any StateKeeper) throws {
        for runtime in runtimes {
            let shards = Set(runtime.sharing.shards.keys)
            let partitions = runtime.sharing.partitions(of: shards)
            runtime.state.abandon(partitions, now)
            runtime.state.dropOperations(of: partitions)
            runtime.state.release(partitions)
            runtime.sharing.remove(shards)
            if shards.contains(0) { try? letGoOfReplays(of: runtime) }
            if !shards.isEmpty { keeper.release(shards, of: runtime.name) }
            guard runtime.sharing.hasJoined else { continue }
            runtime.sharing.hasJoined = false
            keeper.leave(runtime.name)
        }
        try store.reopen()
        try store.forgetWork()
    }

    // MARK: keeping

    /// What the keeper is to be given of a change. To be asked before the change is written: afterwards some of the texts
    /// are gone from the state file.
    func keptChange(_ change: TargetChange, _ runtime: TargetRuntime) throws -> KeptChange? {
        let isReplay = runtime.replay != nil
        let partitions = isReplay ? [:] : runtime.state.changedPartitions(change.cursor)
        let hasNewStanding = !isReplay && TargetSharing.Standing(change.cursor) != runtime.sharing.standing
        guard isReplay || hasNewStanding || !partitions.isEmpty || !change.operations.isEmpty else { return nil }
        return KeptChange(
            target: runtime.name, replay: runtime.replay, change: change, hasNewStanding: hasNewStanding,
            partitions: partitions, payloads: try payloads(change.operations, runtime.id))
    }

    /// The texts of events that operations name without giving them.
    private func payloads(_ operations: [StateOperation], _ target: Int64) throws -> [RecordPlace: [UInt8]] {
        var found: [RecordPlace: [UInt8]] = [:]
        for operation in operations {
            switch operation {
            case .open(let entry, let payload, _): found[entry.place] = payload
            case .postpone(let entry, _) where found[entry.place] == nil:
                found[entry.place] = try store.openPayload(target, entry.place)
            case .bury(let letter):
                switch letter.payload {
                case .text(let payload): found[letter.place] = payload
                case .openRow where found[letter.place] == nil:
                    found[letter.place] = try store.openPayload(target, letter.place)
                case .openRow: break
                }
            case .requeue(let entry, _) where found[entry.place] == nil:
                found[entry.place] = try store.deadPayload(target, entry.place)
            case .postpone, .requeue, .close, .discard, .trim, .record: break
            }
        }
        return found
    }

    /// A change has been written, and is given to the keeper.
    func noteKept(_ kept: KeptChange, _ runtime: TargetRuntime) {
        guard runtime.replay == nil else { return }
        runtime.state.noteKept(kept.partitions)
        runtime.sharing.standing = TargetSharing.Standing(kept.change.cursor)
    }
}
