internal import Delivery
internal import EventLog
internal import Kafka
internal import KafkaLog

/// Where a shard of a target is taken up.
struct CommitChoice: Sendable {
    var commits: [Int32: ShardLedger.Commit]
    /// The target was never seen in this shard: what is chosen now is chosen for good.
    var isNew: Bool
    /// Partitions whose offset somebody committed without what belongs to it, as tools that reset a group do.
    var reset: [Int32] = []

    /// - Parameters:
    ///   - committed: what the group has committed.
    ///   - backup: what was written down besides, older or the same.
    ///   - start: where a partition begins of a target that was never seen.
    ///   - nowMs: the wall clock.
    init(
        shard: Int, _ layout: LogLayout, committed: [TopicPartition: KafkaCommit],
        backup: [TopicPartition: KafkaCommit], start: [TopicPartition: Int64], nowMs: Int64, _ decoder: StateDecoder
    ) throws(StateRecordError) {
        commits = [:]
        var missing: [Int32] = []
        for index in layout.indices(ofShard: shard) {
            let place = layout.topicPartition(index)
            let kept = committed[place]
            let (commit, metadata) = try Self.readable(kept, else: backup[place], decoder)
            if let commit, let metadata {
                commits[index] = ShardLedger.Commit(position: commit.offset, metadata: metadata)
            } else if let kept {
                reset.append(index)
                commits[index] = ShardLedger.Commit(
                    position: kept.offset, metadata: CommitMetadata(start: kept.offset, createdAtMs: nowMs))
            } else {
                missing.append(index)
            }
        }
        isNew = commits.isEmpty
        let createdAtMs = commits.values.map(\.metadata.createdAtMs).min() ?? nowMs
        for index in missing {
            // A topic that is younger than the target is the target's from its first event on.
            let first = isNew ? start[layout.topicPartition(index)] ?? 0 : 0
            commits[index] = ShardLedger.Commit(
                position: first, metadata: CommitMetadata(start: first, createdAtMs: createdAtMs))
        }
    }

    /// The commit whose metadata can be read, with it.
    private static func readable(
        _ committed: KafkaCommit?, else backup: KafkaCommit?, _ decoder: StateDecoder
    ) throws(StateRecordError) -> (KafkaCommit?, CommitMetadata?) {
        if let committed {
            guard let text = committed.metadata, text.hasPrefix("{") else { return (nil, nil) }
            return (committed, try CommitMetadata(text, position: committed.offset, decoder))
        }
        guard let backup, let text = backup.metadata else { return (nil, nil) }
        return (backup, try CommitMetadata(text, position: backup.offset, decoder))
    }
}
