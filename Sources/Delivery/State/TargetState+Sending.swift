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
}

extension TargetState {
    /// Nil when the attempt is not under way.
    package func event(of ticket: AttemptTicket) -> AttemptedEvent? {
        guard slots.indices.contains(ticket.slot), slots[ticket.slot].serial == ticket.serial else { return nil }
        switch slots[ticket.slot].content {
        case .free: return nil
        case .window(let tried): return AttemptedEvent(id: tried.event.id, receivedAtMs: tried.event.receivedAtMs)
        case .open(let place):
            return open[place].map { AttemptedEvent(id: $0.id, receivedAtMs: $0.receivedAtMs) }
        }
    }

    package func openEntry(_ place: RecordPlace) -> OpenEntry? { open[place] }

    /// The next attempt to make, nil when there is none now. Asked again until nil after everything that happens.
    package mutating func nextAttempt(_ now: Moment) -> Attempt? {
        settle(now)
        guard isActive, !isUncommittedFull, inFlightCount < policy.concurrency else { return nil }
        switch health.mode {
        case .running: return nextOfRunning(now)
        case .waiting(let until) where until <= now.monotonicMs:
            let attempt = nextProbe(now)
            if let attempt {
                let place = place(of: attempt)
                health.probe(place)
                lastProbe = place
            }
            return attempt
        case .waiting, .probing: return nil
        }
    }

    /// What waits longest goes first; retries of single events take at most half of the places, so that many poison events
    /// never keep new ones waiting.
    private mutating func nextOfRunning(_ now: Moment) -> Attempt? {
        if !returned.isEmpty { return start(returned.removeFirst(), now) }
        let share = max(1, policy.concurrency / 2)
        let hasFresh = canStartFresh
        if openInFlight < share, !(hasFresh && lastWasRetry && policy.concurrency == 1), let retry = nextRetry(now) {
            lastWasRetry = true
            return retry
        }
        lastWasRetry = false
        return hasFresh ? nextFresh(now) : nil
    }

    /// The first event that failed, then others that were never tried, then all of them in turn: a few bad events must not
    /// keep the target closed.
    private mutating func nextProbe(_ now: Moment) -> Attempt? {
        let hasProbed = returned.contains { $0.event.place == lastProbe }
        let canTryFresh = canStartFresh && returned.count < policy.maximumReturned
        if returned.isEmpty || hasProbed, canTryFresh { return nextFresh(now) }
        if returned.isEmpty || hasProbed, let retry = nextRetry(now) { return retry }
        return returned.isEmpty ? nil : start(returned.removeFirst(), now)
    }

    private mutating func nextFresh(_ now: Moment) -> Attempt? {
        guard case .taken(let event, let routes)? = backlog.first else { return nil }
        backlog.removeFirst()
        position.offsets[Int(event.place.partition)] = event.place.offset + 1
        return start(Tried(event: event, routes: routes), now)
    }

    private mutating func nextRetry(_ now: Moment) -> Attempt? {
        guard let entry = open.start(now) else { return nil }
        openInFlight += 1
        return Attempt(
            ticket: occupy(.open(entry.place)), content: .open(entry.place), routes: entry.routes,
            number: entry.tries + 1)
    }

    private mutating func start(_ tried: Tried, _ now: Moment) -> Attempt {
        var tried = tried
        tried.tries += 1
        if tried.firstTried == nil { tried.firstTried = now }
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
            slots.append(Slot())
        }
        slots[index].content = content
        return AttemptTicket(slot: index, serial: slots[index].serial)
    }

    /// Frees the slot; free when the ticket is not the one under way.
    mutating func release(_ ticket: AttemptTicket) -> Slot.Content {
        guard slots.indices.contains(ticket.slot), slots[ticket.slot].serial == ticket.serial else { return .free }
        let content = slots[ticket.slot].content
        switch content {
        case .free: return .free
        case .window: windowInFlight -= 1
        case .open: openInFlight -= 1
        }
        slots[ticket.slot].content = .free
        slots[ticket.slot].serial &+= 1
        freeSlots.append(ticket.slot)
        return content
    }

    private func place(of attempt: Attempt) -> RecordPlace {
        switch attempt.content {
        case .event(let event): event.place
        case .open(let place): place
        }
    }

    /// When to ask again although nothing else happened, on the monotonic clock; nil: never.
    package mutating func wakeMs(_ now: Moment) -> Int64? {
        guard isActive, !isUncommittedFull, inFlightCount < policy.concurrency else { return nil }
        switch health.mode {
        case .probing: return nil
        case .running:
            guard let due = open.nextDueMs() else { return nil }
            return due > now.monotonicMs || openInFlight < max(1, policy.concurrency / 2) ? due : nil
        case .waiting(let until):
            guard until <= now.monotonicMs else { return until }
            return open.nextDueMs()
        }
    }
}
