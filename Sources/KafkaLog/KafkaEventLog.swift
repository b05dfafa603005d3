package import EventLog
package import Events
package import Kafka
package import Logging
internal import Synchronization

/// The log in Kafka: a topic for each type of event. An event is published and acknowledged by `Appender`, read by
/// `LogReaders`, and found by `KafkaIndex`.
///
/// What Kafka does not have, this log does not have: a single record cannot be removed (`erase` is unsupported; retention
/// removes), counters are since the log was opened here, and an event that came through two instances may stand in it twice
/// (`LogRecord.isRepeat`). A read below the head may give nothing for a moment, while a broker is asked.
package final class KafkaEventLog: EventLog {
    package let options: KafkaLogOptions
    package let layout: LogLayout
    package let topics: TopicAdministration
    package let admin: KafkaAdmin
    /// Nil in a log that is only read.
    package let appender: Appender?
    let index: KafkaIndex
    private let ends: LogEnds
    private let readers: LogReaders
    private let spot: SpotReader
    private let watch: EndsWatch
    private let preparation: TopicPreparation
    let locator = Mutex<(@Sendable (EventID) -> RecordPlace?)?>(nil)

    /// Creates the topics that are missing, compares those that there are, and begins to take events.
    package static func open(_ options: KafkaLogOptions, logger: Logger) throws(KafkaLogError) -> KafkaEventLog {
        try KafkaEventLog(options, isReadOnly: false, logger: logger)
    }

    /// For looking only: creates nothing, takes nothing, and has no spool.
    package static func openReadOnly(
        _ options: KafkaLogOptions, logger: Logger
    ) throws(KafkaLogError) -> KafkaEventLog {
        try KafkaEventLog(options, isReadOnly: true, logger: logger)
    }

    private init(_ options: KafkaLogOptions, isReadOnly: Bool, logger: Logger) throws(KafkaLogError) {
        self.options = options
        layout = options.layout
        ends = LogEnds(layout)
        do throws(KafkaFailure) {
            admin = try KafkaAdmin(options.kafka, group: "\(options.prefix).admin")
        } catch {
            throw KafkaLogError(error, doing: "Kafka cannot be reached")
        }
        topics = TopicAdministration(options, admin: admin, logger: logger)
        preparation = try Self.prepare(topics, options, isReadOnly: isReadOnly, logger)
        let parts = ReadingParts(
            kafka: options.kafka, layout: layout, admin: admin, ends: ends,
            finder: RepeatFinder(window: options.repeatWindow), foreign: ForeignRecords(), logger: logger,
            onStatistics: options.statisticsHook(.reader))
        spot = SpotReader(parts)
        index = KafkaIndex(parts, topics)
        // The appender is the only one of these that may fail for a reason of this machine; then nothing else runs yet.
        appender =
            isReadOnly
            ? nil
            : try Appender(
                options, layout: layout, topics: topics, logger: logger, acceptsLoss: options.acceptsLoss,
                onStatistics: options.statisticsHook(.producer))
        do throws(KafkaFailure) {
            try Self.learnEnds(ends, topics.partitions, admin)
            readers = try LogReaders(parts)
            watch = try EndsWatch(parts, topics, readers, spot, preparation)
        } catch {
            _ = appender?.close(within: .zero)
            throw KafkaLogError(error, doing: "the log cannot be read")
        }
        appender?.onAcknowledged { [ends, readers] places in
            for place in places { ends.raiseHead(place.partition, to: place.offset + 1) }
            readers.tell(of: places)
        }
    }

    /// A broker that has just started, or was just given a partition, may not lead it for a while.
    private static func learnEnds(
        _ ends: LogEnds, _ partitions: [Int32], _ admin: KafkaAdmin
    ) throws(KafkaFailure) {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do throws(KafkaFailure) {
                _ = try ends.refresh(partitions, admin)
                return
            } catch {
                let mayPass = ["not_leader_for_partition", "leader_not_available", "timed_out"].contains(error.code)
                guard mayPass, .now < deadline else { throw error }
            }
        }
    }

    /// With a spool events can be taken although no broker answers.
    private static func prepare(
        _ topics: TopicAdministration, _ options: KafkaLogOptions, isReadOnly: Bool, _ logger: Logger
    ) throws(KafkaLogError) -> TopicPreparation {
        var failure: KafkaLogError?
        do throws(KafkaLogError) {
            if isReadOnly { try topics.look() } else { try topics.prepare() }
        } catch {
            guard error.code == .unreachable, options.spools, !isReadOnly else { throw error }
            failure = error
        }
        return TopicPreparation(topics, failure, logger: logger)
    }

    /// What keeps events from Kafka since the log was opened, for people; nil: nothing does.
    package var problem: String? { preparation.problem.map { "Kafka cannot be used yet: \($0.message)" } }

    /// What is wrong with topics that were in use, for people; nil: nothing.
    package var damage: String? { watch.damage }

    deinit {
        // Their threads hold what they use, and not the log.
        watch.close()
        readers.close()
    }

    /// Takes no more, and publishes what is in the spool as far as there is time.
    /// - Returns: events that stay in the spool.
    @discardableResult
    package func close(within limit: Duration) -> Int64 {
        let left = appender?.close(within: limit) ?? 0
        watch.close()
        readers.close()
        spot.close()
        index.close()
        return left
    }

    /// Events in the spool: acknowledged, and not yet in Kafka.
    package var spooled: Int64 { appender?.spooled ?? 0 }

    /// Has records of these shards be read as soon as they come. Without it the first one of a partition comes up to a
    /// second later.
    package func follow(shards: Set<Int>) {
        readers.follow(topics.partitions.filter { shards.contains(layout.shard(of: $0)) })
    }

    /// What knows where events are, beside what was appended here lately. It is asked first when one is looked for.
    package func locate(by locator: @escaping @Sendable (EventID) -> RecordPlace?) {
        self.locator.withLock { $0 = locator }
    }

    // MARK: LogReader

    package var head: LogPosition { ends.head }
    package var beginning: LogPosition { ends.beginning }

    package func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        try readers.read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
    }

    package func record(at place: RecordPlace) throws(LogFailure) -> LogRecord? {
        guard Int(place.partition) < layout.count, place.partition >= 0, place.offset >= ends.beginning(place.partition)
        else { return nil }
        if place.offset >= ends.head(place.partition) {
            // Another instance may have seen more than this one.
            _ = try? ends.refresh([place.partition], admin)
            guard place.offset < ends.head(place.partition) else { return nil }
        }
        if let record = readers.held(place) { return record }
        return try spot.record(at: place)
    }

    package func position(at timeMs: Int64) throws(LogFailure) -> LogPosition {
        var position = head
        for (partition, offset) in try index.offsets(at: timeMs) {
            ends.raiseHead(partition, to: offset)
            position.offsets[Int(partition)] = offset
        }
        return position
    }

    package func count(from: LogPosition, to: LogPosition) -> Int64 {
        zip(from.offsets, to.offsets).reduce(0) { count, offsets in
            guard offsets.0 != LogPosition.unread, offsets.1 != LogPosition.unread else { return count }
            return count + max(0, offsets.1 - offsets.0)
        }
    }

    // MARK: EventLog

    package func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        guard let appender else {
            return completion(.failure(LogFailure(.unavailable, "the log was opened for reading only")))
        }
        appender.append(batch, completion: completion)
    }

    package func onAppend(_ callback: @escaping @Sendable () -> Void) { readers.onRecords(callback) }

    /// Kafka's own retention removes, whatever is unfinished.
    package func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition) {}

    /// Headers, the key and framing take some of a record.
    package var maximumPayloadBytes: Int { max(1, options.maximumRecordBytes - 16 << 10) }

    package func statistics() -> LogStatistics { appender?.statistics ?? LogStatistics() }
}
