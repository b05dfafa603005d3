internal import Configuration
internal import Delivery
internal import EventLog

/// What a stopped instance has left, for reading.
struct Archive {
    var log: any LogReader & EventIndex
    /// Of deliveries and dead letters.
    var records: DeliveryStore
    /// Of this instance's refusals; nil: it never ran with this folder.
    var refusals: DeliveryStore?
    var targets: @Sendable () throws -> [TargetStatus]
    var reconcile: @Sendable () throws -> Reconciliation
    var replays: @Sendable () throws -> [ReplayStatus]
}

extension Configuration {
    /// Opens the files of the data folder, or reads Kafka, and changes neither.
    func openArchive() throws -> Archive {
        if let kafka = log.kafka { return try openArchive(inKafka: kafka) }
        let log = try SQLiteEventArchive.openReadOnly(folder: dataFolder)
        let store = try DeliveryStore.openReadOnly(folder: dataFolder)
        return Archive(
            log: log, records: store, refusals: store,
            targets: { try TargetStatus.stopped(store: store, log: log, statistics: log.statistics()) },
            reconcile: { try Reconciliation(store: store, log: log, statistics: log.statistics()) },
            replays: { try ReplayStatus.stopped(store: store, log: log) })
    }
}
