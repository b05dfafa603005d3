internal import EventLog

/// What a replay asks of the state of its target, and of its own.
extension TargetState {
    /// Places before the position that are not finished, the open set among them.
    var unfinishedPlaces: Set<RecordPlace> {
        var places = Set(cursor.holes)
        places.formUnion(open.entries.keys)
        return places
    }

    /// Something could be sent if it were allowed now.
    var hasUnsent: Bool { !backlog.isEmpty || !returned.isEmpty || open.count - open.sentCount > openInFlight }

    /// The next request of a replay. It counts on from those of the target itself, so that what the target takes of its own
    /// events tells that one of the replay's is bad.
    mutating func nextRequest(_ now: Moment, after target: inout TargetState) -> [Attempt] {
        lastRequest = max(lastRequest, target.lastRequest)
        health.noteSuccess(of: target.health.newestSuccess)
        defer { target.lastRequest = lastRequest }
        return nextRequest(now)
    }

    /// The target said, of an event of a replay, that it is gone.
    mutating func switchOff(_ reason: String) {
        guard disabledReason == nil else { return }
        disabledReason = reason
        isDirty = true
        forgetUnsent()
    }

    /// Gives up everything before the position that is not finished. Nothing is on its way.
    mutating func discardUnfinished(_ now: Moment) {
        counters.discarded += Int64(holesToLoad.count)
        isDirty = isDirty || !holesToLoad.isEmpty
        holesToLoad = []
        for tried in returned + lanes.parked {
            counters.discarded += 1
            var history = HistoryEntry(tried, .discarded, now)
            history.isAttempt = false
            add(.record(history))
        }
        returned = []
        lanes.removeAll()
        for entry in open.entries.values {
            // What the position has not passed is not looked at any more.
            if position.isPast(entry.place) { counters.discarded += 1 }
            add(.close(entry.place))
            var history = HistoryEntry(entry, .discarded, now)
            history.isAttempt = false
            add(.record(history))
        }
        open = OpenSet()
        forgetUnsent()
    }
}
