internal import Configuration
internal import Delivery
internal import HTTPServer
internal import Ingest
internal import Logging
internal import Targets
internal import Vendors
internal import YAML

struct DemoCommand: Command {
    let name = "demo"
    let summary = "shows the whole way of an event, with simulated senders and local receivers"
    let synopsis = "[-c FILE] [--keep] [--brokers HOST:PORT,…]"
    let options: [Option] = [
        .configuration, .flag("keep", "go on until it is stopped, and keep what it recorded to look at"),
        .value("pause", "MS", "milliseconds between events (default 120)"),
        .value("brokers", "LIST", "keep the events in this Kafka, in topics of its own"),
    ]
    let example = "gatehouse demo -c deploy/gatehouse.yaml"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let pause = try arguments.integer("pause", in: 0...60_000) ?? 120
        let isKept = arguments.has("keep")
        var signals = SignalWaiter()
        let screen = DemoScreen()
        let example = arguments.value("config") ?? "deploy/gatehouse.yaml"
        var stage = try DemoStage(example: example)
        defer { if !isKept { stage.remove() } }
        let receivers = try DemoReceivers(&stage, screen)
        var configuration = try Self.configuration(stage)
        let topics = try DemoTopics(&configuration, brokers: arguments.value("brokers"))
        defer { if !isKept { topics?.remove() } }
        let instance = try Instance(configuration, logger: .standardError(.text, minimum: .warning))
        instance.delivery.observer = { screen.observe($0) }
        try instance.start()
        Self.introduce(configuration, instance, example, screen)
        topics?.introduce(screen)

        let senders = try DemoSenders(configuration, intake: instance.intakeAddress, screen)
        var isStopped = false
        try senders.sendEverything(pauseMilliseconds: pause) {
            isStopped = signals.wait(milliseconds: 0) == .stop
            return !isStopped
        }
        try senders.sendForgery()
        if isKept, !isStopped {
            Self.explainKeeping(stage, instance, screen)
            while signals.wait(milliseconds: 2000) != .stop { try senders.sendOne() }
        }
        let isBalanced = try DemoBalance(instance, receivers, senders, configuration).show(screen)
        senders.stop()
        let spooled = instance.stop()
        receivers.stop()
        return isBalanced && spooled == 0 ? ExitCode.success : ExitCode.failed
    }

    /// The example configuration, with ports that are free here.
    private static func configuration(_ stage: DemoStage) throws -> Configuration {
        let environment = stage.environment
        let loader = ConfigurationLoader(
            purpose: .running, environment: { environment[$0] ?? ConfigurationLoader.processEnvironment($0) })
        let (configuration, diagnostics) = loader.load(stage.configurationFile)
        guard var configuration else {
            for diagnostic in diagnostics.sorted { Terminal.complain(diagnostic.description) }
            throw CommandFailure("the configuration has errors", code: ExitCode.configuration)
        }
        configuration.listen.address = .tcp(host: "127.0.0.1", port: 0)
        configuration.console = .tcp(host: "127.0.0.1", port: 0)
        return configuration
    }

    private static func introduce(
        _ configuration: Configuration, _ instance: Instance, _ example: String, _ screen: DemoScreen
    ) {
        screen.heading("Gatehouse is running, with the configuration \(example)")
        screen.say("  senders post to   \(instance.intakeAddress)/in/…")
        screen.say("  health, metrics   \(instance.consoleAddress)/healthz, /readyz, /metrics")
        for source in configuration.sources { screen.say("  source \(source.name): \(source.vendor.name)") }
        for target in configuration.targets {
            screen.say("  target \(target.settings.name): \(target.settings.type) to \(target.destination)")
        }
        screen.heading("Each sender sends every event it knows, signed, over HTTP")
    }

    private static func explainKeeping(_ stage: DemoStage, _ instance: Instance, _ screen: DemoScreen) {
        screen.heading("Going on until Ctrl-C. In another terminal, look at what was recorded:")
        screen.say("  .build/release/gatehouse events -c \(stage.configurationFile)")
        screen.say("  .build/release/gatehouse deliveries -c \(stage.configurationFile)")
        screen.say("  curl \(instance.consoleAddress)/metrics")
    }
}
