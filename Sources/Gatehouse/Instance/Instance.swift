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
    /// All deliveries, of every instance.
    let desk: DeliveryDesk
    private let logger: Logger
    private let storage: any InstanceStorage
    private let client: HTTPClient
    private let intake: Intake
    private let asker: TargetAsker
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
        let storage = try configuration.openStorage(acceptLoss: acceptLoss, metrics: metrics, logger: logger)
        self.storage = storage
        let log = storage.log
        client = HTTPClient()
        delivery = try DeliveryEngine(
            log: log, store: storage.state, plan: configuration.routes, blueprints: configuration.targets,
            context: TargetContext(client: client, hostname: Machine.name, logger: logger), metrics: metrics,
            logger: logger,
            retention: DeliveryRetention(
                age: configuration.retention.age, history: configuration.retention.history,
                deadLetters: configuration.retention.deadLetters),
            keeper: storage.keeper)
        desk = try storage.desk(of: delivery)
        asker = TargetAsker(logger: logger)
        asker.adopt(configuration.targets)
        let installations = InstallationStore(dataFolder: configuration.dataFolder)
        intake = Intake(
            log: log, configuration: configuration.intake(asking: asker), folder: configuration.dataFolder,
            metrics: metrics,
            keepInstallation: { installation in
                guard try installations.keep(installation) else { return }
                logger.info(
                    "installation_known",
                    "An app was set up for the source \(installation.source): installation \(installation.id).",
                    ["source": .init(installation.source), "install": .init(installation.id)])
            },
            onRefusal: { storage.state.refuse(RefusalEntry($0)) })
        readiness = Readiness(storage, delivery: delivery)
        systemEvents = SystemEvents(log: log, metrics: metrics, logger: logger)
        watch = Watch(storage, delivery: delivery, events: systemEvents, metrics: metrics, logger: logger)
        teams = TeamDesk(
            dataFolder: configuration.dataFolder, metrics: metrics, logger: logger,
            onRefused: { [systemEvents] in systemEvents.raise($0) })
        routes = RouteBoard()
        keys = KeyCollector(log: log, dataFolder: configuration.dataFolder, logger: logger)
        let records = LocalRecords(
            log: log, store: desk.records, refusals: storage.state,
            targets: { [desk] in try desk.operations.targets() },
            balance: { [desk] in try desk.operations.reconcile() }, routes: { [routes] in routes.listing },
            routeErrors: { [delivery] in delivery.routeErrors }, sources: { [sources] in sources.facts },
            history: RequestHistory(
                log: log, store: desk.records, hostname: Machine.name,
                settings: { [delivery] in delivery.settings(of: $0) }))
        let operators = OperatorDesk(engine: desk.operations, store: desk.records)
        let api = APIHandler(
            access: access, records: records, desk: operators, explainer: explaining, metrics: metrics
        ) { [desk] in try desk.operations.audit($0) }
        servers = try Servers(
            configuration, intake: intake,
            console: ConsoleHandler(
                metrics: metrics,
                problems: { [readiness, intake] in
                    readiness.problems + (intake.decisionProblem.map { [$0] } ?? [])
                },
                warnings: { storage.warnings },
                teams: { [teams] in teams.standings }, api: api),
            control: ControlHandler(records: records, desk: operators))
        LogMetrics.register(log, in: metrics)
    }

    /// Begins to deliver and to take requests.
    func start() throws {
        storage.log.retain { [delivery] in delivery.lowestUnfinished() }
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
        tellOfUndecided(configuration)
    }

    /// Who set a source to decide is told where nothing is decided.
    private func tellOfUndecided(_ configuration: Configuration) {
        guard configuration.rules.decisions == nil else { return }
        for source in configuration.sources where source.answerWithin != nil {
            logger.info(
                "nothing_decided",
                "The source \(source.name) may wait for decisions, and there are no `decisions:`: every visitor is let in.",
                ["source": .init(source.name)])
        }
    }

    var intakeAddress: String { servers.intakeAddress }
    var consoleAddress: String { servers.consoleAddress }

    /// Takes over a new configuration without dropping a request.
    func reload(_ configuration: Configuration) throws {
        try delivery.reload(plan: configuration.routes, blueprints: configuration.targets)
        asker.adopt(configuration.targets)
        intake.reload(configuration.intake(asking: asker))
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
        if configuration.log != opened.log { names.append("log:") }
        if configuration.retention != opened.retention { names.append("retention:") }
        if configuration.dedupe != opened.dedupe { names.append("dedupe:") }
        if configuration.shutdown != opened.shutdown { names.append("shutdown:") }
        return names
    }

    /// Stops the intake, finishes what is in hand within `shutdown:`, and closes everything.
    /// - Returns: how many acknowledged events are on this machine's disk alone, and in no log.
    func stop() -> Int64 {
        let deadline = ContinuousClock.now + opened.shutdown
        readiness.end()
        servers.stopIntake()
        intake.stop()
        servers.stopAll()
        keys.stop()
        watch.stop()
        delivery.stop(within: max(.zero, deadline - .now))
        systemEvents.stop()
        asker.shutdown()
        client.shutdown()
        let spooled = close(by: deadline)
        if spooled > 0 {
            logger.error(
                "stopped_with_spool",
                "Stopped, with \(spooled) acknowledged events in the spool: start this instance again with the same data "
                    + "folder.", ["events": .integer(spooled)])
        } else {
            logger.info("stopped", "Stopped.")
        }
        return spooled
    }

    private func close(by deadline: ContinuousClock.Instant) -> Int64 {
        do {
            return try storage.close(by: deadline)
        } catch {
            logger.error("state_close_failed", "The delivery state could not be closed cleanly: \(error)")
            return 0
        }
    }
}

extension Configuration {
    fileprivate func intake(asking asker: any DecisionAsker) -> IntakeConfiguration {
        var intake = intake
        intake.asker = asker
        return intake
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
    private let storage: any InstanceStorage
    private let delivery: DeliveryEngine

    init(_ storage: any InstanceStorage, delivery: DeliveryEngine) {
        self.storage = storage
        self.delivery = delivery
    }

    func begin() { isServing.store(true, ordering: .relaxed) }
    func end() { isServing.store(false, ordering: .relaxed) }

    var problems: [String] {
        var problems: [String] = []
        if !isServing.load(ordering: .relaxed) { problems.append("the instance is starting or stopping") }
        if let failure = storage.log.statistics().unavailable { problems.append(failure.message) }
        if let failure = delivery.storeFailure { problems.append("the delivery state cannot be written: \(failure)") }
        return problems
    }
}
