internal import Configuration
internal import Delivery
internal import EventLog
internal import Glibc
internal import KafkaDelivery
internal import KafkaLog
internal import Logging
internal import Metrics
internal import Synchronization

/// A log in Kafka, shared with other instances. In the data folder there is what this one has in hand, and the spool.
final class KafkaStorage: InstanceStorage {
    private let lock: InstanceLock
    private let events: KafkaEventLog
    private let sharing: KafkaSharing
    private let view: KafkaView
    let state: DeliveryStore

    /// How far it is looked back for an event of a source, in steps and in events of each.
    private static let pages = 20
    private static let scanning = 10_000

    /// Of the time there is for stopping, what is left for giving back the work when deliveries take all the rest.
    static let forLeaving = Duration.seconds(2)

    init(
        _ settings: KafkaLogSettings, _ configuration: Configuration, acceptLoss: Bool, metrics: MetricsRegistry,
        logger: Logger
    ) throws {
        let folder = configuration.dataFolder
        lock = try InstanceLock(folder: folder)
        try PrivateFile.makeFolder(Self.folder(in: folder))
        let name = try InstanceName.kept(settings, dataFolder: folder)
        var options = KafkaLogOptions(settings, of: configuration, instance: name)
        options.acceptsLoss = acceptLoss
        let told = StatisticsRelay()
        options.onStatistics = { told.tell($0, $1) }
        Self.tellOfEmbeddedLog(in: folder, logger)
        do throws(KafkaLogError) {
            events = try KafkaEventLog.open(options, logger: logger)
        } catch {
            throw error.code == .unreachable
                ? KafkaLogError(.unreachable, "Kafka at \(settings.display): \(error.message)") : error
        }
        state = try DeliveryStore.open(folder: Self.folder(in: folder), keepsHistory: false)
        view = try KafkaView(options, log: events, logger: logger)
        sharing = try KafkaSharing(options, log: events, view: view, metrics: metrics, logger: logger) { keeper in
            told.listen { [weak keeper] client, json in keeper?.metrics.listener(client.rawValue)(json) }
        }
        events.locate { [weak view] in view?.place(of: $0) }
        register(in: metrics)
    }

    private func register(in metrics: MetricsRegistry) {
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (SpoolStatus) -> Double?) {
            metrics.collected(name, help) { [weak self] in
                self.flatMap { value($0.status) }.map { [([], $0)] } ?? []
            }
        }
        gauge("gatehouse_spool_events", "Events that are acknowledged, in the spool, and not yet in Kafka.") {
            Double($0.events)
        }
        gauge("gatehouse_spool_size_bytes", "Space the spool uses.") { Double($0.bytes) }
        gauge("gatehouse_spool_size_limit_bytes", "Space the spool may use.") { Double($0.maximumBytes) }
        gauge("gatehouse_spool_dead_letters", "Events that were acknowledged and that Kafka refused for good.") {
            Double($0.deadLetters)
        }
        gauge("gatehouse_kafka_available", "1 while Kafka acknowledges events.") { $0.isKafkaAway ? 0 : 1 }
    }

    /// Where an instance keeps what it has in hand.
    static func folder(in dataFolder: String) -> String { dataFolder + "/kafka" }

    /// Its events are delivered by nobody while the log is in Kafka.
    private static func tellOfEmbeddedLog(in dataFolder: String, _ logger: Logger) {
        guard unsafe access(dataFolder + "/events.db", F_OK) == 0 else { return }
        logger.warning(
            "embedded_log_left",
            "\(dataFolder) holds an embedded log. What it has not delivered stays there until an instance runs with "
                + "`log: embedded` once more.")
    }

    var log: any EventLog & EventIndex { events }
    var keeper: (any StateKeeper)? { sharing.keeper }

    func desk(of engine: DeliveryEngine) throws -> DeliveryDesk {
        DeliveryDesk(records: view.store, operations: try sharing.operations(of: engine))
    }

    func lastAccepted(_ source: String) -> Int64? {
        var filter = EventFilter()
        filter.sources = [source]
        var end: LogPosition?
        for _ in 0..<Self.pages {
            guard
                let page = try? events.newest(
                    filter, before: end, limit: 1, scanning: Self.scanning, maximumBytes: 1 << 20)
            else { return nil }
            if let record = page.records.first { return record.receivedAtMs }
            guard let next = page.next else { return nil }
            end = next
        }
        return nil
    }

    /// Kafka's own space is its administrator's: what may fill here is the spool.
    func fill(_ lowestUnfinished: LogPosition) -> LogFill {
        let spool = status
        return LogFill(
            reason: "spool", unfinished: spool.events, kept: spool.events, bytes: spool.bytes,
            maximumBytes: spool.maximumBytes)
    }

    private var status: SpoolStatus { events.appender?.status ?? SpoolStatus() }

    var warnings: [String] {
        let spool = status
        var warnings = events.problem.map { [$0] } ?? []
        if let damage = events.damage { warnings.append(damage) }
        if spool.isKafkaAway, warnings.isEmpty { warnings.append("Kafka acknowledges nothing at present") }
        if spool.events > 0 { warnings.append("\(Self.events(spool.events)) in the spool for Kafka") }
        if spool.deadLetters > 0 {
            warnings.append(
                "Kafka refused for good what the spool keeps as its dead letters: \(spool.deadLetters) "
                    + "(`gatehouse kafka dead-letters list`)")
        }
        return warnings
    }

    private static func events(_ count: Int64) -> String {
        "\(count) acknowledged event\(count == 1 ? " waits" : "s wait")"
    }

    func close(by deadline: ContinuousClock.Instant) throws -> Int64 {
        sharing.close(within: max(Self.forLeaving, deadline - .now))
        let spooled = events.close(within: max(.zero, deadline - .now))
        try state.close()
        return spooled
    }
}

/// Hands on what clients tell of themselves, once somebody listens.
private final class StatisticsRelay: Sendable {
    typealias Listener = @Sendable (KafkaLogOptions.Client, [UInt8]) -> Void
    private let listener = Mutex<Listener?>(nil)

    func listen(_ listener: @escaping Listener) { self.listener.withLock { $0 = listener } }
    func tell(_ client: KafkaLogOptions.Client, _ json: [UInt8]) { listener.withLock { $0 }?(client, json) }
}

extension Configuration {
    /// Opens what an instance of this configuration works with.
    func openStorage(acceptLoss: Bool, metrics: MetricsRegistry, logger: Logger) throws -> any InstanceStorage {
        guard let kafka = log.kafka else {
            return try EmbeddedStorage(self, acceptLoss: acceptLoss, metrics: metrics, logger: logger)
        }
        return try KafkaStorage(kafka, self, acceptLoss: acceptLoss, metrics: metrics, logger: logger)
    }

    /// Reads Kafka for an instance that does not run.
    func openArchive(inKafka settings: KafkaLogSettings) throws -> Archive {
        guard !settings.brokers.isEmpty else {
            throw KafkaLogError(
                .configuration, "what \(settings.unresolved.joined(separator: ", ")) stands for is not set here")
        }
        let name = InstanceName.known(settings, dataFolder: dataFolder) ?? "gatehouse"
        let options = KafkaLogOptions(settings, of: self, instance: name)
        let logger = Logger.standardError(.text, minimum: .warning)
        let log = try KafkaEventLog.openReadOnly(options, logger: logger)
        let view = try KafkaView(options, log: log, logger: logger)
        return Archive(
            log: log, records: view.store,
            refusals: try? DeliveryStore.openReadOnly(folder: KafkaStorage.folder(in: dataFolder)),
            targets: { try view.targets() }, reconcile: { try view.reconcile() },
            replays: { try view.replays() })
    }
}
