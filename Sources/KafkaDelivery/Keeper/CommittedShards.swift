internal import Delivery
internal import EventLog
internal import Kafka
internal import KafkaLog

/// What was last committed of each partition of the log that is owned, ready to be committed or written down once more.
struct CommittedShards: Sendable {
    struct Partition: Sendable {
        var start: Int64
        var createdAtMs: Int64
        var state: RestoredShard.Partition
        var stamp: RecordStamp

        /// Nil when its holes are more than brokers take.
        var commit: KafkaCommit? {
            let metadata = CommitMetadata(
                start: start, createdAtMs: createdAtMs, stamp: stamp, counters: state.counters, holes: state.holes)
            return metadata.encoded(position: state.position).map { text in
                KafkaCommit(offset: state.position, metadata: text)
            }
        }
    }

    private(set) var partitions: [Int32: Partition] = [:]
    /// When each shard was last written down, and whether something was committed since.
    private var backups: [Int: (atMs: Int64, isDue: Bool)] = [:]

    static let backupIntervalMs: Int64 = 60_000
    static let recommitIntervalMs: Int64 = 3_600_000
    private var recommitAtMs: Int64 = 0

    mutating func take(_ choice: CommitChoice, _ shard: RestoredShard, shard number: Int, stamp: RecordStamp) {
        for (index, state) in shard.partitions {
            guard let metadata = choice.commits[index]?.metadata else { continue }
            partitions[index] = Partition(
                start: metadata.start, createdAtMs: metadata.createdAtMs, state: state, stamp: stamp)
        }
        // One that is new is written down before anything else: its start would be chosen again otherwise.
        backups[number] = (choice.isNew ? .min : 0, choice.isNew)
    }

    mutating func forget(where belongs: (Int32) -> Bool) {
        partitions = partitions.filter { !belongs($0.key) }
    }

    /// The commits for new states; those that brokers would not take are left out.
    func commits(_ commit: StateJournal.Commit, _ layout: LogLayout) -> [TopicPartition: KafkaCommit] {
        commit.partitions.reduce(into: [:]) { result, state in
            guard var partition = partitions[state.key] else { return }
            partition.state = state.value
            partition.stamp = commit.stamp
            result[layout.topicPartition(state.key)] = partition.commit
        }
    }

    mutating func committed(_ commit: StateJournal.Commit, _ layout: LogLayout) {
        for (index, state) in commit.partitions {
            guard var partition = partitions[index] else { continue }
            partition.state = state
            partition.stamp = commit.stamp
            guard partition.commit != nil else { continue }
            partitions[index] = partition
            let shard = layout.shard(of: index)
            backups[shard] = (backups[shard]?.atMs ?? 0, true)
        }
    }

    /// A shard as it is written down.
    func backup(_ shard: Int, _ layout: LogLayout, wallMs: Int64) -> CursorBackup {
        let commits = layout.indices(ofShard: shard).reduce(into: [TopicPartition: KafkaCommit]()) { result, index in
            result[layout.topicPartition(index)] = partitions[index]?.commit
        }
        return CursorBackup(atMs: wallMs, commits: commits)
    }

    /// Whether it has never been written down.
    func isNew(_ shard: Int) -> Bool { backups[shard]?.atMs == .min }

    /// Those of the shards that are to be written down now. They are taken as written.
    mutating func takeDueBackups(_ shards: Set<Int>, _ nowMs: Int64) -> [Int] {
        let due = shards.filter { shard in
            guard let backup = backups[shard], backup.isDue else { return false }
            return backup.atMs == .min || nowMs - backup.atMs >= Self.backupIntervalMs
        }
        for shard in due { wroteBackup(shard, nowMs) }
        return due.sorted()
    }

    mutating func wroteBackup(_ shard: Int, _ nowMs: Int64) { backups[shard] = (nowMs, false) }

    /// Everything, when it was not committed for so long that the broker might forget it.
    mutating func takeRecommit(_ nowMs: Int64) -> [Int32: RestoredShard.Partition]? {
        if recommitAtMs == 0 { recommitAtMs = nowMs + Self.recommitIntervalMs }
        guard nowMs >= recommitAtMs, !partitions.isEmpty else { return nil }
        recommitAtMs = nowMs + Self.recommitIntervalMs
        return partitions.mapValues(\.state).filter { $0.value.position > 0 }
    }
}

/// Whether a target is switched off, as all instances know it.
struct TargetStanding: Sendable, Hashable {
    var isPaused = false
    var disabledReason: String?
}
