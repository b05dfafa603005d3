package import Addresses

/// Where events are kept.
package enum LogSettings: Sendable, Hashable {
    /// In the data folder.
    case embedded
    case kafka(KafkaLogSettings)

    package var kafka: KafkaLogSettings? {
        if case .kafka(let settings) = self { settings } else { nil }
    }
}

/// A log in Kafka, as it is configured.
package struct KafkaLogSettings: Sendable, Hashable {
    /// `host:port`. Empty where a reference has no value here.
    package var brokers: [String] = []
    /// For people: references as they are written.
    package var display = ""
    /// What this instance is called; nil: the machine's name and an id kept in the data folder.
    package var instance: String?
    /// Every topic's and every group's name begins with it and a dot.
    package var prefix = "gatehouse"
    /// Of each topic.
    package var partitions = 6
    /// Copies of each topic; nil: as the brokers have it.
    package var replication: Int?
    /// Copies that must have an event before it is acknowledged; nil: as the brokers have it.
    package var minimumInSyncReplicas: Int?
    package var createsTopics = true
    /// Bytes that may wait for Kafka on this machine's disk; nil: none do.
    package var spoolBytes: Int? = Self.defaultSpoolBytes
    /// Whether a record's value is the whole event, not its data alone.
    package var isStructured = false
    /// librdkafka's own. Values may be secrets.
    package var properties: [String: String] = [:]
    /// What properties have no value here, by their references.
    package var unresolved: [String] = []
    /// Asked about every address before it is connected to; nil: any is good.
    package var addressGuard: AddressGuard?

    package static let defaultSpoolBytes = 4 << 30
    package static let partitionLimits = 1...128
    package static let replicationLimits = 1...15
    package static let longestPrefix = 100

    package init() {}
}
