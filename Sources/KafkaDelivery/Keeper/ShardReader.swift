internal import Delivery
internal import EventLog
internal import Kafka
internal import KafkaLog

/// Reads what is kept of shards of a target. Every call blocks.
struct ShardReader: Sendable {
    let kafka: KafkaConfiguration
    let layout: LogLayout
    let admin: KafkaAdmin
    let control: ControlTopic
    let target: KeptTarget
    /// How far the log goes, as far as is known here.
    let head: LogPosition

    /// Everything of one shard.
    struct Kept {
        var choice: CommitChoice
        var ledger: ShardLedger
        /// Of the replays, by number; of shard 0 only.
        var replays: [Int64: ShardLedger]
        /// Records that cannot be read, and why the first cannot.
        var unreadable = 0
        var flaw: StateRecordError?
    }

    /// Memory for records that were fetched and not taken yet, in bytes.
    private static let buffer = 8 << 20
    /// How long a partition may give nothing before reading has failed.
    private static let patience = Duration.seconds(20)

    private var topics: StateTopics { StateTopics(prefix: layout.prefix) }

    func read(_ shards: Set<Int>, nowMs: Int64) throws -> [Int: Kept] {
        let decoder = StateDecoder(layout)
        let partitions = shards.flatMap { layout.indices(ofShard: $0).map(layout.topicPartition) }
        let committed = try admin.committed(group: topics.group(target.name), partitions)
        var kept: [Int: Kept] = [:]
        var start: [TopicPartition: Int64]?
        for shard in shards.sorted() {
            let backup = backup(shard, decoder)
            let own = layout.indices(ofShard: shard).map(layout.topicPartition)
            let isNew = backup.isEmpty && own.allSatisfy { committed[$0] == nil }
            if isNew, start == nil { start = try starts(partitions, nowMs: nowMs, decoder) }
            let choice = try CommitChoice(
                shard: shard, layout, committed: committed, backup: backup, start: start ?? [:], nowMs: nowMs, decoder)
            kept[shard] = Kept(choice: choice, ledger: ShardLedger(), replays: [:])
        }
        try refuseBeyondEnd(kept.values.flatMap { $0.choice.commits.map { ($0.key, $0.value.position) } })
        try readRecords(of: shards, into: &kept, decoder)
        return kept
    }

    /// A topic that ends before the place to which the target had come was deleted, or cut. What is published to it from
    /// then on would be passed over as delivered already.
    private func refuseBeyondEnd(_ positions: [(Int32, Int64)]) throws(KafkaFailure) {
        // Others may have read what is not known here yet.
        let beyond = positions.filter { index, position in
            position > (head.offsets.indices.contains(Int(index)) ? head.offsets[Int(index)] : 0)
        }
        guard !beyond.isEmpty else { return }
        let ends = try admin.ends(of: beyond.map { layout.topicPartition($0.0) })
        for (index, position) in beyond {
            let place = layout.topicPartition(index)
            let end = ends[place]?.high ?? 0
            guard position > end else { continue }
            throw KafkaFailure(
                code: "topic_cut",
                message: "the topic \(place.topic) ends at \(end) in partition \(place.partition), and \(target.name) "
                    + "had come to \(position): the topic was deleted or cut, and new events would be passed over. See "
                    + "\"Topics that were deleted\" in docs/kafka.md")
        }
    }

    private func backup(_ shard: Int, _ decoder: StateDecoder) -> [TopicPartition: KafkaCommit] {
        control.value(.cursor(target: target.name, shard: shard))?.record(CursorBackup.self, decoder)?.commits ?? [:]
    }

    /// Where a new target begins; topics that are not there yet begin at 0.
    private func starts(
        _ partitions: [TopicPartition], nowMs: Int64, _ decoder: StateDecoder
    ) throws(KafkaFailure) -> [TopicPartition: Int64] {
        let present = try admin.topics()
        let there = partitions.filter { present[$0.topic] != nil }
        guard !there.isEmpty else { return [:] }
        switch target.start {
        case .now:
            // Another instance may have seen it first.
            let told = control.value(.target(target.name))?.record(TargetRecord.self, decoder)?.atMs
            return try admin.offsets(at: min(nowMs, told ?? nowMs), of: there)
        case .beginning: return try admin.ends(of: there).mapValues(\.low)
        case .time(let timeMs): return try admin.offsets(at: timeMs, of: there)
        }
    }

    // MARK: records

    private func readRecords(of shards: Set<Int>, into kept: inout [Int: Kept], _ decoder: StateDecoder) throws {
        let retry = topics.retry(target.name)
        let partitions = shards.flatMap { shard in
            [retry, topics.dead(target.name)].map { TopicPartition(topic: $0, partition: Int32(shard)) }
        }
        let ends = try admin.ends(of: partitions)
        var left = ends.filter { $0.value.low < $0.value.high }.mapValues(\.high)
        guard !left.isEmpty else { return }
        let reader = try KafkaReader(kafka, maximumBufferedBytes: Self.buffer)
        defer { reader.close() }
        try reader.assign(left.keys.reduce(into: [:]) { $0[$1] = ends[$1]?.low ?? 0 })
        var lastProgress = ContinuousClock.now
        while !left.isEmpty {
            switch reader.poll(within: .seconds(1)) {
            case .message(let message):
                take(message, isRetry: message.topic == retry, into: &kept, decoder)
                if let end = left[message.topicPartition], message.offset >= end - 1 {
                    left[message.topicPartition] = nil
                }
                lastProgress = .now
            case .end(let partition, let offset):
                if let end = left[partition], offset >= end { left[partition] = nil }
                lastProgress = .now
            case .failure(let partition, let failure):
                // One partition's failure ends the reading; without a partition the client tries again by itself.
                if partition != nil || lastProgress.duration(to: .now) > Self.patience { throw failure }
            case .nothing: break
            }
            guard lastProgress.duration(to: .now) <= Self.patience else {
                throw KafkaFailure(code: "timed_out", message: "the state of \(target.name) could not be read in time")
            }
        }
    }

    private func take(
        _ message: KafkaMessage, isRetry: Bool, into kept: inout [Int: Kept], _ decoder: StateDecoder
    ) {
        let shard = Int(message.partition)
        do throws(StateRecordError) {
            if isRetry {
                let record = try decoder.retry(message)
                guard let replay = record.key.replay else { kept[shard]?.ledger.take(record); return }
                kept[shard]?.replays[replay, default: ShardLedger()].take(record)
            } else {
                let record = try decoder.dead(message)
                guard let replay = record.key.replay else { kept[shard]?.ledger.take(record); return }
                kept[shard]?.replays[replay, default: ShardLedger()].take(record)
            }
        } catch {
            kept[shard]?.unreadable += 1
            kept[shard]?.flaw = error
        }
    }
}
