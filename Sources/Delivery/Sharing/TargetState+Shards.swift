package import EventLog

/// Partitions come and go: a state may own any part of the log, and the position leaves out the rest.
extension TargetState {
    /// A state that owns nothing yet.
    /// - Parameter partitions: of the log.
    package static func shared(
        partitions: Int, policy: TargetPolicy, _ now: Moment, seed: UInt64
    ) -> TargetState {
        let cursor = TargetCursor(position: .none(count: partitions))
        var state = TargetState(RestoredTarget(cursor: cursor), policy: policy, now, seed: seed)
        state.share = PartitionShare(counters: Array(repeating: TargetCounters(), count: partitions))
        return state
    }

    /// The state of a replay, over the whole log, that another instance may have left at any moment.
    mutating func beginShare(ahead: [RecordPlace: KnownState]) {
        share = PartitionShare(counters: Array(repeating: TargetCounters(), count: position.offsets.count))
        for (place, state) in ahead where !position.isPast(place) && (state != .pending || open[place] != nil) {
            share?.ahead[place] = state
        }
        for place in open.entries.keys where !position.isPast(place) { share?.ahead[place] = .pending }
    }

    /// The partitions of the log that are owned.
    package var ownedPartitions: Set<Int32> {
        Set(position.offsets.indices.filter { position.offsets[$0] != LogPosition.unread }.map(Int32.init))
    }

    // MARK: coming

    /// Takes up a shard. Its partitions are not owned yet, and the route sets of its open events are of the store.
    package mutating func assign(_ shard: RestoredShard, _ now: Moment) {
        for (partition, kept) in shard.partitions {
            position.offsets[Int(partition)] = kept.position
            readPosition.offsets[Int(partition)] = kept.position
            counters += kept.counters
            share?.counters[Int(partition)] = kept.counters
            share?.broughtIn += kept.counters
            share?.kept[partition] = kept
            holesToLoad += kept.holes.map { RecordPlace(partition: partition, offset: $0) }
        }
        holesToLoad.sort(by: Self.isBefore)
        for restored in shard.open { open.put(OpenEntry(restored.record, policy, now)) }
        for (place, state) in shard.ahead where !position.isPast(place) && (state != .pending || open[place] != nil) {
            share?.ahead[place] = state
        }
        for restored in shard.open where !position.isPast(restored.record.place) {
            share?.ahead[restored.record.place] = .pending
        }
        isDirty = true
        orderAnew()
    }

    // MARK: going

    /// Nothing more of these partitions is read or sent. What is on its way may still end.
    package mutating func beginRelease(of partitions: Set<Int32>) {
        share?.releasing.formUnion(partitions)
        open.held.formUnion(partitions)
        forgetUnsent()
        withholdReleased()
    }

    /// Events of these partitions that are on their way.
    package func inFlightCount(of partitions: Set<Int32>) -> Int {
        slots.count { slot in
            switch slot.content {
            case .free, .abandoned: false
            case .window(let tried): partitions.contains(tried.event.place.partition)
            case .open(let place): partitions.contains(place.partition)
            }
        }
    }

    /// What is on its way of these partitions ends for nobody: the next owner sends it again. The requests themselves
    /// still count until they end.
    package mutating func abandon(_ partitions: Set<Int32>, _ now: Moment) {
        for index in slots.indices {
            switch slots[index].content {
            case .window(let tried) where partitions.contains(tried.event.place.partition):
                slots[index].content = .abandoned
                windowInFlight -= 1
                share?.withheld.append(tried.event.place)
                health.learnedNothing(tried.event.place, now)
                isDirty = true
            case .open(let place) where partitions.contains(place.partition):
                slots[index].content = .abandoned
                openInFlight -= 1
                open.comeBack(place)
                health.learnedNothing(place, now)
            case .free, .abandoned, .window, .open: break
            }
        }
    }

    /// Forgets everything of these partitions; nothing of them is on its way.
    package mutating func release(_ partitions: Set<Int32>) {
        if policy.ordersByKey { dissolveLanes() }
        forget(partitions)
        for partition in partitions {
            if let gone = share?.counters[Int(partition)] {
                counters -= gone
                share?.broughtIn -= gone
            }
            share?.counters[Int(partition)] = TargetCounters()
            share?.kept[partition] = nil
            position.offsets[Int(partition)] = LogPosition.unread
        }
        share?.releasing.subtract(partitions)
        open.held.subtract(partitions)
        isDirty = true
        forgetUnsent()
        orderAnew()
    }

    private mutating func forget(_ partitions: Set<Int32>) {
        func isGone(_ place: RecordPlace) -> Bool { partitions.contains(place.partition) }
        returned.removeAll { isGone($0.event.place) }
        holesToLoad.removeAll(where: isGone)
        share?.withheld.removeAll(where: isGone)
        for place in share?.ahead.keys.filter(isGone) ?? [] { share?.ahead[place] = nil }
        for place in open.entries.keys.filter(isGone) { open.remove(place) }
        if let lastProbe, isGone(lastProbe) { self.lastProbe = nil }
    }

    /// Another instance has these partitions already: what was not written down of them is not to be.
    package mutating func dropOperations(of partitions: Set<Int32>) {
        operations.removeAll { partitions.contains($0.place.partition) }
        operationsFootprint = operations.reduce(0) { $0 + $1.footprint }
    }

    /// What is not on its way of partitions that are about to go stays where it is, as holes.
    mutating func withholdReleased() {
        guard let releasing = share?.releasing, !releasing.isEmpty else { return }
        for tried in returned where releasing.contains(tried.event.place.partition) {
            share?.withheld.append(tried.event.place)
        }
        returned.removeAll { releasing.contains($0.event.place.partition) }
        share?.withheld += holesToLoad.filter { releasing.contains($0.partition) }
        holesToLoad.removeAll { releasing.contains($0.partition) }
    }

    /// The order of keys is made out again from what is there now.
    mutating func orderAnew() {
        isFreshBlocked = false
        guard policy.ordersByKey else { return }
        dissolveLanes()
        needsLanes = true
    }

    // MARK: standing

    /// The target was switched on or off elsewhere.
    package mutating func adopt(isPaused: Bool, disabledReason: String?) {
        guard isPaused != self.isPaused || disabledReason != self.disabledReason else { return }
        self.isPaused = isPaused
        self.disabledReason = disabledReason
        isDirty = true
        if !isActive { forgetUnsent() }
    }

    /// A dead letter is too old to be kept.
    mutating func trim(_ place: RecordPlace) {
        guard owns(place) else { return }
        add(.trim(place))
    }
}

extension StateOperation {
    /// Which event it is about.
    package var place: RecordPlace {
        switch self {
        case .open(let entry, _, _), .postpone(let entry, _), .requeue(let entry, _): entry.place
        case .close(let place), .discard(let place), .trim(let place): place
        case .bury(let letter): letter.place
        case .record(let entry): entry.place
        }
    }
}
