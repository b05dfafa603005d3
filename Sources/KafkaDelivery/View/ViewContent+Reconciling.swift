internal import Delivery
internal import EventLog
internal import KafkaLog

/// What is told of everything together. The log's end is the one that was read with the accounts.
extension ViewContent {
    func reconcile() throws -> Reconciliation {
        let instances = instances
        var result = try Reconciliation(store: store, log: FixedLog(log, head: head), statistics: statistics)
        result.duplicates = instances.reduce(0) { $0 + $1.duplicates }
        result.quarantined = instances.reduce(0) { $0 + $1.quarantined }
        result.spooled = instances.reduce(0) { $0 + $1.spooled }
        return result
    }

    func statuses() throws -> [TargetStatus] {
        try TargetStatus.stopped(store: store, log: FixedLog(log, head: head), statistics: statistics)
    }

    func replayStatuses() throws -> [ReplayStatus] {
        try ReplayStatus.stopped(store: store, log: FixedLog(log, head: head))
    }

    /// Every record ever written to the log has an offset of its own, so that its end tells how many were accepted.
    private var statistics: LogStatistics {
        var statistics = LogStatistics()
        var places: Int64 = 0
        for (partition, end) in head.offsets.enumerated() {
            places += end
            if layout.isSystem(Int32(partition)) { statistics.system += end }
        }
        statistics.attribute(places)
        return statistics
    }

    /// As each has told last.
    var instances: [InstanceRecord] {
        control.compactMap { key, entry in
            guard case .instance = key else { return nil }
            return entry.record(InstanceRecord.self, decoder)
        }
    }
}
