internal import EventLog

/// What a person decides about dead letters. Counters follow, so that the accounts balance at every moment.
extension TargetState {
    /// Whether another dead letter can be taken back.
    package var canRequeue: Bool { open.failedCount < policy.openSize && !isUncommittedFull }

    /// The event is tried again, with all its tries, however old it is. It is in no order with others of its key.
    package mutating func requeue(_ letter: DeadLetterRow, _ routes: RouteSet, _ now: Moment) {
        guard open[letter.place] == nil else { return }
        let entry = OpenEntry(
            place: letter.place, id: letter.event, type: letter.type, source: letter.source,
            receivedAtMs: letter.receivedAtMs, routes: routes, tries: letter.attempts, counted: 0, firstTried: now,
            dueMs: now.monotonicMs, reason: letter.reason, size: letter.payload.count, requeuedAtMs: now.wallMs)
        recount(entry.place, isSystem: entry.isSystem, from: .dead, to: .pending)
        open.put(entry)
        add(.requeue(entry, nextAtMs: now.wallMs))
        var history = HistoryEntry(entry, .pending, now)
        history.reason = letter.reason
        history.status = letter.status
        history.nextAtMs = now.wallMs
        history.isAttempt = false
        add(.record(history))
    }

    /// The event is given up for good.
    package mutating func discard(_ letter: DeadLetterRow, _ routes: RouteSet, _ now: Moment) {
        let isSystem = LogRecord.isSystem(letter.type)
        recount(letter.place, isSystem: isSystem, from: .dead, to: .discarded)
        add(.discard(letter.place))
        add(
            .record(
                HistoryEntry(
                    place: letter.place, id: letter.event, type: letter.type, source: letter.source,
                    receivedAtMs: letter.receivedAtMs, state: .discarded, attempts: letter.attempts, atMs: now.wallMs,
                    status: letter.status, reason: letter.reason, durationMs: 0, routes: routes, isAttempt: false)))
    }
}
