internal import EventLog
package import Targets

/// Events that go together. They stay in the log until they go, so that gathering costs no place and survives a crash.
extension TargetState {
    /// All events of the next request: those that were on their way before, then single ones that failed, then new ones
    /// once there are enough of them or the first has waited long enough.
    mutating func nextBatch(_ now: Moment) -> [Attempt] {
        if !returned.isEmpty { return batchOfReturned(now) }
        if openInFlight < retryShare {
            let retries = batchOfRetries(now)
            if !retries.isEmpty { return retries }
        }
        return isGathered(now) ? batchOfFresh(now) : []
    }

    private mutating func batchOfReturned(_ now: Moment) -> [Attempt] {
        var attempts: [Attempt] = []
        var size = BatchSize(policy.batch, batchLimit)
        while let next = returned.first, size.takes(next.event.payload.count) {
            attempts.append(start(returned.removeFirst(), now))
        }
        return attempts
    }

    /// An event that was refused by itself is tried by itself.
    private mutating func batchOfRetries(_ now: Moment) -> [Attempt] {
        var attempts: [Attempt] = []
        var size = BatchSize(policy.batch, batchLimit)
        while let next = open.firstDue(now), attempts.isEmpty || next.counted == 0, size.takes(next.size),
            let attempt = nextRetry(now)
        {
            attempts.append(attempt)
            if next.counted > 0 { break }
        }
        return attempts
    }

    private mutating func batchOfFresh(_ now: Moment) -> [Attempt] {
        var attempts: [Attempt] = []
        var size = BatchSize(policy.batch, batchLimit)
        while let attempt = nextFresh(now, where: { size.takes($0) }) {
            attempts.append(attempt)
            settle(now)
        }
        return attempts
    }

    /// Whether enough new events are there for a request, or have waited long enough.
    func isGathered(_ now: Moment) -> Bool {
        guard let batch = policy.batch, canStartFresh, !isFreshBlocked else { return false }
        return backlog.takenCount >= batchLimit || backlog.takenBytes >= batch.maximumBytes || isBacklogFull
            || gatheredDueMs.map { $0 <= now.monotonicMs } ?? false
    }

    /// When the first of the gathered events has waited long enough; nil while there is none.
    var gatheredDueMs: Int64? {
        guard policy.batch != nil, canStartFresh, !isFreshBlocked, case .taken(_, _, let dueMs)? = backlog.first else {
            return nil
        }
        return dueMs
    }

    // MARK: outcomes

    /// How a request of several events ended. Tickets that are not under way change nothing.
    package mutating func finish(_ tickets: [AttemptTicket], _ outcome: BatchOutcome, _ now: Moment) {
        batchUnderway = requestedBatch(tickets, outcome)
        defer { batchUnderway = nil }
        switch outcome {
        case .each(let outcomes):
            for (ticket, outcome) in zip(tickets, outcomes) { finish(ticket, outcome, now) }
            growBatches()
        case .all(.failed(let failure)) where tickets.count > 1: failedTogether(tickets, failure, now)
        case .all(let outcome):
            for ticket in tickets { finish(ticket, outcome, now) }
            if case .delivered = outcome { growBatches() }
        }
    }

    /// Nil for a batch of one, and where each event was sent by itself.
    private func requestedBatch(_ tickets: [AttemptTicket], _ outcome: BatchOutcome) -> RequestedBatch? {
        guard tickets.count > 1, let exchange = outcome.sharedExchange else { return nil }
        let places = tickets.compactMap { place(of: $0) }
        return places.count == tickets.count ? RequestedBatch(places, exchange) : nil
    }

    private mutating func growBatches() {
        batchLimit = min(policy.batch?.maximumEvents ?? 1, batchLimit * 2)
    }

    /// Nobody knows which of them is to blame. When it is one of the events, halves find it, and no other pays for it; when
    /// it is the target, they wait as one.
    private mutating func failedTogether(_ tickets: [AttemptTicket], _ failure: DeliveryFailure, _ now: Moment) {
        var window: [Tried] = []
        var entries: [OpenEntry] = []
        for ticket in tickets {
            switch release(ticket) {
            case .free, .abandoned: break
            case .window(let tried): window.append(tried)
            case .open(let place): if let entry = open[place] { entries.append(entry) }
            }
        }
        guard let place = window.first?.event.place ?? entries.first?.place else { return }
        let isFirst = window.contains { $0.tries == 1 }
        switch failure.blame {
        case .event:
            batchLimit = max(1, tickets.count / 2)
            if failure.status == nil {
                health.learnedNothing(place, now)
            } else {
                health.answered(place, isFirst: isFirst)
            }
        case .gone: disable(failure, place, now)
        case .target:
            health.failed(
                place, code: failure.code, isFirst: isFirst, pauseMs: pauseMs(failure), isWhole: true, now, policy,
                &random)
        }
        takeBack(window, failure, now)
        for entry in entries { takeBack(entry, failure, now) }
        forgetUnsentWhileWaiting()
    }

    private mutating func takeBack(_ window: [Tried], _ failure: DeliveryFailure, _ now: Moment) {
        var kept: [Tried] = []
        for tried in window {
            if let reason = surrenderReason(tried, failure, now) {
                bury(tried, reason: reason, failure: failure, now)
            } else {
                if !waitsBehindRequest(tried, now) { kept.append(tried) }
                let dueMs = waitingUntilMs ?? now.monotonicMs
                record(HistoryEntry(tried, .pending, now), failure, dueMs: dueMs, now)
            }
        }
        returned.insert(contentsOf: kept, at: 0)
    }

    private mutating func takeBack(_ entry: OpenEntry, _ failure: DeliveryFailure, _ now: Moment) {
        var entry = entry
        entry.tries += 1
        entry.reason = failure.code
        entry.isInFlight = false
        if let reason = surrenderReason(entry, failure, now) {
            bury(entry, reason: reason, failure: failure, now)
        } else {
            let wait = failure.blame == .event ? 0 : retryDelayMs(entry, failure, counts: false)
            entry.dueMs = now.monotonicMs + wait
            open.put(entry)
            add(.postpone(entry, nextAtMs: wallMs(of: entry.dueMs, now)))
            record(HistoryEntry(entry, .pending, now), failure, dueMs: entry.dueMs, now)
        }
    }
}

/// What one request has room for.
private struct BatchSize {
    private var events: Int
    private var bytes: Int
    private var isEmpty = true

    init(_ policy: BatchPolicy?, _ limit: Int) {
        events = min(policy?.maximumEvents ?? 1, max(1, limit))
        bytes = policy?.maximumBytes ?? 0
    }

    /// Counts the event in if there is room. One that is larger than a whole batch goes by itself.
    mutating func takes(_ size: Int) -> Bool {
        guard events > 0, isEmpty || size <= bytes else { return false }
        isEmpty = false
        events -= 1
        bytes -= size
        return true
    }
}
