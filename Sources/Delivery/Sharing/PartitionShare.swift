internal import EventLog

/// What a target's state keeps of the partitions that are its own for a while.
struct PartitionShare: Sendable {
    /// By partition: how the events before its position ended. Of a partition that is not owned: nothing.
    var counters: [TargetCounters]
    /// What was counted elsewhere: of the shards as they came, less as they went.
    var broughtIn = TargetCounters()
    /// Events at or beyond their partition's position that are known to have ended, or to be in the open set.
    var ahead: [RecordPlace: KnownState] = [:]
    /// About to be let go of: nothing more of them is read or sent.
    var releasing: Set<Int32> = []
    /// Places of theirs that are holes, and are not sent here any more.
    var withheld: [RecordPlace] = []
    /// By partition, as it was last kept.
    var kept: [Int32: RestoredShard.Partition] = [:]
}

/// The accounts by partition, where there are any.
extension TargetState {
    /// An event before the position has ended so.
    mutating func count(_ known: KnownState, _ partition: Int32, isSystem: Bool, by amount: Int64 = 1) {
        counters.count(known, isSystem: isSystem, by: amount)
        share?.counters[Int(partition)].count(known, isSystem: isSystem, by: amount)
    }

    /// The same, of a counter.
    mutating func count(
        _ ending: WritableKeyPath<TargetCounters, Int64>, _ partition: Int32, isSystem: Bool, by amount: Int64 = 1
    ) {
        counters.count(ending, isSystem: isSystem, by: amount)
        share?.counters[Int(partition)].count(ending, isSystem: isSystem, by: amount)
    }

    /// An open event, or a dead letter, has become something else. One that the position has not passed is counted when it
    /// does.
    mutating func recount(
        _ place: RecordPlace, isSystem: Bool, from: KnownState = .pending, to known: KnownState
    ) {
        if share != nil, !position.isPast(place) {
            share?.ahead[place] = known
            return
        }
        count(from, place.partition, isSystem: isSystem, by: -1)
        count(known, place.partition, isSystem: isSystem)
    }

    /// The position passes an event that is known.
    mutating func passAhead(_ place: RecordPlace, isSystem: Bool) {
        let partition = Int(place.partition)
        position.offsets[partition] = max(position.offsets[partition], place.offset + 1)
        isDirty = true
        guard let known = share?.ahead.removeValue(forKey: place) else { return }
        count(known, place.partition, isSystem: isSystem)
    }

    /// Known events of a partition that were not read yet and never will be. Whether one is Gatehouse's own is only known
    /// of those that are open.
    func knownPlaces(_ partition: Int32, before offset: Int64) -> [(RecordPlace, isSystem: Bool)] {
        guard let share, !share.ahead.isEmpty else { return [] }
        let start = readPosition.offsets[Int(partition)]
        let places = share.ahead.keys.filter { $0.partition == partition && start..<max(start, offset) ~= $0.offset }
        return places.sorted(by: Self.isBefore).map { ($0, isSystem: open[$0]?.isSystem ?? false) }
    }

    /// Everything that was read is finished: the position is where the read has ended, of what was read.
    mutating func advanceShared(to next: LogPosition) {
        for (partition, offset) in next.offsets.enumerated()
        where offset != LogPosition.unread && offset != position.offsets[partition] {
            position.offsets[partition] = offset
            isDirty = true
        }
    }

    /// When the oldest event was received that is on its way, or is to be sent and was read; nil when there is none.
    var oldestUnsentMs: Int64? {
        var oldest = (returned + lanes.parked).map(\.event.receivedAtMs)
        for slot in slots {
            if case .window(let tried) = slot.content { oldest.append(tried.event.receivedAtMs) }
        }
        if case .taken(let event, _, _)? = backlog.first { oldest.append(event.receivedAtMs) }
        return oldest.min()
    }

    /// What this instance has counted since it began: other than `counters` it does not jump when shards come and go.
    var countedHere: TargetCounters {
        var counted = counters
        if let share { counted -= share.broughtIn }
        // Dead letters that came with a shard may be sent again here.
        counted.dead = max(0, counted.dead)
        return counted
    }

    // MARK: what is kept

    /// Whether the events of a partition are this state's business now.
    func owns(_ place: RecordPlace) -> Bool { position.offsets[Int(place.partition)] != LogPosition.unread }

    /// The owned partitions that are not as they were last kept.
    /// - Parameter cursor: of now.
    package func changedPartitions(_ cursor: TargetCursor) -> [Int32: RestoredShard.Partition] {
        guard let share else { return [:] }
        let holes = Dictionary(grouping: cursor.holes, by: \.partition)
        var changed: [Int32: RestoredShard.Partition] = [:]
        for (index, offset) in cursor.position.offsets.enumerated() where offset != LogPosition.unread {
            let partition = Int32(index)
            let present = RestoredShard.Partition(
                position: offset, holes: (holes[partition] ?? []).map(\.offset).sorted(),
                counters: share.counters[index])
            if share.kept[partition] != present { changed[partition] = present }
        }
        return changed
    }

    /// These have been given to be kept.
    package mutating func noteKept(_ partitions: [Int32: RestoredShard.Partition]) {
        share?.kept.merge(partitions) { _, new in new }
    }
}
