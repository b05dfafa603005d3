package import EventLog
package import Events

/// One attempt under way. A serial number tells a late or repeated outcome from the one that is expected.
package struct AttemptTicket: Sendable, Hashable {
    fileprivate var slot: Int
    fileprivate var serial: UInt32
}

/// What is to be sent now.
package struct Attempt: Sendable {
    package enum Content: Sendable {
        case event(LoggedEvent)
        /// The text is in the open row.
        case open(RecordPlace)
    }

    package var ticket: AttemptTicket
    package var content: Content
    package var routes: RouteSet
    /// Counts from 1.
    package var number: Int
}

/// Which event an attempt is about.
package struct AttemptedEvent: Sendable {
    package var id: EventID
    package var receivedAtMs: Int64
    package var isSystem: Bool
}

extension TargetState {
    /// Nil when the attempt is not under way.
    package func event(of ticket: AttemptTicket) -> AttemptedEvent? {
        guard slots.indices.contains(ticket.slot), slots[ticket.slot].serial == ticket.serial else { return nil }
        switch slots[ticket.slot].content {
        case .free, .abandoned: return nil
        case .window(let tried):
            return AttemptedEvent(
                id: tried.event.id, receivedAtMs: tried.event.receivedAtMs, isSystem: tried.event.isSystem)
        case .open(let place):
            return open[place].map {
                AttemptedEvent(id: $0.id, receivedAtMs: $0.receivedAtMs, isSystem: $0.isSystem)
            }
        }
    }

    /// Nil when the attempt is not under way.
    func place(of ticket: AttemptTicket) -> RecordPlace? {
        guard slots.indices.contains(ticket.slot), slots[ticket.slot].serial == ticket.serial else { return nil }
        switch slots[ticket.slot].content {
        case .free, .abandoned: return nil
        case .window(let tried): return tried.event.place
        case .open(let place): return place
        }
    }

    package func openEntry(_ place: RecordPlace) -> OpenEntry? { open[place] }

    /// The next request to make: one attempt, or with `batch:` all that go together; empty when there is none now. Asked
    /// again until it is empty, after everything that happens.
    package mutating func nextRequest(_ now: Moment) -> [Attempt] {
        settle(now)
        if share != nil { withholdReleased() }
        buildLanes(now)
        guard canBegin, bucket?.waitMs(now) ?? 0 == 0 else { return [] }
        // Whatever is started from here on belongs to it.
        lastRequest += 1
        let attempts: [Attempt]
        switch health.mode {
        case .running where policy.batch != nil: attempts = nextBatch(now)
        case .running: attempts = nextOfRunning(now).map { [$0] } ?? []
        case .waiting(let until) where until <= now.monotonicMs:
            attempts = nextProbe(now).map { [$0] } ?? []
            if let probe = attempts.first {
                let place = place(of: probe)
                health.probe(place)
                lastProbe = place
                hasAskedForFresh = false
            }
        case .waiting, .probing: attempts = []
        }
        if !attempts.isEmpty {
            requests[lastRequest] = attempts.count
            bucket?.take(now)
        }
        return attempts
    }

    private var canBegin: Bool {
        isActive && !isUncommittedFull && isOrderKnown && hasPlace && !isCareful
    }

    /// Fewer requests are under way than may be at once.
    package var hasPlace: Bool { requestsInFlight + requestsOfReplays < policy.concurrency }

    /// Milliseconds until the rate lets another request begin; 0: now.
    package func rateWaitMs(_ now: Moment) -> Int64 { bucket?.waitMs(now) ?? 0 }

    /// A request of a replay begins, which the rate counts as well.
    package mutating func countRequestOfReplay(_ now: Moment) { bucket?.take(now) }

    /// Whether anything but its own events may be sent: it takes events, or it is time to find out and it has none to find
    /// out with.
    package func mayTakeOthers(_ now: Moment) -> Bool {
        switch health.mode {
        case .running: true
        case .waiting(let until): until <= now.monotonicMs && unfinishedBeforePosition == 0 && backlog.isEmpty
        case .probing: false
        }
    }

    /// Retries take at most half of the places, so that many poison events never keep new ones waiting.
    var retryShare: Int {
        policy.batch == nil ? max(1, policy.concurrency / 2) : policy.openSize / 2 + 1
    }

    /// What waits longest goes first.
    private mutating func nextOfRunning(_ now: Moment) -> Attempt? {
        if !returned.isEmpty { return start(returned.removeFirst(), now) }
        let hasFresh = canStartFresh
        if openInFlight < retryShare, !(hasFresh && lastWasRetry && policy.concurrency == 1), let retry = nextRetry(now)
        {
            lastWasRetry = true
            return retry
        }
        lastWasRetry = false
        return hasFresh ? nextFresh(now) : nil
    }

    /// The first event that failed, then others that were never tried, then all of them in turn: bad events must not keep
    /// the target closed, however many stand at the front.
    private mutating func nextProbe(_ now: Moment) -> Attempt? {
        let hasProbed = returned.contains { $0.event.place == lastProbe }
        guard returned.isEmpty || hasProbed else { return start(returned.removeFirst(), now) }
        if let fresh = nextFreshProbe(now) { return fresh }
        if !hasAskedForFresh, room(now) > 0 {
            hasAskedForFresh = true
            return nil
        }
        if let retry = nextRetry(now) { return retry }
        return returned.isEmpty ? nil : start(returned.removeFirst(), now)
    }

    /// The place of a new one is taken from one that failed, which goes to the open set.
    private mutating func nextFreshProbe(_ now: Moment) -> Attempt? {
        if canStartFresh, returned.count >= policy.maximumReturned { setAside(returned.removeFirst(), now) }
        if let fresh = nextFresh(now) { return fresh }
        // Behind those of the open set there is room for more of their keys.
        guard isFreshBlocked, !returned.isEmpty else { return nil }
        for tried in returned { setAside(tried, now) }
        returned = []
        isFreshBlocked = false
        return nextFresh(now)
    }

    /// The next event of the log whose key, where order matters, is free.
    /// - Parameter fits: asked of its size in bytes; when it does not, the event stays where it is.
    mutating func nextFresh(_ now: Moment, where fits: (Int) -> Bool = { _ in true }) -> Attempt? {
        while canStartFresh, case .taken(let event, let routes, _)? = backlog.first {
            let tried = Tried(event: event, routes: routes)
            let key = key(of: tried)
            let joins = mayJoin(key)
            if lanes.isFree(key) || joins, !fits(event.payload.count) { return nil }
            let hasTurn = joins || lanes.enter(key, event.place)
            if joins, let key { lanes.join(event.place, key) }
            if let key, !hasTurn, !standBehind(tried, key, now) {
                isFreshBlocked = true
                return nil
            }
            backlog.removeFirst()
            position.offsets[Int(event.place.partition)] = event.place.offset + 1
            if hasTurn { return start(tried, now) }
            isDirty = true
            settle(now)
        }
        return nil
    }

    mutating func nextRetry(_ now: Moment) -> Attempt? {
        guard let entry = open.start(now) else { return nil }
        openInFlight += 1
        return Attempt(
            ticket: occupy(.open(entry.place)), content: .open(entry.place), routes: entry.routes,
            number: entry.tries + 1)
    }

    mutating func start(_ tried: Tried, _ now: Moment) -> Attempt {
        var tried = tried
        tried.tries += 1
        if tried.firstTried == nil { tried.firstTried = now }
        letJoin(key(of: tried))
        windowInFlight += 1
        return Attempt(
            ticket: occupy(.window(tried)), content: .event(tried.event), routes: tried.routes, number: tried.tries)
    }

    private mutating func occupy(_ content: Slot.Content) -> AttemptTicket {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            slots.append(Slot(serial: firstSerial))
        }
        slots[index].content = content
        slots[index].request = lastRequest
        return AttemptTicket(slot: index, serial: slots[index].serial)
    }

    /// Which request the attempt is of.
    func request(of ticket: AttemptTicket) -> UInt64 {
        slots.indices.contains(ticket.slot) ? slots[ticket.slot].request : 0
    }

    /// Frees the slot; free when the ticket is not the one under way, or what it was of has been given up.
    mutating func release(_ ticket: AttemptTicket) -> Slot.Content {
        guard slots.indices.contains(ticket.slot), slots[ticket.slot].serial == ticket.serial else { return .free }
        var content = slots[ticket.slot].content
        switch content {
        case .free: return .free
        case .abandoned: content = .free
        case .window: windowInFlight -= 1
        case .open: openInFlight -= 1
        }
        endAttempt(of: slots[ticket.slot].request)
        isFreshBlocked = false
        slots[ticket.slot].content = .free
        slots[ticket.slot].serial &+= 1
        freeSlots.append(ticket.slot)
        return content
    }

    private mutating func endAttempt(of request: UInt64) {
        guard let index = requests.index(forKey: request) else { return }
        requests.values[index] -= 1
        if requests.values[index] == 0 { requests.remove(at: index) }
    }

    private func place(of attempt: Attempt) -> RecordPlace {
        switch attempt.content {
        case .event(let event): event.place
        case .open(let place): place
        }
    }

    /// When to ask again although nothing else happened, on the monotonic clock; nil: never.
    package mutating func wakeMs(_ now: Moment) -> Int64? {
        guard canBegin, let wake = nextDueMs(now) else { return nil }
        return max(wake, now.monotonicMs + (bucket?.waitMs(now) ?? 0))
    }

    private mutating func nextDueMs(_ now: Moment) -> Int64? {
        switch health.mode {
        case .probing: return nil
        case .running:
            // Without a limit whatever could begin has begun.
            let isHeldBack = bucket.map { $0.waitMs(now) > 0 } ?? false
            if isHeldBack, !returned.isEmpty || (policy.batch == nil ? canStartFresh : isGathered(now)) {
                return now.monotonicMs
            }
            let retry = open.nextDueMs().flatMap { $0 > now.monotonicMs || openInFlight < retryShare ? $0 : nil }
            return [retry, gatheredDueMs, heldDueMs].compactMap(\.self).min()
        case .waiting(let until):
            guard until <= now.monotonicMs else { return until }
            if hasAskedForFresh, !returned.isEmpty { return now.monotonicMs }
            return [open.nextDueMs(), heldDueMs].compactMap(\.self).min()
        }
    }
}
