internal import EventLog
internal import Events

/// A batch that is not answered.
struct OpenBatch {
    var outcomes: [AppendOutcome]
    /// Entries without an outcome, and one while the batch is being taken.
    var open: Int
    var failure: LogFailure?
    let arrivedAt: Int64
}

extension AppendDesk {
    /// Takes a batch; its answer is among the decisions of now or later.
    mutating func append(
        _ batch: UInt64, events: [Arrival], quarantined: [Arrival] = [], now: Int64
    ) {
        batches[batch] = OpenBatch(
            outcomes: Array(repeating: .duplicate, count: events.count), open: events.count + quarantined.count + 1,
            arrivedAt: now)
        for (index, arrival) in events.enumerated() { take(arrival, Waiter(batch: batch, index: index), now: now) }
        for arrival in quarantined { take(arrival, Waiter(batch: batch, index: nil), now: now) }
        settle(batch, now: now)
    }

    /// Publishes something that nobody waits for, if Kafka takes it at present.
    mutating func publish(_ arrival: Arrival, now: Int64) {
        let token = newToken()
        var entry = Entry(arrival: arrival, arrivedAt: now)
        entry.isCounted = true
        entries[token] = entry
        let lane = lanes[arrival.lane]
        guard !lane.isStalled, lane.unhanded == 0, !isKafkaAway else { return remove(token) }
        lanes[arrival.lane].waiting.append(token)
        lanes[arrival.lane].waitingCount += 1
        queue(arrival.lane)
    }

    private mutating func take(_ arrival: Arrival, _ waiter: Waiter, now: Int64) {
        let id = arrival.item.id
        if recent.contains(id, now: now) {
            counters.duplicate(arrival.item)
            return settle(waiter.batch, now: now)
        }
        if let token = pending[id] { return join(token, waiter, now: now) }
        let token = newToken()
        entries[token] = Entry(arrival: arrival, arrivedAt: now, waiters: [waiter])
        pending[id] = token
        route(token, arrival.lane, now: now)
    }

    /// A repeat of what is still under way shares its fate.
    private mutating func join(_ token: UInt64, _ waiter: Waiter, now: Int64) {
        guard let entry = entries[token] else { return }
        entries[token]?.waiters.append(waiter)
        // Nobody waited for it any more: it was given up, and only the producer still has it.
        guard entry.waiters.isEmpty, case .no = entry.spool, lanes[entry.arrival.lane].isStalled else { return }
        if settings.spools { write(token) } else { failWaiters(of: token, Self.notAcknowledged, now: now) }
    }

    /// To the producer, or into the spool behind what is there of its lane.
    private mutating func route(_ token: UInt64, _ number: Int, now: Int64) {
        let lane = lanes[number]
        // While Kafka is away and nothing can be kept here, one event a lane finds out whether it is back.
        let isProbe = lane.inFlight == 0 && lane.waitingCount == 0 && (!settings.spools || isSpoolFailing)
        guard lane.isStalled || lane.unhanded > 0 || isKafkaAway && !isProbe else {
            lanes[number].waiting.append(token)
            lanes[number].waitingCount += 1
            return queue(number)
        }
        guard settings.spools else {
            failWaiters(of: token, Self.notAcknowledged, now: now)
            return remove(token)
        }
        // What went directly before goes into the spool before.
        if !lane.isStalled, lane.unhanded == 0, lane.inFlight + lane.waitingCount > 0 { stall(number, now: now) }
        write(token)
    }

    static let notAcknowledged = LogFailure(
        .unavailable, "Kafka does not acknowledge, and there is no spool (`spool: off`)", retryAfterSeconds: 2)

    mutating func queue(_ lane: Int) {
        guard !lanes[lane].isQueued, lanes[lane].waitingCount > 0 else { return }
        lanes[lane].isQueued = true
        if settings.lanes.isUrgent(lane) { urgentSendable.append(lane) } else { sendable.append(lane) }
    }

    mutating func remove(_ token: UInt64) {
        guard let entry = entries.removeValue(forKey: token) else { return }
        let id = entry.arrival.item.id
        if pending[id] == token { pending[id] = nil }
    }

    // MARK: Answers

    /// The entry is in Kafka or synced in the spool: whoever waits for it is answered.
    mutating func becameDurable(_ token: UInt64, place: RecordPlace?, now: Int64) {
        guard let entry = entries[token] else { return }
        let item = entry.arrival.item
        recent.add(item.id, place: place, now: now)
        if !entry.isCounted { counters.accepted(item) }
        entries[token]?.isCounted = true
        entries[token]?.waiters = []
        let unknown = RecordPlace(partition: Int32(entry.arrival.lane), offset: -1)
        for (position, waiter) in entry.waiters.enumerated() {
            if position == 0, !entry.isCounted {
                if let index = waiter.index { batches[waiter.batch]?.outcomes[index] = .appended(place ?? unknown) }
            } else {
                counters.duplicate(item)
            }
            settle(waiter.batch, now: now)
        }
    }

    mutating func failWaiters(of token: UInt64, _ failure: LogFailure, now: Int64) {
        guard let waiters = entries[token]?.waiters else { return }
        entries[token]?.waiters = []
        for waiter in waiters {
            if batches[waiter.batch]?.failure == nil { batches[waiter.batch]?.failure = failure }
            settle(waiter.batch, now: now)
        }
    }

    private mutating func settle(_ number: UInt64, now: Int64) {
        batches[number]?.open -= 1
        guard let batch = batches[number], batch.open == 0 else { return }
        batches[number] = nil
        if let failure = batch.failure { return decide(.answer(batch: number, .failure(failure))) }
        counters.answered(after: now - batch.arrivedAt)
        decide(.answer(batch: number, .success(batch.outcomes)))
    }
}
