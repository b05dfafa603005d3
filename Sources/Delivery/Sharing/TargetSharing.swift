internal import Synchronization

/// What the engine knows of a target whose work several instances share.
struct TargetSharing {
    /// Shards that are to be let go of.
    struct Release {
        var shards: Set<Int>
        /// Those of them that are owned.
        var partitions: Set<Int32>
        /// By when, on the monotonic clock, milliseconds.
        var deadlineMs: Int64

        /// Before the deadline, in milliseconds: what is given up must still be written down and kept.
        static let marginMs: Int64 = 500

        var abandonsAtMs: Int64 { deadlineMs - Self.marginMs }
    }

    struct Standing: Equatable {
        var isPaused = false
        var disabledReason: String?

        init() {}

        init(_ cursor: TargetCursor) {
            isPaused = cursor.isPaused
            disabledReason = cursor.disabledReason
        }
    }

    /// The keeper has been told that this instance takes part.
    var hasJoined = false
    /// The owned shards, those to be released among them, with their partitions of the log.
    var shards: [Int: Set<Int32>] = [:]
    /// What has not been done yet of what the keeper said.
    var news: [ShardChange] = []
    var releases: [Release] = []
    /// As every instance knows it.
    var standing = Standing()

    /// The first shard, whose owner carries out the replays, is about to go.
    var isFirstLeaving: Bool { releases.contains { $0.shards.contains(0) } }

    func partitions(of shards: Set<Int>) -> Set<Int32> {
        shards.reduce(into: []) { $0.formUnion(self.shards[$1] ?? []) }
    }

    /// Shards that are gone, one way or the other.
    mutating func remove(_ gone: Set<Int>) {
        for shard in gone { shards[shard] = nil }
        for index in releases.indices { releases[index].shards.subtract(gone) }
        releases.removeAll { $0.shards.isEmpty }
    }
}

/// Set by any thread, taken by one.
final class Signal: Sendable {
    private let isSet = Atomic(false)

    func set() { isSet.store(true, ordering: .sequentiallyConsistent) }

    /// Whether it was set since the last time.
    func take() -> Bool { isSet.exchange(false, ordering: .sequentiallyConsistent) }
}
