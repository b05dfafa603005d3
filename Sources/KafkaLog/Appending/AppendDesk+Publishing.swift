internal import EventLog
internal import Events
internal import Kafka

extension AppendDesk {
    /// The next record for the producer. What comes of the one before, as far as it is known, is told first: it may change
    /// what is next.
    mutating func nextToPublish(now: Int64) -> (token: UInt64, record: KafkaRecord)? {
        guard now >= congestedUntil else { return nil }
        while let number = nextSendable() {
            lanes[number].isQueued = false
            guard isReady(number) else {
                if lanes[number].waitingCount > 0 { askForTopic(of: number, now: now) }
                continue
            }
            guard !lanes[number].isStalled, lanes[number].inFlight < (lanes[number].isSingle ? 1 : settings.laneWindow),
                let token = lanes[number].waiting.removeFirst()
            else { continue }
            lanes[number].waitingCount -= 1
            guard let entry = entries[token] else { continue }
            handOver(token, entry, number)
            queue(number)
            return (token, entry.arrival.record)
        }
        return nil
    }

    /// What is urgent goes first, and has a part of the producer that the others leave free.
    private mutating func nextSendable() -> Int? {
        if hasRoom(leaving: 0), let urgent = urgentSendable.removeFirst() { return urgent }
        return hasRoom(leaving: settings.urgentShare) ? sendable.removeFirst() : nil
    }

    /// - Parameter share: 0: all of it may be used.
    private func hasRoom(leaving share: Int) -> Bool {
        let (records, bytes) = (settings.windowRecords, settings.windowBytes)
        return inFlightRecords < (share == 0 ? records : records - records / share)
            && inFlightBytes < (share == 0 ? bytes : bytes - bytes / share)
    }

    private mutating func handOver(_ token: UInt64, _ entry: Entry, _ number: Int) {
        entries[token]?.isInFlight = true
        entries[token]?.isAlone = lanes[number].inFlight == 0
        lanes[number].inFlight += 1
        lanes[number].order.append(token)
        inFlightRecords += 1
        inFlightBytes += entry.arrival.item.byteCount
        if entry.isDrained { readAhead -= 1 }
    }

    // MARK: Reports

    mutating func report(_ token: UInt64, _ result: Result<KafkaPlace, KafkaFailure>, now: Int64) {
        guard let entry = entries[token], entry.isInFlight else { return }
        let number = entry.arrival.lane
        entries[token]?.isInFlight = false
        lanes[number].inFlight -= 1
        inFlightRecords -= 1
        inFlightBytes -= entry.arrival.item.byteCount
        switch result {
        case .success(let place): succeeded(token, entry, place, now: now)
        case .failure(let failure):
            switch Verdict(failure) {
            case .congested: putBack(token, entry, now: now)
            case .refused where failure.isOfSize && !entry.isAlone && entry.isDrained:
                lanes[number].isSingle = true
                failed(token, entry, failure, now: now)
            case .refused: refused(token, entry, failure, now: now)
            case .retried: failed(token, entry, failure, now: now)
            }
        }
        dropEnded(number)
        resume(number)
    }

    private mutating func succeeded(_ token: UInt64, _ entry: Entry, _ place: KafkaPlace, now: Int64) {
        let number = entry.arrival.lane
        lastReport = now
        congestedUntil = 0
        lanes[number].failures = 0
        setAway(false)
        var kept: RecordPlace?
        if number < settings.lanes.layout.count {
            kept = RecordPlace(partition: Int32(number), offset: place.offset)
        }
        becameDurable(token, place: kept, now: now)
        if let kept { decide(.acknowledged(kept)) }
        switch entry.spool {
        case .no: remove(token)
        case .kept(let sequence):
            decide(.spool(.delete(sequence: sequence)))
            remove(token)
        case .writing: hold(token)
        }
    }

    /// Its row is to go as soon as it is written.
    private mutating func hold(_ token: UInt64) {
        guard let entry = entries[token] else { return }
        entries[token]?.isOver = true
        lanes[entry.arrival.lane].held += 1
        let id = entry.arrival.item.id
        if pending[id] == token { pending[id] = nil }
    }

    /// The producer did not take it.
    private mutating func putBack(_ token: UInt64, _ entry: Entry, now: Int64) {
        let number = entry.arrival.lane
        congestedUntil = now + 10_000_000
        guard !lanes[number].isStalled else { return failed(token, entry, .congestion, now: now) }
        lanes[number].waiting.prepend(token)
        lanes[number].waitingCount += 1
        if entry.isDrained { readAhead += 1 }
        queue(number)
    }

    /// It is published again, by way of the spool.
    private mutating func failed(_ token: UInt64, _ entry: Entry, _ failure: KafkaFailure, now: Int64) {
        let number = entry.arrival.lane
        switch entry.spool {
        case .kept(let sequence):
            giveBack(sequence, to: number)
            remove(token)
        case .writing:
            lanes[number].unhanded += 1
            unhandedInAll += 1
        case .no where entry.waiters.isEmpty: remove(token)
        case .no where !settings.spools:
            failWaiters(
                of: token, LogFailure(.unavailable, "Kafka: \(failure.message)", retryAfterSeconds: 2), now: now)
            remove(token)
        // What stalls has everything written, this too, in its order.
        case .no where lanes[number].isStalled: write(token)
        case .no: break
        }
        if failure.isOfTopic, let type = settings.lanes.type(of: number) { topics[type] = .unknown }
        guard !lanes[number].isStalled else { return }
        lanes[number].retryAt = now + min(2_000_000_000, 50_000_000 << Int64(min(lanes[number].failures, 6)))
        lanes[number].failures += 1
        stall(number, now: now)
    }

    /// Kafka will never take it.
    private mutating func refused(_ token: UInt64, _ entry: Entry, _ failure: KafkaFailure, now: Int64) {
        let answer = LogFailure(
            failure.isOfSize ? .tooLarge : .unavailable, "Kafka refuses the event: \(failure.message)",
            retryAfterSeconds: 30)
        switch entry.spool {
        case .no:
            failWaiters(of: token, answer, now: now)
            remove(token)
        case .writing:
            failWaiters(of: token, answer, now: now)
            hold(token)
        case .kept(let sequence):
            bury(entry.arrival.item, sequence, reason: "\(failure.code): \(failure.message)", now: now)
            remove(token)
        }
    }

    // MARK: The order of a lane

    /// Lets go of the front of what was handed over, as far as it is reported.
    mutating func dropEnded(_ number: Int) {
        while let first = lanes[number].order.first, entries[first]?.isInFlight != true {
            _ = lanes[number].order.removeFirst()
        }
    }

    /// Ends the stall when all that was in the producer is reported.
    mutating func resume(_ number: Int) {
        if lanes[number].isSingle, lanes[number].inFlight == 0, lanes[number].unhanded == 0,
            lanes[number].waitingCount == 0
        {
            lanes[number].isSingle = false
        }
        if lanes[number].isStalled, lanes[number].inFlight == 0, lanes[number].held == 0 {
            lanes[number].isStalled = false
        }
        queue(number)
    }

    /// A row is to be read again.
    mutating func giveBack(_ sequence: Int64, to number: Int) {
        lanes[number].unhanded += 1
        unhandedInAll += 1
        lanes[number].next = min(lanes[number].next, sequence)
    }
}

/// What a failure means for its record.
private enum Verdict {
    /// The client's own queue is full.
    case congested
    case refused
    case retried

    init(_ failure: KafkaFailure) {
        if failure.code == KafkaFailure.queueFull {
            self = .congested
        } else if failure.concern == .record || Self.forbidden.contains(failure.code) {
            self = .refused
        } else {
            self = .retried
        }
    }

    private static let forbidden: Set<String> = ["topic_authorization_failed", "policy_violation"]
}

extension KafkaFailure {
    fileprivate static let congestion = KafkaFailure(
        code: KafkaFailure.queueFull, message: "the producer's queue is full")

    fileprivate var isOfSize: Bool {
        ["msg_size_too_large", "invalid_msg_size", "record_list_too_large"].contains(code)
    }

    /// The topic may be gone.
    fileprivate var isOfTopic: Bool {
        ["unknown_topic", "unknown_topic_or_part", "unknown_partition"].contains(code)
    }
}
