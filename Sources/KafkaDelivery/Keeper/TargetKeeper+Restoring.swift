internal import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

/// Taking up shards that have become this instance's.
extension TargetKeeper {
    func restore(_ shards: Set<Int>, _ generation: Int, failures: Int) {
        let target = state.withLock { $0.generation == generation ? $0.target : nil }
        guard let target else { return }
        let reader = ShardReader(
            kafka: context.options.kafka, layout: layout, admin: context.admin, control: context.control,
            target: target, head: context.head())
        do {
            let kept = try reader.read(shards, nowMs: firstSeenMs)
            ended("not read")
            take(kept, generation)
        } catch {
            if isNews("not read") {
                context.logger.warning(
                    "kafka_state_unavailable", "The state of \(name) cannot be read yet: \(Self.message(error))",
                    ["target": .string(name)])
            }
            let delayMs = min(200 << min(failures, 5), 5000)
            queue.asyncAfter(deadline: .now() + .milliseconds(delayMs)) { [weak self] in
                self?.restore(shards, generation, failures: failures + 1)
            }
        }
    }

    private func take(_ kept: [Int: ShardReader.Kept], _ generation: Int) {
        for (shard, kept) in kept.sorted(by: { $0.key < $1.key }) { tell(kept, shard) }
        state.withLock { state in
            guard state.generation == generation else { return }
            let epochs = kept.values.flatMap { kept in
                [kept.ledger.lastEpoch] + kept.replays.values.map(\.lastEpoch)
                    + kept.choice.commits.values.map(\.metadata.stamp.epoch)
            }
            state.scribe.begin(epoch: max(state.scribe.stamp.epoch, epochs.max() ?? 0) + 1)
            for (shard, kept) in kept.sorted(by: { $0.key < $1.key }) { take(kept, shard, &state) }
        }
        pump()
    }

    private func take(_ kept: ShardReader.Kept, _ shard: Int, _ state: inout State) {
        let (restored, restoration) = kept.ledger.restored(shard: shard, kept.choice.commits, layout)
        state.scribe.restore(restoration)
        var repairs = restoration.repairs
        for (number, ledger) in kept.replays.sorted(by: { $0.key < $1.key }) {
            guard let cursor = replayCursor(number) else { continue }
            let (replay, restoration) = ledger.restored(replay: number, cursor)
            state.scribe.restore(restoration)
            repairs += restoration.repairs
            state.replays.append(replay)
        }
        if shard == 0 { state.replays += replaysWithoutRecords(kept.replays) }
        var batch = state.scribe.batch(repairs, shard)
        batch.commits = restored.partitions.filter { position in
            position.value.position > 0 || context.topics.isPresent(layout.topicPartition(position.key).topic)
        }
        state.ledger.take(kept.choice, restored, shard: shard, stamp: state.scribe.stamp)
        state.settling[shard] = restored
        state.shards[shard] = .settling
        state.journal.append(batch)
    }

    private func replayCursor(_ number: Int64) -> ReplayCursorRecord? {
        context.control.value(.replayCursor(target: name, number: number))?.record(
            ReplayCursorRecord.self, StateDecoder(layout))
    }

    private func replaysWithoutRecords(_ known: [Int64: ShardLedger]) -> [RestoredReplay] {
        let decoder = StateDecoder(layout)
        let entries = context.control.entries { key in
            if case .replayCursor(let target, let number) = key {
                target == name && known[number] == nil
            } else {
                false
            }
        }
        return entries.compactMap { entry in
            guard case .replayCursor(_, let number) = entry.key,
                let record = entry.record(ReplayCursorRecord.self, decoder)
            else { return nil }
            return ShardLedger().restored(replay: number, record).0
        }
    }

    private func tell(_ kept: ShardReader.Kept, _ shard: Int) {
        if kept.unreadable > 0 {
            context.logger.error(
                "kafka_state_damaged",
                "\(kept.unreadable) records of the state of \(name) in shard \(shard) cannot be read and are left out: "
                    + "\(kept.flaw?.message ?? ""). `gatehouse reconcile` tells what is missing.",
                ["target": .string(name), "shard": .integer(Int64(shard))])
        }
        if !kept.choice.reset.isEmpty {
            context.logger.warning(
                "kafka_offsets_reset",
                "Somebody has set the group's offsets of \(kept.choice.reset.count) partitions for \(name): its "
                    + "counters there begin anew.", ["target": .string(name), "shard": .integer(Int64(shard))])
        }
    }
}
