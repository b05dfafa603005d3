package import Events
package import Kafka

/// A topic as it is to be.
package struct WantedTopic: Sendable, Hashable {
    /// How old records go.
    package enum Cleanup: String, Sendable {
        /// After some time.
        case delete
        /// When a newer one of the same key has come.
        case compact
    }

    package var name: String
    package var partitions: Int
    package var replication: Int?
    package var minimumInSyncReplicas: Int?
    package var cleanup: Cleanup
    /// Nil: records are kept for ever.
    package var retention: Duration?
    /// The largest record it takes, in bytes; nil: the cluster's own default.
    package var maximumRecordBytes: Int?

    /// The configuration it is created with, by Kafka's names.
    package var configuration: [String: String] {
        var entries = ["cleanup.policy": cleanup.rawValue, "message.timestamp.type": "CreateTime"]
        if let minimumInSyncReplicas { entries["min.insync.replicas"] = "\(minimumInSyncReplicas)" }
        if cleanup == .delete { entries["retention.ms"] = retention.map { "\($0.wholeMilliseconds)" } ?? "-1" }
        // Whoever takes over counts by the records themselves: the cleaner leaves alone what is not counted yet.
        if cleanup == .compact { entries["min.compaction.lag.ms"] = "3600000" }
        if let maximumRecordBytes { entries["max.message.bytes"] = "\(maximumRecordBytes)" }
        return entries
    }

    package var asNew: NewTopic {
        NewTopic(name: name, partitions: partitions, replication: replication, configuration: configuration)
    }

    /// The command that creates it with Kafka's own tools.
    package func command(brokers: [String]) -> String {
        let settings = configuration.sorted { $0.key < $1.key }.map { " --config \($0.key)=\($0.value)" }
        let replicas = replication.map { " --replication-factor \($0)" } ?? ""
        return "kafka-topics.sh --bootstrap-server \(brokers.joined(separator: ",")) --create --if-not-exists --topic "
            + "\(name) --partitions \(partitions)\(replicas)\(settings.joined())"
    }
}

extension KafkaLogOptions {
    private func wanted(
        _ name: String, _ partitions: Int, _ cleanup: WantedTopic.Cleanup, retention: Duration? = nil
    ) -> WantedTopic {
        WantedTopic(
            name: name, partitions: partitions, replication: replication,
            minimumInSyncReplicas: minimumInSyncReplicas, cleanup: cleanup, retention: retention)
    }

    package func topic(of type: CanonicalType) -> WantedTopic {
        var topic = wanted(layout.topic(type), partitions, .delete, retention: retentionAge)
        topic.maximumRecordBytes = maximumRecordBytes
        return topic
    }

    /// Topics of state that do not depend on targets.
    package var standingTopics: [WantedTopic] {
        let names = StateTopics(prefix: prefix)
        return [
            wanted(names.attempts, partitions, .delete, retention: historyAge),
            wanted(names.cursors, 1, .compact),
            wanted(names.quarantine, 1, .delete, retention: retentionAge),
            wanted(names.audit, 1, .delete, retention: auditRetention),
        ]
    }

    package func topics(ofTarget target: String) -> [WantedTopic] {
        let names = StateTopics(prefix: prefix)
        return [names.retry(target), names.dead(target)].map { name in
            var topic = wanted(name, partitions, .compact)
            topic.maximumRecordBytes = maximumStateBytes
            return topic
        }
    }

    /// An event that waits, or is dead, takes more than in its own topic: what is known of it is with it.
    package var maximumStateBytes: Int { min(maximumRecordBytes + (2 << 20), 1_000_000_000) }

    private var auditRetention: Duration { .seconds(90 * 86_400) }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
