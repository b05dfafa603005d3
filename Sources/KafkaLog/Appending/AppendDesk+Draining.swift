internal import EventLog
internal import Events
internal import Kafka

extension AppendDesk {
    /// A row of the spool as it was read, with the record that is to be published.
    struct Row: Sendable {
        var sequence: Int64
        /// Nil where the row is damaged.
        var item: LogItem?
        /// Nil where there is no such record: the reason stands in its place.
        var record: Result<KafkaRecord, LogFailure>
    }

    /// Asks the spool for what can be published next.
    mutating func drain(now: Int64) {
        guard unhandedInAll > 0, !isClosing else { return }
        for number in lanes.indices where lanes[number].unhanded > 0 {
            let lane = lanes[number]
            guard lane.loading == 0, !lane.isStalled, lane.retryAt <= now else { continue }
            guard isReady(number) else {
                askForTopic(of: number, now: now)
                continue
            }
            var limit = min(settings.readAhead, settings.readAheadInAll - readAhead)
            if isKafkaAway || lane.isSingle {
                // One record finds out whether Kafka is back.
                limit = lane.inFlight == 0 && lane.waitingCount == 0 ? min(limit, 1) : 0
            } else if lane.waitingCount > settings.readAhead / 2 {
                limit = 0
            }
            guard limit > 0 else { continue }
            lanes[number].loading = limit
            readAhead += limit
            decide(
                .spool(.load(lane: number, from: lane.next, limit: limit, maximumBytes: settings.readAheadBytes)))
        }
    }

    /// - Parameter isEnd: the lane has no more rows than these.
    mutating func loaded(_ number: Int, _ rows: [Row], isEnd: Bool, now: Int64) {
        guard !endLoading(number) else { return }
        for row in rows {
            lanes[number].next = row.sequence + 1
            guard let item = row.item else {
                bury(nil, row.sequence, reason: "damaged: the row does not match its checksum", now: now)
                continue
            }
            switch row.record {
            case .success(let record): publishAgain(item, record, row.sequence, number, now: now)
            case .failure(let failure): bury(item, row.sequence, reason: "\(failure)", now: now)
            }
        }
        // Nothing of a lane that is read is in the producer and being written: what is being written comes behind.
        let coming = lanes[number].writing
        setUnhanded(isEnd ? coming : max(lanes[number].unhanded - rows.count, coming + 1), number)
        queue(number)
    }

    private mutating func setUnhanded(_ count: Int, _ number: Int) {
        unhandedInAll += count - lanes[number].unhanded
        lanes[number].unhanded = count
    }

    /// The spool's file was opened anew: these lanes have rows, perhaps some of which nobody was told.
    mutating func reopened(_ lanes: some Sequence<Int>, now: Int64) {
        for number in lanes where self.lanes[number].unhanded == 0 {
            setUnhanded(1, number)
            // What comes next goes behind the rows, and so has to go what came before.
            stall(number, now: now)
        }
    }

    mutating func notLoaded(_ number: Int, now: Int64) {
        _ = endLoading(number)
        lanes[number].retryAt = now + 1_000_000_000
    }

    /// - Returns: whether it was in vain.
    private mutating func endLoading(_ number: Int) -> Bool {
        readAhead -= lanes[number].loading
        lanes[number].loading = 0
        defer { lanes[number].isLoadingInVain = false }
        return lanes[number].isLoadingInVain
    }

    private mutating func publishAgain(
        _ item: LogItem, _ record: KafkaRecord, _ sequence: Int64, _ number: Int, now: Int64
    ) {
        let token = newToken()
        var entry = Entry(arrival: Arrival(item: item, lane: number, record: record), arrivedAt: now)
        entry.spool = .kept(sequence)
        entry.isCounted = true
        entry.isDrained = true
        entries[token] = entry
        readAhead += 1
        lanes[number].waiting.append(token)
        lanes[number].waitingCount += 1
    }
}
