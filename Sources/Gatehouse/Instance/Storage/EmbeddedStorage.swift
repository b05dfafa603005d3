internal import Configuration
internal import Delivery
internal import EventLog
internal import Logging
internal import Metrics

/// The embedded log: everything is in the data folder.
final class EmbeddedStorage: InstanceStorage {
    private let events: SQLiteEventLog
    let state: DeliveryStore

    init(
        _ configuration: Configuration, acceptLoss: Bool, metrics: MetricsRegistry, logger: Logger
    ) throws {
        events = try SQLiteEventLog.open(
            folder: configuration.dataFolder,
            options: EventLogOptions(configuration, acceptLoss: acceptLoss, logger: logger))
        state = try DeliveryStore.open(folder: configuration.dataFolder)
        LogMetrics.registerSizes(events, in: metrics)
    }

    var log: any EventLog & EventIndex { events }
    var keeper: (any StateKeeper)? { nil }
    var warnings: [String] { [] }

    func desk(of engine: DeliveryEngine) -> DeliveryDesk { DeliveryDesk(records: state, operations: engine) }

    func lastAccepted(_ source: String) -> Int64? { nil }

    func fill(_ lowestUnfinished: LogPosition) -> LogFill {
        let head = events.head
        let kept = events.count(from: events.beginning, to: head)
        let unfinished = min(kept, events.count(from: lowestUnfinished, to: head))
        let statistics = events.statistics()
        return LogFill(
            reason: "unfinished_events", unfinished: unfinished, kept: kept, bytes: statistics.bytes,
            maximumBytes: statistics.maximumBytes)
    }

    func close(by deadline: ContinuousClock.Instant) throws -> Int64 {
        events.close()
        try state.close()
        return 0
    }
}

extension EventLogOptions {
    fileprivate init(_ configuration: Configuration, acceptLoss: Bool, logger: Logger) {
        self.init()
        maximumAge = configuration.retention.age
        maximumBytes = Int64(configuration.retention.size)
        dedupeWindow = configuration.dedupe
        self.acceptLoss = acceptLoss
        self.logger = logger
    }
}
