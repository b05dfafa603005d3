internal import Addresses
internal import Configuration
internal import Console
internal import Delivery
internal import EventLog
internal import Events
internal import HTTPClient
internal import HTTPServer
internal import Ingest
internal import Logging
internal import Metrics
internal import Rules
internal import Synchronization
internal import Targets

/// One running Gatehouse: everything opened, wired and started, in the order it is closed in reverse.
final class Instance: Sendable {
    let metrics = MetricsRegistry()
    let delivery: DeliveryEngine
    private let logger: Logger
    private let log: SQLiteEventLog
    private let store: DeliveryStore
    private let client: HTTPClient
    private let intake: Intake
    private let servers: Servers
    private let readiness: Readiness
    private let teams: TeamDesk
    private let routes: RouteBoard
    private let sources = SourceBoard()
    private let reader = SourceReader()
    private let access = AccessDesk()
    private let explaining = ExplainDesk()
    private let keys: KeyCollector
    private let systemEvents: SystemEvents
    private let watch: Watch
    /// The configuration it was opened with.
    private let opened: Configuration

    /// Opens everything and listens; what cannot be opened is an error that says what to do.
    init(_ configuration: Configuration, acceptLoss: Bool = false, logger: Logger) throws {
        self.logger = logger
        opened = configuration
        log = try SQLiteEventLog.open(
            folder: configuration.dataFolder,
            options: EventLogOptions(configuration, acceptLoss: acceptLoss, logger: logger))
        store = try DeliveryStore.open(folder: configuration.dataFolder)
        client = HTTPClient()
        delivery = try DeliveryEngine(
            log: log, store: store, plan: configuration.routes, blueprints: configuration.targets,
            context: TargetContext(client: client, hostname: Machine.name, logger: logger), metrics: metrics,
            logger: logger,
            retention: DeliveryRetention(
                age: configuration.retention.age, history: configuration.retention.history,
                deadLetters: configuration.retention.deadLetters))
        intake = Intake(
            log: log, configuration: configuration.intake, folder: configuration.dataFolder, metrics: metrics,
            onRefusal: { [store] in store.refuse(RefusalEntry($0)) })
        readiness = Readiness(log: log, delivery: delivery)
        systemEvents = SystemEvents(log: log, metrics: metrics, logger: logger)
        watch = Watch(log: log, delivery: delivery, events: systemEvents, metrics: metrics, logger: logger)
        teams = TeamDesk(
            dataFolder: configuration.dataFolder, metrics: metrics, logger: logger,
            onRefused: { [systemEvents] in systemEvents.raise($0) })
        routes = RouteBoard()
        keys = KeyCollector(log: log, dataFolder: configuration.dataFolder, logger: logger)
        let records = LocalRecords(
            log: log, store: store, targets: { [delivery] in delivery.targets() },
            balance: { [delivery] in delivery.reconcile() }, routes: { [routes] in routes.listing },
            routeErrors: { [delivery] in delivery.routeErrors }, sources: { [sources] in sources.facts },
            history: RequestHistory(
                log: log, store: store, hostname: Machine.name,
                settings: { [delivery] in delivery.settings(of: $0) }))
        let desk = OperatorDesk(engine: delivery, store: store)
        let api = APIHandler(
            access: access, records: records, desk: desk, explainer: explaining, metrics: metrics
        ) { [store] in try store.audit($0) }
        servers = try Servers(
            configuration, intake: intake,
            console: ConsoleHandler(
                metrics: metrics, problems: { [readiness] in readiness.problems },
                teams: { [teams] in teams.standings }, api: api),
            control: ControlHandler(records: records, desk: desk))
        LogMetrics.register(log, in: metrics)
    }

    /// Begins to deliver and to take requests.
    func start() throws {
        log.retain { [delivery] in delivery.lowestUnfinished() }
        delivery.onIncident = { [systemEvents] in systemEvents.raise(Incident($0)) }
        delivery.decodeAgain = { [reader] in reader.decodeAgain($0, $1) }
        reader.adopt(opened)
        try delivery.start()
        adopt(opened)
        servers.start()
        keys.start()
        watch.start()
        readiness.begin()
        logger.info(
            "ready", "Ready: senders post to \(servers.intakeAddress).",
            ["intake": .init(servers.intakeAddress), "console": .init(servers.consoleAddress)])
    }

    /// Where the last version of each team's files is kept.
    var teamVersions: TeamVersionStore { teams.versions }

    private func adopt(_ configuration: Configuration) {
        routes.adopt(configuration.rules)
        sources.adopt(configuration)
        reader.adopt(configuration)
        access.adopt(AccessRules(configuration))
        explaining.adopt(configuration)
        teams.adopt(configuration.rules.teams)
        watch.adopt(configuration.sources)
    }

    var intakeAddress: String { servers.intakeAddress }
    var consoleAddress: String { servers.consoleAddress }

    /// Takes over a new configuration without dropping a request.
    func reload(_ configuration: Configuration) throws {
        try delivery.reload(plan: configuration.routes, blueprints: configuration.targets)
        intake.reload(configuration.intake)
        adopt(configuration)
        for change in try servers.reload(configuration) + restarts(configuration) {
            logger.warning("reload_needs_restart", "\(change) has changed; it takes effect at the next start.")
        }
        logger.info(
            "reloaded", "The configuration was reloaded.",
            [
                "sources": .init(configuration.sources.count), "targets": .init(configuration.targets.count),
                "routes": .init(configuration.routes.routes.count),
            ])
    }

    /// Settings of the log that only a restart changes.
    private func restarts(_ configuration: Configuration) -> [String] {
        var names: [String] = []
        if configuration.retention != opened.retention { names.append("retention:") }
        if configuration.dedupe != opened.dedupe { names.append("dedupe:") }
        if configuration.shutdown != opened.shutdown { names.append("shutdown:") }
        return names
    }

    /// Stops the intake, finishes what is in hand within `shutdown:`, and closes everything.
    func stop() {
        let deadline = ContinuousClock.now + opened.shutdown
        readiness.end()
        servers.stopIntake()
        intake.stop()
        servers.stopAll()
        keys.stop()
        watch.stop()
        delivery.stop(within: max(.zero, deadline - .now))
        systemEvents.stop()
        client.shutdown()
        log.close()
        do {
            try store.close()
        } catch {
            logger.error("state_close_failed", "The delivery state could not be closed cleanly: \(error)")
        }
        logger.info("stopped", "Stopped.")
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

extension RefusalEntry {
    fileprivate init(_ refusal: Refusal) {
        self.init(
            atMs: refusal.at.milliseconds, source: refusal.source, address: refusal.address?.description,
            code: refusal.code, detail: refusal.detail, size: refusal.size, sha256: refusal.sha256)
    }
}

/// Whether this instance should get requests, and why not.
final class Readiness: Sendable {
    private let isServing = Atomic(false)
    private let log: SQLiteEventLog
    private let delivery: DeliveryEngine

    init(log: SQLiteEventLog, delivery: DeliveryEngine) {
        self.log = log
        self.delivery = delivery
    }

    func begin() { isServing.store(true, ordering: .relaxed) }
    func end() { isServing.store(false, ordering: .relaxed) }

    var problems: [String] {
        var problems: [String] = []
        if !isServing.load(ordering: .relaxed) { problems.append("the instance is starting or stopping") }
        if let failure = log.statistics().unavailable { problems.append(failure.message) }
        if let failure = delivery.storeFailure { problems.append("the delivery state cannot be written: \(failure)") }
        return problems
    }
}
