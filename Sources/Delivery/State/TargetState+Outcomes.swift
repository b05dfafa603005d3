internal import EventLog
package import Targets

extension TargetState {
    /// How the attempt ended. A ticket that is not under way changes nothing.
    package mutating func finish(_ ticket: AttemptTicket, _ outcome: DeliveryOutcome, _ now: Moment) {
        let request = request(of: ticket)
        switch (release(ticket), outcome) {
        case (.free, _), (.abandoned, _): return
        case (.window(let tried), .delivered(let receipt)) where isWatched(receipt):
            handedOver(tried, request, receipt, now)
        case (.open(let place), .delivered(let receipt)) where isWatched(receipt):
            handedOver(place, request, receipt, now)
        case (.window(let tried), .delivered(let receipt)): delivered(tried, request, receipt, now)
        case (.window(let tried), .failed(let failure)): failed(tried, request, failure, now)
        case (.open(let place), .delivered(let receipt)): delivered(place, request, receipt, now)
        case (.open(let place), .failed(let failure)): failed(place, request, failure, now)
        }
    }

    /// The open event of this attempt is gone: somebody removed its text.
    package mutating func vanish(_ ticket: AttemptTicket, _ now: Moment) {
        guard case .open(let place) = release(ticket) else { return }
        health.learnedNothing(place, now)
        guard open[place] != nil else { return }
        let key = open[place]?.key
        recount(place, isSystem: open[place]?.isSystem ?? false, to: .discarded)
        open.remove(place)
        add(.close(place))
        leaveLane(key, place)
    }

    /// The attempt was never made; the same event is tried again later.
    package mutating func abandon(_ ticket: AttemptTicket, _ now: Moment) {
        switch release(ticket) {
        case .free, .abandoned: return
        case .window(var tried):
            tried.tries -= 1
            health.learnedNothing(tried.event.place, now)
            if !waitsBehindRequest(tried, now) { returned.insert(tried, at: 0) }
        case .open(let place):
            health.learnedNothing(place, now)
            guard var entry = open[place] else { return }
            entry.isInFlight = false
            entry.dueMs = now.monotonicMs + policy.retry.baseMs
            open.put(entry)
        }
    }

    // MARK: events from the log

    private mutating func delivered(_ tried: Tried, _ request: UInt64, _ receipt: DeliveryReceipt, _ now: Moment) {
        health.succeeded(tried.event.place, request: request, isFirst: tried.tries == 1)
        count(\.delivered, tried.event.place.partition, isSystem: tried.event.isSystem)
        record(HistoryEntry(tried, .delivered, now), receipt)
        leaveLane(key(of: tried), tried.event.place)
    }

    private mutating func failed(_ tried: Tried, _ request: UInt64, _ failure: DeliveryFailure, _ now: Moment) {
        var tried = tried
        let counts = judge(failure, tried.event.place, request, isFirst: tried.tries == 1, &tried.record, now)
        let isSpent = counts && policy.attempts <= 1
        let reason = isSpent ? failure.code : surrenderReason(tried, failure, now)
        if let reason {
            bury(tried, reason: reason, failure: failure, now)
        } else if counts || (isActive && health.isRunning) {
            openUp(tried, failure, counts: counts, now)
        } else {
            if !waitsBehindRequest(tried, now) { returned.append(tried) }
            record(HistoryEntry(tried, .pending, now), failure, dueMs: waitingUntilMs, now)
        }
        forgetUnsentWhileWaiting()
    }

    private mutating func openUp(_ tried: Tried, _ failure: DeliveryFailure, counts: Bool, _ now: Moment) {
        var entry = openEntry(tried, reason: failure.code, now)
        entry.counted = counts ? 1 : 0
        entry.dueMs = now.monotonicMs + retryDelayMs(entry, failure, counts: counts)
        moveToOpenSet(entry, tried.event, now)
        record(HistoryEntry(tried, .pending, now), failure, dueMs: entry.dueMs, now)
    }

    /// One that holds its place while the whole target waits makes room for another.
    mutating func setAside(_ tried: Tried, _ now: Moment) {
        let entry = openEntry(tried, reason: health.lastFailure ?? "failing", now)
        moveToOpenSet(entry, tried.event, now)
    }

    /// - Returns: due at once.
    func openEntry(_ tried: Tried, reason: String, _ now: Moment) -> OpenEntry {
        let event = tried.event
        return OpenEntry(
            place: event.place, id: event.id, type: event.type, source: event.source,
            receivedAtMs: event.receivedAtMs, routes: tried.routes, tries: tried.tries, counted: 0,
            firstTried: tried.firstTried ?? now, dueMs: now.monotonicMs, reason: reason, size: event.payload.count,
            key: event.orderKey, record: tried.record)
    }

    private mutating func moveToOpenSet(_ entry: OpenEntry, _ event: LoggedEvent, _ now: Moment) {
        var entry = entry
        if policy.ordersByKey, let key = entry.key, !lanes.enter(key, entry.place) {
            // Order was asked for while several of the key were on their way.
            entry.waitsForKey = true
            lanes.lineJoined(entry.place, key)
        }
        open.put(entry)
        add(.open(entry, payload: event.payload, nextAtMs: wallMs(of: entry.dueMs, now)))
        if policy.ordersByKey, let key = entry.key { followIntoOpenSet(key, now) }
    }

    // MARK: open events

    mutating func delivered(
        _ place: RecordPlace, _ request: UInt64, _ receipt: DeliveryReceipt, _ now: Moment
    ) {
        guard var entry = open[place] else { return }
        health.succeeded(place, request: request, isFirst: entry.tries == 0)
        entry.tries += 1
        open.remove(place)
        recount(place, isSystem: entry.isSystem, to: .delivered)
        add(.close(place))
        record(HistoryEntry(entry, .delivered, now), receipt)
        leaveLane(entry.key, place)
    }

    mutating func failed(
        _ place: RecordPlace, _ request: UInt64, _ failure: DeliveryFailure, _ now: Moment
    ) {
        guard var entry = open[place] else { return }
        // Nothing has failed before for what was only lost: it counts as if it were new.
        let isFirst = entry.tries == 0 || entry.handover == .lost
        let counts = judge(failure, place, request, isFirst: isFirst, &entry.record, now)
        entry.handover = .none
        entry.tries += 1
        entry.counted += counts ? 1 : 0
        entry.reason = failure.code
        entry.isInFlight = false
        if let reason = entry.counted >= policy.attempts ? failure.code : surrenderReason(entry, failure, now) {
            bury(entry, reason: reason, failure: failure, now)
        } else {
            entry.dueMs = now.monotonicMs + retryDelayMs(entry, failure, counts: counts)
            open.put(entry)
            add(.postpone(entry, nextAtMs: wallMs(of: entry.dueMs, now)))
            record(HistoryEntry(entry, .pending, now), failure, dueMs: entry.dueMs, now)
        }
        forgetUnsentWhileWaiting()
    }

    // MARK: judging

    /// Whose fault it is. A failure by the target's fault that only this event meets, while others get through, counts
    /// against the event: at once when too many have failed. Each needs a success of its own since the event's failure
    /// before it: without one the target may be out of reach, and no event dies of that.
    /// - Returns: whether it counts against the event.
    private mutating func judge(
        _ failure: DeliveryFailure, _ place: RecordPlace, _ request: UInt64, isFirst: Bool,
        _ record: inout FailureRecord, _ now: Moment
    ) -> Bool {
        switch failure.blame {
        case .event:
            if failure.status == nil {
                health.learnedNothing(place, now)
            } else {
                health.answered(place, isFirst: isFirst)
            }
            return true
        case .gone:
            disable(failure, place, now)
            return false
        case .target:
            let wasAlone = record.request.map { health.newestSuccess > $0 } ?? false
            if wasAlone { record.timesAlone += 1 }
            record.request = request
            health.failed(
                place, code: failure.code, isFirst: isFirst, pauseMs: pauseMs(failure), now, policy, &random)
            if isFirst { holdFresh(now) }
            return wasAlone && (health.isConvicted(failedAlone: record.timesAlone) || isOpenSetFull)
        }
    }

    /// The target said that it is gone.
    mutating func disable(_ failure: DeliveryFailure, _ place: RecordPlace, _ now: Moment) {
        health.learnedNothing(place, now)
        disabledReason = failure.code
        isDirty = true
    }

    func pauseMs(_ failure: DeliveryFailure) -> Int64? {
        if let asked = failure.retryAfter { return min(max(0, asked.milliseconds), policy.retryAfterCapMs) }
        return failure.status == 429 ? 0 : nil
    }

    /// Why an event that failed is not tried again although its tries are not used up.
    private func surrenderReason(_ receivedAtMs: Int64, _ firstTried: Moment, _ blame: Blame, _ now: Moment) -> String?
    {
        if let reason = expiry?.reason(receivedAtMs: receivedAtMs) { return reason }
        guard blame == .target, let limit = policy.giveUpAfterMs, now.monotonicMs - firstTried.monotonicMs >= limit
        else { return nil }
        return Expiry.gaveUp
    }

    func surrenderReason(_ tried: Tried, _ failure: DeliveryFailure, _ now: Moment) -> String? {
        surrenderReason(tried.event.receivedAtMs, tried.firstTried ?? now, failure.blame, now)
    }

    func surrenderReason(_ entry: OpenEntry, _ failure: DeliveryFailure, _ now: Moment) -> String? {
        surrenderReason(entry.waitsSinceMs, entry.firstTried, failure.blame, now)
    }

    /// - Parameter counts: it is the event's fault.
    mutating func retryDelayMs(_ entry: OpenEntry, _ failure: DeliveryFailure, counts: Bool) -> Int64 {
        let round = counts ? entry.counted : entry.tries
        return max(policy.retry.delayMs(round: round, using: &random), pauseMs(failure) ?? 0)
    }

    /// What was read ahead would only take memory while nothing is sent.
    mutating func forgetUnsentWhileWaiting() {
        if !isActive || waitingUntilMs != nil { forgetUnsent() }
    }

    var waitingUntilMs: Int64? {
        if case .waiting(let until) = health.mode { return until }
        return nil
    }

    // MARK: writing down

    mutating func bury(_ tried: Tried, reason: String, failure: DeliveryFailure?, _ now: Moment) {
        let event = tried.event
        count(\.dead, event.place.partition, isSystem: event.isSystem)
        add(
            .bury(
                DeadLetter(
                    place: event.place, id: event.id, type: event.type, source: event.source,
                    receivedAtMs: event.receivedAtMs, routes: tried.routes, atMs: now.wallMs, reason: reason,
                    attempts: tried.tries, status: failure?.status, message: failure?.message ?? "",
                    response: failure?.response ?? [], payload: .text(event.payload))))
        recordDeath(HistoryEntry(tried, .dead, now), failure, reason: reason)
        leaveLane(key(of: tried), event.place)
    }

    mutating func bury(_ entry: OpenEntry, reason: String, failure: DeliveryFailure?, _ now: Moment) {
        recount(entry.place, isSystem: entry.isSystem, to: .dead)
        open.remove(entry.place)
        add(
            .bury(
                DeadLetter(
                    place: entry.place, id: entry.id, type: entry.type, source: entry.source,
                    receivedAtMs: entry.receivedAtMs, routes: entry.routes, atMs: now.wallMs, reason: reason,
                    attempts: entry.tries, status: failure?.status, message: failure?.message ?? "",
                    response: failure?.response ?? [], payload: .openRow)))
        recordDeath(HistoryEntry(entry, .dead, now), failure, reason: reason)
        leaveLane(entry.key, entry.place)
    }

    /// It has not been tried yet: others of its key are before it.
    mutating func recordWaiting(_ tried: Tried, _ now: Moment) {
        var entry = HistoryEntry(tried, .pending, now)
        entry.reason = Self.waitsForKey
        entry.isAttempt = false
        add(.record(entry))
    }

    /// An event that dies of something else than how its last attempt failed: both are told.
    private mutating func recordDeath(_ entry: HistoryEntry, _ failure: DeliveryFailure?, reason: String) {
        guard let failure, failure.code != reason else { return record(entry, failure, reason: reason) }
        var attempt = entry
        attempt.state = .pending
        record(attempt, failure)
        var death = entry
        death.status = failure.status
        death.reason = reason
        death.durationMs = failure.duration.milliseconds
        death.isAttempt = false
        add(.record(death))
    }

    mutating func record(_ entry: HistoryEntry, _ receipt: DeliveryReceipt) {
        var entry = entry
        entry.status = receipt.status
        entry.durationMs = receipt.duration.milliseconds
        entry.exchange = receipt.exchange
        entry.batch = batchUnderway
        add(.record(entry))
    }

    mutating func record(
        _ entry: HistoryEntry, _ failure: DeliveryFailure?, reason: String? = nil, dueMs: Int64? = nil,
        _ now: Moment? = nil
    ) {
        var entry = entry
        entry.status = failure?.status
        entry.reason = reason ?? failure?.code
        entry.durationMs = failure?.duration.milliseconds ?? 0
        entry.isAttempt = failure != nil
        entry.exchange = failure?.exchange
        entry.batch = failure == nil ? nil : batchUnderway
        if let dueMs, let now { entry.nextAtMs = wallMs(of: dueMs, now) }
        add(.record(entry))
    }

    func wallMs(of monotonicMs: Int64, _ now: Moment) -> Int64 {
        now.wallMs + max(0, monotonicMs - now.monotonicMs)
    }
}

extension HistoryEntry {
    init(_ tried: TargetState.Tried, _ state: DeliveryState, _ now: Moment) {
        self.init(
            place: tried.event.place, id: tried.event.id, type: tried.event.type, source: tried.event.source,
            receivedAtMs: tried.event.receivedAtMs, state: state, attempts: tried.tries, atMs: now.wallMs,
            durationMs: 0, routes: tried.routes)
    }

    init(_ entry: OpenEntry, _ state: DeliveryState, _ now: Moment) {
        self.init(
            place: entry.place, id: entry.id, type: entry.type, source: entry.source,
            receivedAtMs: entry.receivedAtMs, state: state, attempts: entry.tries, atMs: now.wallMs, durationMs: 0,
            routes: entry.routes)
    }
}
