package import Events
package import Kafka

/// What a log in Kafka is opened with.
package struct KafkaLogOptions: Sendable {
    /// The cluster. Its `clientID` is the instance's name, by which instances keep to the same shards of every target.
    package var kafka: KafkaConfiguration
    /// Every topic's name begins with it and a dot.
    package var prefix: String
    /// Of each topic of events, of retries and of dead letters.
    package var partitions: Int
    /// Of topics that are created; nil: the cluster's own default.
    package var replication: Int?
    /// `min.insync.replicas` of topics that are created; nil: the cluster's own default.
    package var minimumInSyncReplicas: Int?
    /// Whether topics that are missing are created; otherwise they are an error.
    package var createsTopics: Bool
    /// Whether what Kafka has not acknowledged in time is kept on this machine's disk until it has.
    package var spools: Bool
    /// Whether events are written in CloudEvents' structured mode; both modes are read.
    package var isStructured: Bool
    /// `retention.ms` of the topics of events that are created; nil: for ever.
    package var retentionAge: Duration?
    /// `retention.ms` of the topic of attempts.
    package var historyAge = Duration.seconds(3 * 86_400)
    /// For how long an event that comes again, through another instance, is recognised.
    package var repeatWindow: Duration
    /// How long Kafka has for an acknowledgement before the spool keeps the event.
    package var acknowledgementLimit: Duration
    /// The types whose topics there are from the start; others are created when they are first needed.
    package var types: Set<CanonicalType>
    package var spoolFolder: String
    package var maximumSpoolBytes: Int64
    /// Opens a damaged spool with what is left of it.
    package var acceptsLoss = false
    /// For how long an event that comes again through this instance is recognised.
    package var dedupeWindow = Duration.seconds(7 * 86_400)
    /// Given librdkafka's own statistics (JSON) every five seconds: the producer's, and those of the reader at the end.
    package var onStatistics: (@Sendable (Client, [UInt8]) -> Void)?

    /// Whose statistics they are.
    package enum Client: String, Sendable, CaseIterable {
        case producer, reader
    }

    func statisticsHook(_ client: Client) -> (@Sendable ([UInt8]) -> Void)? {
        guard let onStatistics else { return nil }
        return { onStatistics(client, $0) }
    }

    package init(
        kafka: KafkaConfiguration, prefix: String = "gatehouse", partitions: Int = 6, replication: Int? = nil,
        minimumInSyncReplicas: Int? = nil, createsTopics: Bool = true, spools: Bool = true,
        isStructured: Bool = false, retentionAge: Duration? = nil, repeatWindow: Duration = .seconds(3600),
        acknowledgementLimit: Duration = .seconds(2), types: Set<CanonicalType> = [], spoolFolder: String,
        maximumSpoolBytes: Int64 = 4 << 30
    ) {
        self.kafka = kafka
        self.prefix = prefix
        self.partitions = partitions
        self.replication = replication
        self.minimumInSyncReplicas = minimumInSyncReplicas
        self.createsTopics = createsTopics
        self.spools = spools
        self.isStructured = isStructured
        self.retentionAge = retentionAge
        self.repeatWindow = repeatWindow
        self.acknowledgementLimit = acknowledgementLimit
        self.types = types
        self.spoolFolder = spoolFolder
        self.maximumSpoolBytes = maximumSpoolBytes
    }

    /// Of a record where the properties do not say `message.max.bytes`: the largest body that a source takes unless it says
    /// otherwise (1 MiB) stands in its event as received, and much of it once more in fields.
    package static let defaultRecordBytes = 4 << 20

    /// The largest record of an event, in bytes.
    package var maximumRecordBytes: Int {
        kafka.properties["message.max.bytes"].flatMap { Int($0) } ?? Self.defaultRecordBytes
    }

    package var layout: LogLayout { LogLayout(prefix: prefix, partitions: partitions) }
}
