internal import Configuration
internal import HTTPServer
internal import Logging
internal import Rules
internal import YAML

struct RunCommand: Command {
    let name = "run"
    let summary = "runs the service: receives, keeps, routes and delivers"
    let synopsis = "[-c FILE] [--log-format json|text]"
    let options: [Option] = [
        .configuration, .logFormat,
        .flag("accept-loss", "start although the log was found damaged; what is lost is named and set aside"),
    ]
    let example = "gatehouse run -c gatehouse.yaml --log-format text"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let logger = try Self.logger(arguments)
        var signals = SignalWaiter()
        var configuration = try arguments.loadConfiguration(.running)
        let instance = try Self.open(configuration, acceptLoss: arguments.has("accept-loss"), logger)
        try instance.start()

        var stamps = configuration.stamps
        while true {
            let event = signals.wait(milliseconds: 1000)
            if event == .stop { break }
            let now = configuration.stamps
            guard event == .reload || now != stamps else { continue }
            stamps = now
            if let next = Self.reload(arguments.configurationFile, instance, logger) {
                configuration = next
                stamps = configuration.stamps.keeping(now)
            }
        }
        logger.info("stopping", "Stopping: no new requests are taken, what is in hand is finished.")
        return Self.exitCode(afterLeaving: instance.stop())
    }

    /// - Parameter spooled: acknowledged events that are in no log yet.
    private static func exitCode(afterLeaving spooled: Int64) -> Int32 {
        guard spooled > 0 else { return ExitCode.success }
        Terminal.complain(
            "gatehouse run: \(spooled) acknowledged event\(spooled == 1 ? " waits" : "s wait") in the spool; start it again "
                + "with the same data folder, so that Kafka gets \(spooled == 1 ? "it" : "them")")
        return ExitCode.spooled
    }

    private static func logger(_ arguments: Arguments) throws -> Logger {
        guard let text = arguments.value("log-format") else { return .standardError(.json) }
        guard let format = Logger.Format(rawValue: text) else { throw UsageError("--log-format is json or text") }
        return .standardError(format)
    }

    private static func open(_ configuration: Configuration, acceptLoss: Bool, _ logger: Logger) throws -> Instance {
        do {
            return try Instance(configuration, acceptLoss: acceptLoss, logger: logger)
        } catch {
            logger.error("start_failed", "Could not start: \(error)")
            throw CommandFailure("could not start: \(error)")
        }
    }

    /// A broken file keeps what runs, and says why.
    private static func reload(_ file: String, _ instance: Instance, _ logger: Logger) -> Configuration? {
        let (configuration, diagnostics) = ConfigurationLoader(
            purpose: .running, versions: instance.teamVersions
        ).load(file)
        guard let configuration else {
            for diagnostic in diagnostics.sorted where diagnostic.severity == .error {
                logger.error("reload_refused", "Kept the running configuration: \(diagnostic.description)")
            }
            return nil
        }
        do {
            try instance.reload(configuration)
            return configuration
        } catch {
            logger.error("reload_refused", "Kept the running configuration: \(error)")
            return nil
        }
    }
}

extension Configuration {
    /// Of every file whose change means a reload.
    fileprivate var stamps: FileStamps {
        let certificates = ([listen] + sourceListeners.values).compactMap(\.tls)
        return FileStamps([file] + certificates.flatMap { [$0.certificatePath, $0.keyPath] } + ruleWatch.files)
    }
}
