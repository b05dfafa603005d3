package import EventLog

/// Where the state of targets is kept when several instances share the work.
///
/// The log's partitions fall into shards, and of each target every instance owns some shards for a while: it alone delivers
/// their events to that target and keeps what became of them. The engine's own store then holds no more than what it has in
/// hand, and may be lost; a shard is taken up anywhere from what the keeper gives.
package protocol StateKeeper: AnyObject, Sendable {
    /// The shard a partition of the log belongs to.
    func shard(of partition: Int32) -> Int

    /// Calls back from any thread when `changes` may have something. Must not block.
    func onChange(_ callback: @escaping @Sendable () -> Void)

    /// Begins to take part in a target's work; its shards come by `changes`. Again: does nothing.
    func join(_ target: KeptTarget)

    /// Takes no part any more, because the target is not configured, or its shards are to be taken up anew: `join` may
    /// follow. The shards it has come by `changes` as revoked, and are released before it ends.
    func leave(_ target: String)

    /// What has happened to a target's shards since the last call, in order: the standing before the first shard.
    func changes(of target: String) -> [ShardChange]

    /// Keeps changes, in the order of the calls. Returns at once; what cannot be kept for now is tried again until the
    /// shards are lost.
    func keep(_ changes: [KeptChange])

    /// Changes given to `keep` and not yet kept, in operations, roughly. The engine begins nothing new above a bound.
    var backlog: Int { get }

    /// The engine has let go of these shards: nothing of them is under way, and `keep` was given all that is to be kept.
    /// It may let go of shards unasked, when it ends or cannot keep them in hand: a revocation of those needs no answer.
    func release(_ shards: Set<Int>, of target: String)
}

/// A target as the instances know it together.
package struct KeptTarget: Sendable {
    /// Where a target that is new begins.
    package enum Start: Sendable, Hashable {
        case now, beginning
        /// Milliseconds since 1970 UTC.
        case time(Int64)
    }

    package var name: String
    package var type: String
    /// For people; no secret.
    package var destination: String
    package var start: Start

    package init(name: String, type: String, destination: String, start: Start) {
        self.name = name
        self.type = type
        self.destination = destination
        self.start = start
    }
}

/// What happens to a target's shards.
package enum ShardChange: Sendable {
    /// A shard is this instance's from now on.
    case assigned(RestoredShard)
    /// Shards are to be released by a moment of the monotonic clock (milliseconds), with what is under way ended or
    /// abandoned. What is abandoned is sent again by the next owner.
    case revoked(Set<Int>, deadlineMs: Int64)
    /// Shards belong to another already: whatever is known of them is to be forgotten, and nothing of them is kept.
    case lost(Set<Int>)
    /// Whether the target is switched off, by an operator or by what it answered, on any instance.
    case standing(isPaused: Bool, disabledReason: String?)
}

/// Everything that is kept of a shard of a target.
package struct RestoredShard: Sendable {
    /// Where a partition's deliveries stand.
    package struct Partition: Sendable, Hashable {
        /// Every event before it is finished, in the open set, or one of `holes`.
        package var position: Int64
        /// Offsets before `position` that are neither finished nor in the open set.
        package var holes: [Int64]
        package var counters: TargetCounters

        package init(position: Int64, holes: [Int64] = [], counters: TargetCounters = TargetCounters()) {
            self.position = position
            self.holes = holes
            self.counters = counters
        }
    }

    /// An open event with its text.
    package struct Open: Sendable {
        package var record: RestoredTarget.OpenRecord
        /// By name, in the order of the plan. The record's own route set is of no store.
        package var routes: [String]
        package var payload: [UInt8]

        package init(record: RestoredTarget.OpenRecord, routes: [String], payload: [UInt8]) {
            self.record = record
            self.routes = routes
            self.payload = payload
        }
    }

    package var shard: Int
    /// By partition of the log: all of the shard's.
    package var partitions: [Int32: Partition]
    package var open: [Open]
    /// Their route sets are of no store: only the names count; their texts are given.
    package var dead: [DeadLetter]
    /// Events at or beyond their partition's position that were kept as finished, dead or open although the position
    /// was not moved past them before the last owner ended. They are not delivered again; when the position passes
    /// them they count as this, or as what became of them meanwhile. `pending`: it is among `open`.
    package var ahead: [RecordPlace: KnownState]
    /// When the target was first seen, milliseconds since 1970 UTC.
    package var createdAtMs: Int64

    package init(
        shard: Int, partitions: [Int32: Partition], open: [Open] = [], dead: [DeadLetter] = [],
        ahead: [RecordPlace: KnownState] = [:], createdAtMs: Int64
    ) {
        self.shard = shard
        self.partitions = partitions
        self.open = open
        self.dead = dead
        self.ahead = ahead
        self.createdAtMs = createdAtMs
    }
}

/// What the engine has committed for one target, or for a replay of it.
package struct KeptChange: Sendable {
    package var target: String
    /// The replay that it is of; nil for the target's own.
    package var replay: Int64?
    package var change: TargetChange
    /// An operator or the target's answer has switched the target on or off here: `change.cursor` says how it stands now,
    /// and every instance is to know.
    package var hasNewStanding: Bool
    /// Of each partition that is owned and has changed: as in `RestoredShard`. Of a replay: empty; `change` says all.
    package var partitions: [Int32: RestoredShard.Partition]
    /// The texts of events that `change` postpones, requeues or buries without their text.
    package var payloads: [RecordPlace: [UInt8]]

    package init(
        target: String, replay: Int64? = nil, change: TargetChange, hasNewStanding: Bool = false,
        partitions: [Int32: RestoredShard.Partition], payloads: [RecordPlace: [UInt8]] = [:]
    ) {
        self.target = target
        self.replay = replay
        self.change = change
        self.hasNewStanding = hasNewStanding
        self.partitions = partitions
        self.payloads = payloads
    }
}
