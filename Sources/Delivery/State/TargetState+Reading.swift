package import EventLog
package import Targets

extension TargetState {
    /// How many events of the log are wanted now; 0 while there is enough to do or nothing may be sent. Asking only for
    /// half a window or more keeps targets that are equally fast on one shared reader.
    package func room(_ now: Moment) -> Int {
        let free = policy.windowSize - backlog.count
        guard holesToLoad.isEmpty, !isUncommittedFull, !isBacklogFull else { return 0 }
        if let expiry, expiry.reaches(beyond: readPosition) { return free }
        guard isActive else { return 0 }
        switch health.mode {
        case .running: return canRead ? free : 0
        case .waiting(let until):
            return until <= now.monotonicMs && backlog.isEmpty && canRead ? min(free, 16) : 0
        case .probing: return 0
        }
    }

    /// No more is read before some of it is sent.
    var isBacklogFull: Bool {
        (policy.windowSize - backlog.count) * 2 < policy.windowSize || backlog.footprint * 2 > policy.windowFootprint
    }

    /// An event some route takes for this target.
    package mutating func take(_ event: LoggedEvent, _ routes: RouteSet) {
        advanceRead(event.place)
        backlog.append(.taken(event, routes, dueMs: gatherUntilMs(event)))
    }

    /// A wait that a restart, or the target's own fault, has interrupted is not begun anew; old events still wait a moment,
    /// so that many of them go together.
    private func gatherUntilMs(_ event: LoggedEvent) -> Int64 {
        guard let every = policy.batch?.everyMs else { return 0 }
        let left = every - max(0, seen.wallMs - event.receivedAtMs)
        return seen.monotonicMs + max(left, min(every, 1000))
    }

    /// An event no route takes for this target.
    package mutating func pass(_ place: RecordPlace, isSystem: Bool = false) {
        advanceRead(place)
        if backlog.isEmpty {
            position.offsets[Int(place.partition)] = place.offset + 1
            count(\.filtered, place.partition, isSystem: isSystem)
            isDirty = true
        } else {
            append(place.partition, to: place.offset + 1, \.filtered, isSystem: isSystem)
        }
    }

    /// An event that a route took and the target itself does not take.
    package mutating func refuse(_ event: LoggedEvent, _ routes: RouteSet, _ reason: FilteredReason) {
        advanceRead(event.place)
        backlog.append(.refused(RefusedEvent(event, routes, reason)))
    }

    /// An event whose content a person removed.
    package mutating func discard(_ place: RecordPlace, isSystem: Bool = false) {
        advanceRead(place)
        append(place.partition, to: place.offset + 1, \.discarded, isSystem: isSystem)
    }

    /// An event that a replay leaves out, or the repeat of one before it.
    package mutating func skip(_ place: RecordPlace, isSystem: Bool = false) {
        advanceRead(place)
        append(place.partition, to: place.offset + 1, \.skipped, isSystem: isSystem)
    }

    /// Passes an event that is known from who owned its partition before.
    /// - Returns: false for any other event.
    mutating func passKnown(_ place: RecordPlace, isSystem: Bool) -> Bool {
        guard share?.ahead.isEmpty == false, share?.ahead[place] != nil else { return false }
        advanceRead(place)
        backlog.append(.known(place, isSystem: isSystem))
        return true
    }

    /// `count` events of a partition before `offset` that the log no longer holds.
    package mutating func lose(_ partition: Int32, before offset: Int64, count: Int64) {
        let known = knownPlaces(partition, before: offset)
        readPosition.offsets[Int(partition)] = max(readPosition.offsets[Int(partition)], offset)
        append(partition, to: offset, \.expired, isSystem: false, count: count - Int64(known.count))
        for (place, isSystem) in known { backlog.append(.known(place, isSystem: isSystem)) }
    }

    private mutating func append(
        _ partition: Int32, to offset: Int64, _ ending: WritableKeyPath<TargetCounters, Int64>, isSystem: Bool,
        count: Int64 = 1
    ) {
        var counts = TargetCounters()
        counts.count(ending, isSystem: isSystem, by: count)
        backlog.append(.settled(partition: partition, to: offset, counts))
    }

    /// A read ended: the log holds nothing more before `next` than what was handed over.
    package mutating func endRead(at next: LogPosition, _ now: Moment) {
        readPosition = next
        settle(now)
        guard backlog.isEmpty, position != next else { return }
        if share == nil {
            position = next
            isDirty = true
        } else {
            advanceShared(to: next)
        }
    }

    private mutating func advanceRead(_ place: RecordPlace) {
        assert(place.offset >= readPosition.offsets[Int(place.partition)], "the log was read backwards")
        readPosition.offsets[Int(place.partition)] = place.offset + 1
    }

    /// Finishes what stands at the head of the backlog and needs no sending.
    mutating func settle(_ now: Moment) {
        seen = now
        while !isUncommittedFull, let item = backlog.first {
            switch item {
            case .settled(let partition, let to, let counts):
                position.offsets[Int(partition)] = to
                counters += counts
                share?.counters[Int(partition)] += counts
                isDirty = true
            case .refused(let event):
                position.offsets[Int(event.place.partition)] = event.place.offset + 1
                finish(event, now)
            case .known(let place, let isSystem): passAhead(place, isSystem: isSystem)
            case .taken(let event, let routes, _):
                guard let reason = event.flaw ?? expiry?.reason(receivedAtMs: event.receivedAtMs) else { return }
                position.offsets[Int(event.place.partition)] = event.place.offset + 1
                bury(Tried(event: event, routes: routes), reason: reason, failure: nil, now)
            }
            backlog.removeFirst()
        }
    }

    // MARK: holes of an earlier run

    /// The event of a hole, read again.
    package mutating func fill(_ hole: RecordPlace, with event: LoggedEvent, _ routes: RouteSet, _ now: Moment) {
        guard forget(hole) else { return }
        isDirty = true
        let tried = Tried(event: event, routes: routes)
        if let flaw = event.flaw {
            bury(tried, reason: flaw, failure: nil, now)
        } else {
            returned.append(tried)
        }
    }

    /// There is nothing to deliver at a hole.
    /// - Parameter ending: `filtered` when no route takes it now, `discarded` when a person removed its content, `expired`
    ///   when the log no longer holds it.
    package mutating func drop(
        _ hole: RecordPlace, as ending: WritableKeyPath<TargetCounters, Int64>, isSystem: Bool = false
    ) {
        guard forget(hole) else { return }
        count(ending, hole.partition, isSystem: isSystem)
        isDirty = true
    }

    /// The target itself does not take the event of a hole.
    package mutating func refuse(
        _ hole: RecordPlace, _ event: LoggedEvent, _ routes: RouteSet, _ reason: FilteredReason, _ now: Moment
    ) {
        guard forget(hole) else { return }
        finish(RefusedEvent(event, routes, reason), now)
    }

    // MARK: what the target does not take any more

    /// The target does not take the event of this attempt now, whatever was so when it came: nothing was sent.
    package mutating func refuse(_ ticket: AttemptTicket, _ reason: FilteredReason, _ now: Moment) {
        switch release(ticket) {
        case .free, .abandoned: return
        case .window(let tried):
            let place = tried.event.place
            health.learnedNothing(place, now)
            finish(RefusedEvent(tried.event, tried.routes, reason), tries: tried.tries - 1, now)
            leaveLane(key(of: tried), place)
        case .open(let place):
            health.learnedNothing(place, now)
            guard let entry = open[place] else { return }
            open.remove(place)
            recount(place, isSystem: entry.isSystem, to: .refused(reason))
            add(.close(place))
            recordRefusal(HistoryEntry(entry, .filtered, now), reason)
            leaveLane(entry.key, place)
        }
    }

    private mutating func finish(_ event: RefusedEvent, tries: Int = 0, _ now: Moment) {
        count(.refused(event.reason), event.place.partition, isSystem: event.isSystem)
        isDirty = true
        recordRefusal(
            HistoryEntry(
                place: event.place, id: event.id, type: event.type, source: event.source,
                receivedAtMs: event.receivedAtMs, state: .filtered, attempts: tries, atMs: now.wallMs, durationMs: 0,
                routes: event.routes), event.reason)
    }

    private mutating func recordRefusal(_ entry: HistoryEntry, _ reason: FilteredReason) {
        var entry = entry
        entry.reason = reason.rawValue
        entry.isAttempt = false
        add(.record(entry))
    }

    private mutating func forget(_ hole: RecordPlace) -> Bool {
        guard let index = holesToLoad.firstIndex(of: hole) else { return false }
        holesToLoad.remove(at: index)
        return true
    }
}
