internal import Delivery
internal import EventLog
internal import KafkaLog

/// Replays: what was asked for and how far each has come are records of the control topic, and stand in the place of commits.
extension ViewContent {
    func cursor(_ target: String, _ number: Int64) -> ReplayCursorRecord? {
        control[.replayCursor(target: target, number: number)]?.record(ReplayCursorRecord.self, decoder)
    }

    /// Gives rows to open events that the replay's position has passed since.
    func passReplay(_ number: Int64, of name: String) throws {
        guard let position = cursor(name, number)?.cursor.position, let replay = targets[name]?.replays[number] else {
            return
        }
        for (place, open) in replay.ahead where position.isPast(place) {
            try buffer.add(.replay(number), open.operation { store.routeSet($0) }, size: open.payload.count)
            targets[name]?.replays[number]?.ahead[place] = nil
        }
    }

    /// Replays that are remembered no more.
    func forgetReplays() throws {
        var known: Set<Int64> = []
        for case .replay(_, let number) in control.keys { known.insert(number) }
        for number in try store.mirroredReplays().subtracting(known) {
            try store.forgetMirrored(replay: number)
            for name in targets.keys { targets[name]?.replays[number] = nil }
        }
    }

    var mirroredReplays: [MirroredReplay] {
        control.compactMap { key, entry in
            guard case .replay(let name, let number) = key, targets[name] != nil,
                let record = entry.record(ReplayRecord.self, decoder)
            else { return nil }
            return mirrored(record, name, number)
        }.sorted { $0.number < $1.number }
    }

    private func mirrored(_ record: ReplayRecord, _ name: String, _ number: Int64) -> MirroredReplay {
        let cursor = cursor(name, number)?.cursor ?? TargetCursor(position: record.start)
        return record.mirrored(number, settled(cursor, name, number))
    }

    /// As `PartitionAccounts` has it, for all partitions at once.
    private func settled(_ cursor: TargetCursor, _ name: String, _ number: Int64) -> TargetCursor {
        guard let later = targets[name]?.replays[number]?.later, !later.isEmpty else { return cursor }
        var settled = cursor
        for (partition, records) in Dictionary(grouping: later, by: \.place.partition) {
            let accounts = PartitionAccounts(
                position: cursor.position.offsets[Int(partition)],
                holes: cursor.holes.filter { $0.partition == partition }.map(\.offset), counters: TargetCounters(),
                later: records, isSystem: false)
            settled.holes.removeAll { $0.partition == partition }
            settled.holes += accounts.holes.sorted().map { RecordPlace(partition: partition, offset: $0) }
            settled.counters.add(accounts.counters)
        }
        return settled
    }
}
