internal import Configuration
internal import Console
internal import HTTPServer
internal import Ingest
internal import Synchronization

/// Every listening socket of an instance: the intake's, those of sources with one of their own, the console's and the
/// control socket.
final class Servers: Sendable {
    private struct Intake {
        var name: String
        var settings: ListenSettings
        var server: HTTPServer
    }

    private let intakes: [Intake]
    private let console: HTTPServer
    private let control: HTTPServer
    private let listening: (intake: HTTPListenAddress, console: HTTPListenAddress, data: String)

    init(
        _ configuration: Configuration, intake: Ingest.Intake, console: ConsoleHandler, control: ControlHandler
    ) throws {
        let connections = configuration.listen.connections
        _ = try FileDescriptorLimit.raise(toAtLeast: connections + 1024)
        var intakes = [
            Intake(
                name: "listen:", settings: configuration.listen,
                server: try Self.server(configuration.listen, handler: intake, intake))
        ]
        for (source, settings) in configuration.sourceListeners.sorted(by: { $0.key < $1.key }) {
            intakes.append(
                Intake(
                    name: "listen: of source \(source)", settings: settings,
                    server: try Self.server(settings, handler: intake.only(source), intake)))
        }
        self.intakes = intakes
        var consoleSettings = HTTPServerConfiguration(listen: configuration.console)
        consoleSettings.threads = 1
        consoleSettings.connections = 64
        self.console = try HTTPServer(consoleSettings, handler: console)
        let socket = ControlSocket.path(in: configuration.dataFolder)
        var controlSettings = HTTPServerConfiguration(listen: .unix(path: socket, mode: 0o600))
        controlSettings.threads = 1
        controlSettings.connections = 16
        self.control = try HTTPServer(controlSettings, handler: control)
        listening = (configuration.listen.address, configuration.console, configuration.dataFolder)
    }

    private static func server(
        _ settings: ListenSettings, handler: any HTTPHandler, _ intake: Ingest.Intake
    ) throws -> HTTPServer {
        var server = HTTPServerConfiguration(listen: settings.address, tls: settings.tls)
        server.connections = settings.connections
        server.onRefusal = { intake.note($0) }
        return try HTTPServer(server, handler: handler)
    }

    func start() {
        for intake in intakes { intake.server.start() }
        console.start()
        control.start()
    }

    /// No new connection is taken on the intake; what is under way goes on.
    func stopIntake() {
        for intake in intakes { intake.server.stopAccepting() }
    }

    func stopAll() {
        for intake in intakes { intake.server.stop() }
        console.stop()
        control.stop()
    }

    /// Takes new certificates over.
    /// - Returns: the settings that only a restart changes.
    func reload(_ configuration: Configuration) throws -> [String] {
        var restarts: [String] = []
        for intake in intakes where intake.settings.tls != nil { try intake.server.reloadCertificate() }
        let settings = intakes[0].settings
        if configuration.listen.address != listening.intake || configuration.listen.tls != settings.tls
            || configuration.listen.connections != settings.connections
        {
            restarts.append("listen:")
        }
        if configuration.console != listening.console { restarts.append("console:") }
        if configuration.dataFolder != listening.data { restarts.append("data:") }
        let names = configuration.sourceListeners.keys.map { "listen: of source \($0)" }.sorted()
        if names != intakes.dropFirst().map(\.name) { restarts.append("a source's listen:") }
        return restarts
    }

    /// A URL without a path.
    var intakeAddress: String {
        Self.url(listening.intake, port: intakes[0].server.port, isTLS: intakes[0].settings.tls != nil)
    }

    var consoleAddress: String { Self.url(listening.console, port: console.port, isTLS: false) }

    private static func url(_ address: HTTPListenAddress, port: Int, isTLS: Bool) -> String {
        guard case .tcp(let host, _) = address else { return "\(address)" }
        return (isTLS ? "https://" : "http://") + "\(HTTPListenAddress.tcp(host: host, port: port))"
    }
}

/// Where a running instance answers the program's commands.
enum ControlSocket {
    static func path(in folder: String) -> String { folder + "/control.sock" }
}
