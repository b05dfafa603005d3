internal import EventLog
internal import Events
internal import Kafka

extension AppendDesk {
    /// Time has passed: what has no report in time goes to the spool.
    mutating func tick(now: Int64) {
        for number in lanes.indices {
            dropEnded(number)
            if !lanes[number].isStalled, isOverdue(number, now: now) { stall(number, now: now) }
            queue(number)
        }
    }

    private func isOverdue(_ number: Int, now: Int64) -> Bool {
        guard let first = lanes[number].order.first ?? lanes[number].waiting.first, let entry = entries[first] else {
            return false
        }
        return now - entry.arrivedAt >= settings.limit
    }

    /// Whether there is something that time decides about.
    var hasDeadlines: Bool { !entries.isEmpty || unhandedInAll > 0 }

    /// Everything of the lane that is not answered goes into the spool, in order, and what was read from the spool and not
    /// handed over goes back.
    mutating func stall(_ number: Int, now: Int64) {
        let isKafkaSilent = lanes[number].inFlight > 0 && now - lastReport >= settings.limit
        lanes[number].isStalled = true
        lanes[number].isLoadingInVain = lanes[number].loading > 0
        var order = FirstInFirstOut<UInt64>()
        while let token = lanes[number].order.removeFirst() {
            guard let entry = entries[token] else { continue }
            if entry.isInFlight { order.append(token) }
            give(token, entry, up: false, now: now)
        }
        lanes[number].order = order
        while let token = lanes[number].waiting.removeFirst() {
            guard let entry = entries[token] else { continue }
            give(token, entry, up: true, now: now)
        }
        lanes[number].waitingCount = 0
        resume(number)
        if isKafkaSilent, !isKafkaAway {
            setAway(true)
            for other in lanes.indices where !lanes[other].isStalled {
                if lanes[other].inFlight + lanes[other].waitingCount > 0 { stall(other, now: now) }
            }
        }
    }

    /// - Parameter up: it was not handed to the producer, and will not be from here.
    private mutating func give(_ token: UInt64, _ entry: Entry, up: Bool, now: Int64) {
        switch entry.spool {
        case .kept(let sequence) where up:
            if entry.isDrained { readAhead -= 1 }
            giveBack(sequence, to: entry.arrival.lane)
            remove(token)
        case .no where settings.spools && !entry.waiters.isEmpty: write(token)
        case .no where !settings.spools:
            failWaiters(of: token, Self.notAcknowledged, now: now)
            if up { remove(token) }
        case .no where up: remove(token)
        case .no, .writing, .kept: break
        }
    }

    mutating func write(_ token: UInt64) {
        guard let entry = entries[token] else { return }
        let number = entry.arrival.lane
        entries[token]?.spool = .writing
        lanes[number].writing += 1
        if !entry.isInFlight {
            lanes[number].unhanded += 1
            unhandedInAll += 1
        }
        decide(.spool(.write(SpoolEntry(token: token, lane: number, item: entry.arrival.item))))
    }

    // MARK: The spool's answers

    mutating func written(_ token: UInt64, _ sequence: Int64, now: Int64) {
        guard let entry = entries[token], case .writing = entry.spool else { return }
        let number = entry.arrival.lane
        isSpoolFailing = false
        lanes[number].writing -= 1
        if entry.isOver {
            lanes[number].held -= 1
            decide(.spool(.delete(sequence: sequence)))
            remove(token)
            return resume(number)
        }
        entries[token]?.spool = .kept(sequence)
        becameDurable(token, place: nil, now: now)
        guard !entry.isInFlight else { return }
        lanes[number].next = min(lanes[number].next, sequence)
        remove(token)
    }

    mutating func notWritten(_ token: UInt64, _ failure: LogFailure, now: Int64) {
        guard let entry = entries[token], case .writing = entry.spool else { return }
        let number = entry.arrival.lane
        isSpoolFailing = true
        lanes[number].writing -= 1
        entries[token]?.spool = .no
        failWaiters(of: token, failure, now: now)
        if entry.isOver {
            lanes[number].held -= 1
            remove(token)
            resume(number)
        } else if !entry.isInFlight {
            lanes[number].unhanded -= 1
            unhandedInAll -= 1
            remove(token)
        }
    }

    /// A row that Kafka refuses, or that cannot be read, is out of the way; people find it among the quarantined too.
    mutating func bury(_ item: LogItem?, _ sequence: Int64, reason: String, now: Int64) {
        decide(.spool(.bury(sequence: sequence, reason: reason)))
        guard let item else { return }
        decide(.deadLetter(item, reason: reason))
    }
}
