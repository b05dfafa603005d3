package struct TopicDescription: Sendable, Hashable {
    package var name: String
    package var partitions: Int
    /// Replicas of the partition that has the fewest.
    package var replication: Int

    package init(name: String, partitions: Int, replication: Int) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
    }
}

/// A topic to be created.
package struct NewTopic: Sendable, Hashable {
    package var name: String
    package var partitions: Int
    /// Nil: the cluster's default.
    package var replication: Int?
    /// Kafka's own names of a topic's settings.
    package var configuration: [String: String]

    package init(name: String, partitions: Int, replication: Int? = nil, configuration: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.configuration = configuration
    }
}

/// Asks a cluster about its topics and groups, and changes them. Calls block, each no longer than the timeout; what passes
/// (a leader that moves, a broker that restarts) is tried again within it.
package final class KafkaAdmin: Sendable {
    let client: Client
    let timeout: Duration
    private let configuration: KafkaConfiguration
    private let group: String

    /// - Parameter group: what librdkafka is to take for this client's own group. Nobody ever joins it, but without one
    ///   the answer that a group's coordinator has moved ends the process (librdkafka 2.0.2, `rd_kafka_handle_OffsetFetch`).
    /// - Throws: `configuration`.
    package init(
        _ configuration: KafkaConfiguration, timeout: Duration = .seconds(10), group: String = "gatehouse.admin"
    ) throws(KafkaFailure) {
        self.timeout = timeout
        self.configuration = configuration
        self.group = group
        // A consumer, because asking as a producer creates the topics asked about.
        client = try Client(
            .consumer, configuration, defaults: [("allow.auto.create.topics", "false")],
            settled: [("enable.auto.commit", "false"), ("group.id", group)],
            context: ClientContext(configuration, onStatistics: nil))
    }

    /// Another one of the same, that has learnt nothing yet.
    func fresh(timeout: Duration) throws(KafkaFailure) -> KafkaAdmin {
        try KafkaAdmin(configuration, timeout: timeout, group: group)
    }
}
