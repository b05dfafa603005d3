internal import Configuration
internal import Events
internal import Ingest
internal import Kafka
internal import KafkaLog
internal import Vendors

extension KafkaLogOptions {
    /// - Parameter instance: what brokers know this instance by.
    init(_ settings: KafkaLogSettings, of configuration: Configuration, instance: String) {
        self.init(
            kafka: KafkaConfiguration(
                brokers: settings.brokers, properties: settings.properties, addressGuard: settings.addressGuard,
                clientID: instance),
            prefix: settings.prefix, partitions: settings.partitions, replication: settings.replication,
            minimumInSyncReplicas: settings.minimumInSyncReplicas, createsTopics: settings.createsTopics,
            spools: settings.spoolBytes != nil, isStructured: settings.isStructured,
            retentionAge: configuration.retention.age, types: configuration.eventTypes,
            spoolFolder: configuration.dataFolder + "/spool",
            maximumSpoolBytes: Int64(settings.spoolBytes ?? KafkaLogSettings.defaultSpoolBytes))
        historyAge = configuration.retention.history
        dedupeWindow = configuration.dedupe
    }
}

extension Configuration {
    /// The types that its sources are known to have events of, and what Gatehouse itself writes.
    var eventTypes: Set<CanonicalType> {
        let own = CanonicalType.allCases.filter(\.isSystem)
        let configured = sources.flatMap { $0.settings.events.values }
        return Set(sources.flatMap { $0.vendor.events.map(\.type) } + configured + own)
    }
}
