package import EventLog
internal import Logging

/// A replay as the instances know it together, with everything that is kept of it. The one that owns the target's first
/// shard carries it out.
package struct SharedReplay: Sendable {
    package var replay: MirroredReplay
    package var open: [RestoredShard.Open]
    /// With their texts; of their route sets only the names count.
    package var dead: [DeadLetter]
    /// As in `RestoredShard`.
    package var ahead: [RecordPlace: KnownState]
    /// Events of the range that the target itself has not finished, on whatever instance: they are left out.
    package var unfinished: Set<RecordPlace>

    package init(
        _ replay: MirroredReplay, open: [RestoredShard.Open] = [], dead: [DeadLetter] = [],
        ahead: [RecordPlace: KnownState] = [:], unfinished: Set<RecordPlace> = []
    ) {
        self.replay = replay
        self.open = open
        self.dead = dead
        self.ahead = ahead
        self.unfinished = unfinished
    }
}

extension DeliveryEngine {
    /// Goes on with a replay, or begins with it, where this instance owns the target's first shard. One that has ended is
    /// entered for the sake of its dead letters. One that is here already stays as it is.
    /// - Throws: `DeliveryStoreError` when the target, or its first shard, is not here.
    package func takeUp(_ replay: SharedReplay) throws {
        try withReplays { core in try core.takeUp(replay, core.clock()) }
    }

    /// What a request means where the target stands at `position`, on all instances.
    /// - Throws: `DeliveryStoreError` for one that makes no sense.
    package func replayRange(
        _ request: ReplayRequest, at position: LogPosition
    ) throws -> (start: LogPosition, end: LogPosition, events: Int64) {
        try withReplays { core in
            let (_, range) = try core.replayRange(request, core.clock(), at: position)
            return (range.start, range.end, core.log.count(from: range.start, to: range.end))
        }
    }

    /// Told of the shards of a target that are this instance's, when they have changed. On the delivery thread, which holds
    /// the engine meanwhile: the closure hands it on.
    package var onShards: (@Sendable (_ target: String, _ shards: Set<Int>) -> Void)? {
        get { look { $0.onShards } }
        set { look { $0.onShards = newValue } }
    }

    /// Told of a replay that was cancelled here, has ended, or goes on after it had. As `onShards`.
    package var onReplay: (@Sendable (MirroredReplay) -> Void)? {
        get { look { $0.onReplay } }
        set { look { $0.onReplay = newValue } }
    }
}

extension EngineCore {
    func takeUp(_ shared: SharedReplay, _ now: Moment) throws {
        let replay = shared.replay
        guard let target = runtime(named: replay.request.target), target.sharing.shards[0] != nil else {
            throw DeliveryStoreError("replay \(replay.number) is carried out by another instance")
        }
        let row = store.row(ofReplay: replay.number)
        guard try store.replay(replay.number) == nil else { return }
        try store.enter(replay, target: target.id)
        do {
            let operations = opened(shared.open, target.state.policy, now) + buried(shared.dead)
            try store.commit([(row, TargetChange(cursor: replay.cursor, operations: operations))])
            guard replay.phase != .ended, let stored = try store.replay(replay.number) else { return }
            let taken = try takeUp(stored, now)
            taken.elsewhere = shared.unfinished
            takenUp &+= 1
            taken.runtime.state.firstSerial = takenUp &* 0x9E37_79B1
            taken.runtime.state.beginShare(ahead: shared.ahead)
            adaptReplays(now)
        } catch {
            try? store.forget(replays: [row])
            throw error
        }
    }

    /// What is unfinished of a shard or a replay, for the state file; its route sets are the store's then.
    func opened(_ open: [RestoredShard.Open], _ policy: TargetPolicy, _ now: Moment) -> [StateOperation] {
        open.map { restored in
            var record = restored.record
            record.routes = store.routeSet(restored.routes)
            return .open(OpenEntry(record, policy, now), payload: restored.payload, nextAtMs: record.nextAtMs)
        }
    }

    func buried(_ dead: [DeadLetter]) -> [StateOperation] {
        dead.map { letter in
            var letter = letter
            letter.routes = letter.routes.map { store.routeSet($0.names) }
            return .bury(letter)
        }
    }

    /// What is kept of a replay has changed, and everybody is to know.
    func tell(_ stored: StoredReplay) {
        guard let onReplay else { return }
        var replay = MirroredReplay(
            number: stored.number, request: stored.request, by: stored.by, createdAtMs: stored.state.createdAtMs,
            start: stored.state.start, end: stored.end, events: stored.events, cursor: stored.state.cursor)
        replay.left = stored.left
        replay.phase = MirroredReplay.Phase(rawValue: stored.phase.rawValue) ?? .active
        replay.cancelled = stored.cancelled
        replay.endedAtMs = stored.endedAtMs
        onReplay(replay)
    }

    // MARK: letting go

    /// Whether a replay's requests are on their way that must end before the target's first shard goes.
    func isReplaying(_ target: TargetRuntime) -> Bool {
        replays.contains { $0.target === target && !$0.isStill }
    }

    /// What is on its way of the target's replays ends for nobody.
    func abandonReplays(of target: TargetRuntime, _ now: Moment) {
        for replay in replays where replay.target === target {
            replay.runtime.state.abandon(replay.runtime.state.ownedPartitions, now)
        }
    }

    /// Forgets the target's replays, those that have ended too: another instance has them.
    func letGoOfReplays(of target: TargetRuntime) throws {
        for replay in replays where replay.target === target {
            departed[replay.runtime.id] = target
            drop(replay)
        }
        target.state.requestsOfReplays = 0
        try store.forget(replays: store.rowsOfReplays(of: target.id))
    }
}
