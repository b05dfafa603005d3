package import EventLog
package import Events
internal import Glibc
internal import Kafka
package import Logging
internal import Synchronization
internal import Threads

/// Everything between `append` and its answer: publishes, and keeps in the spool what Kafka does not acknowledge in time.
/// One thread decides (`AppendDesk`); the producer, the spool and the topics have theirs.
package final class Appender: Sendable {
    private struct State {
        var desk: AppendDesk
        var open: [UInt64: Submission] = [:]
        var nextBatch: UInt64 = 1
        var nextTick: Int64 = 0
        /// Types whose topics were told to be missing.
        var missing: Set<CanonicalType> = []
    }

    private let options: KafkaLogOptions
    private let encoder: ArrivalEncoder
    private let logger: Logger
    private let inbox = AppendInbox(maximumRecords: 16_384, maximumBytes: 32 << 20)
    private let state: Mutex<State>
    private let producer: KafkaProducer
    /// Nil where there is none.
    private let spool: Spool?
    private let topics = TopicThread()
    private let thread: Mutex<Thread?>
    private let callbacks = Mutex<[@Sendable ([RecordPlace]) -> Void]>([])

    private static let batchBytes = 128 << 20
    private static let tick: Int64 = 25_000_000
    private static let idle: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - acceptsLoss: opens a damaged spool with what is left of it.
    ///   - onStatistics: the producer's, as `KafkaProducer` gives them.
    package init(
        _ options: KafkaLogOptions, layout: LogLayout, topics administration: any TopicReadiness, logger: Logger,
        acceptsLoss: Bool = false, onStatistics: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(KafkaLogError) {
        self.options = options
        self.logger = logger
        let lanes = Lanes(layout: layout)
        let configuration = ProducerProperties.complete(options.kafka)
        encoder = ArrivalEncoder(
            lanes: lanes, isStructured: options.isStructured,
            maximumBytes: options.maximumRecordBytes)
        do {
            producer = try KafkaProducer(
                configuration, timeout: ProducerProperties.timeout, lingerMilliseconds: 0, tellsOfRestart: true,
                onStatistics: onStatistics)
        } catch {
            throw KafkaLogError(error, doing: "the producer cannot be made")
        }
        let inbox = inbox
        do {
            spool =
                options.spools
                ? try Spool(
                    folder: options.spoolFolder, lanes: lanes, maximumBytes: options.maximumSpoolBytes,
                    acceptsLoss: acceptsLoss, logger: logger, onEvent: { inbox.tell(.spool($0)) }) : nil
        } catch {
            producer.close()
            throw KafkaLogError(.spool, error.message)
        }
        var settings = AppendDesk.Settings(lanes: lanes)
        settings.spools = options.spools
        settings.limit = options.acknowledgementLimit.nanoseconds
        settings.dedupeWindow = options.dedupeWindow.nanoseconds
        state = Mutex(
            State(
                desk: AppendDesk(
                    settings, spooled: spool?.found.lanes ?? [:], ids: spool?.found.ids ?? [],
                    now: monotonicNanoseconds())))
        thread = Mutex(nil)
        topics.start(administration) { inbox.tell(.topic($0, $1)) }
        let worker = Thread.indispensable(name: "append") { [weak self] in
            while let events = inbox.take(until: monotonicNanoseconds() + (self?.pause ?? Self.idle)) {
                self?.process(events)
            }
        }
        thread.withLock { $0 = worker }
    }

    deinit {
        inbox.refuse()
        inbox.close()
        topics.close()
    }

    // MARK: From outside

    /// As `EventLog.append`. An event that was kept in the spool has no place yet: its offset is -1.
    package func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        guard !batch.records.isEmpty || !batch.quarantined.isEmpty else { return completion(.success([])) }
        do throws(LogFailure) {
            var submission = Submission(
                events: [], quarantined: [], byteCount: 0, isUrgent: batch.isUrgent, completion: completion)
            for record in batch.records { submission.events.append(try encoder.arrival(.event(record))) }
            for element in batch.quarantined {
                submission.quarantined.append(try encoder.arrival(.quarantined(element)))
            }
            submission.byteCount =
                (submission.events + submission.quarantined).reduce(0) { $0 + $1.item.byteCount }
            guard submission.byteCount <= Self.batchBytes else {
                throw LogFailure(.tooLarge, "a batch of \(submission.byteCount) bytes is never taken at once")
            }
            if let failure = inbox.submit(submission) { throw failure }
        } catch {
            completion(.failure(error))
        }
    }

    /// Calls back with places that Kafka has acknowledged, from a thread that must not be blocked.
    package func onAcknowledged(_ callback: @escaping @Sendable ([RecordPlace]) -> Void) {
        callbacks.withLock { $0.append(callback) }
    }

    /// Where this instance has published the event; nil when it has not lately, or when the event is in the spool.
    package func recentPlace(of id: EventID) -> RecordPlace? {
        state.withLock { $0.desk.recent.place(of: id) }
    }

    /// Since the log was opened. Commits are batches that were answered.
    package var statistics: LogStatistics {
        let (counters, batches, isAway, isSpoolFailing) = state.withLock {
            ($0.desk.counters, $0.open.count, $0.desk.isKafkaAway, $0.desk.isSpoolFailing)
        }
        var statistics = counters.statistics
        statistics.queuedBatches = batches
        if isAway, !options.spools { statistics.unavailable = AppendDesk.notAcknowledged }
        if isAway, isSpoolFailing {
            statistics.unavailable = LogFailure(
                .unavailable, status.unavailable ?? "Kafka does not acknowledge, and the spool takes nothing")
        }
        return statistics
    }

    package var status: SpoolStatus {
        var status = spool?.status ?? SpoolStatus()
        state.withLock {
            status.isKafkaAway = $0.desk.isKafkaAway
            status.isDraining = status.events > 0 && !$0.desk.isKafkaAway
        }
        return status
    }

    /// Events in the spool.
    package var spooled: Int64 { spool?.status.events ?? 0 }

    /// Takes no more, answers what waits, and publishes what is in the spool as far as there is time.
    /// - Returns: events that stay in the spool.
    package func close(within limit: Duration) -> Int64 {
        guard let worker = thread.withLock({ $0.take() }) else { return spooled }
        inbox.refuse()
        let end = monotonicNanoseconds() + limit.nanoseconds
        wait(until: end) { inbox.isAnswered && state.withLock { $0.desk.isDone } }
        state.withLock { $0.desk.isClosing = true }
        // What has no report now fails, and goes to the spool with what else is not answered.
        producer.close()
        wait(until: monotonicNanoseconds() + Self.answerTime) { inbox.isAnswered }
        inbox.close()
        worker.join()
        spool?.close()
        topics.close()
        let rest = state.withLock { state in
            defer { state.open = [:] }
            return state.open
        }
        for submission in rest.values {
            submission.completion(.failure(LogFailure(.unavailable, "the log is closing")))
        }
        return spooled
    }

    private static let answerTime: Int64 = 15_000_000_000

    private func wait(until end: Int64, _ condition: () -> Bool) {
        while monotonicNanoseconds() < end, !condition() { usleep(5000) }
    }

    // MARK: The thread

    private var pause: Int64 { state.withLock { $0.desk.hasDeadlines } ? Self.tick : Self.idle }

    private func process(_ events: [AppendEvent]) {
        var events = events
        while true {
            let now = monotonicNanoseconds()
            let decisions = state.withLock { state in
                for event in events { apply(event, to: &state, now: now) }
                if now >= state.nextTick {
                    state.nextTick = now + Self.tick
                    state.desk.tick(now: now)
                }
                state.desk.drain(now: now)
                return state.desk.takeDecisions()
            }
            perform(decisions)
            guard publish() else { return }
            events = inbox.take(until: 0) ?? []
        }
    }

    private func apply(_ event: AppendEvent, to state: inout State, now: Int64) {
        switch event {
        case .append(let submission):
            state.open[state.nextBatch] = submission
            state.desk.append(
                state.nextBatch, events: submission.events, quarantined: submission.quarantined, now: now)
            state.nextBatch += 1
        case .report(let token, let result): state.desk.report(token, result, now: now)
        case .spool(.written(let rows)):
            for row in rows { state.desk.written(row.token, row.sequence, now: now) }
        case .spool(.refused(let tokens, let failure)):
            for token in tokens { state.desk.notWritten(token, failure, now: now) }
        case .spool(.loaded(let lane, let rows, let isEnd)):
            state.desk.loaded(lane, rows.map { encoder.row($0, lane: lane) }, isEnd: isEnd, now: now)
        case .spool(.reopened(let lanes)): state.desk.reopened(lanes, now: now)
        case .spool(.notLoaded(let lane)): state.desk.notLoaded(lane, now: now)
        case .topic(let type, nil):
            state.missing.remove(type)
            state.desk.topicIsReady(type)
        case .topic(let type, .some(let failure)):
            state.desk.topicFailed(type, now: now)
            guard state.missing.insert(type).inserted else { return }
            logger.warning(
                "kafka_topic_unavailable",
                "The topic \(encoder.lanes.layout.topic(type)) is not there: \(failure.message)",
                ["reason": .string(failure.code)])
        }
    }

    /// - Returns: whether a failure was reported, which is to be told before anything else is published.
    private func publish() -> Bool {
        let now = monotonicNanoseconds()
        while let next = state.withLock({ $0.desk.nextToPublish(now: now) }) {
            let (token, inbox) = (next.token, inbox)
            producer.send(next.record) { inbox.tell(.report(token, $0)) }
            if inbox.hasFailure.load(ordering: .acquiring) { return true }
        }
        let decisions = state.withLock { $0.desk.takeDecisions() }
        perform(decisions)
        return false
    }

    private func perform(_ decisions: [AppendDesk.Decision]) {
        var operations: [SpoolOperation] = []
        var places: [RecordPlace] = []
        var answers: [(UInt64, Result<[AppendOutcome], LogFailure>)] = []
        for decision in decisions {
            switch decision {
            case .answer(let batch, let result): answers.append((batch, result))
            case .spool(let operation): operations.append(operation)
            case .ensure(let type): topics.want(type)
            case .acknowledged(let place): places.append(place)
            case .deadLetter(let item, let reason): report(item, reason)
            case .kafkaIsAway:
                logger.warning(
                    "kafka_away",
                    options.spools
                        ? "Kafka acknowledges nothing: events are kept in the spool"
                        : "Kafka acknowledges nothing: events are refused with 503")
            case .kafkaIsBack: logger.info("kafka_back", "Kafka acknowledges events again")
            }
        }
        spool?.perform(operations)
        if !places.isEmpty { for callback in callbacks.withLock({ $0 }) { callback(places) } }
        for (batch, result) in answers { answer(batch, result) }
    }

    private func answer(_ batch: UInt64, _ result: Result<[AppendOutcome], LogFailure>) {
        guard let submission = state.withLock({ $0.open.removeValue(forKey: batch) }) else { return }
        inbox.release(submission)
        submission.completion(result)
    }

    /// What Kafka refused although it was acknowledged: it is in the spool's table of such, and told in the quarantine.
    private func report(_ item: LogItem, _ reason: String) {
        logger.error(
            "spool_dead_letter",
            "Kafka refuses an event that was acknowledged; it stays in the spool's dead letters: \(reason)",
            ["event": .string(item.id.hex), "source": .string(item.source), "reason": .string(reason)])
        guard case .event(let record) = item else { return }
        let copy = LogItem.quarantined(QuarantinedElement(deadLetter: record, reason: reason))
        guard let arrival = try? encoder.arrival(copy) else { return }
        state.withLock { $0.desk.publish(arrival, now: monotonicNanoseconds()) }
    }
}
