internal import Configuration
internal import Events
internal import Ingest
internal import JSON
internal import YAML

struct EnvoyCommand: Command {
    let name = "envoy"
    let summary = "lists where the Envoy app was set up, and registers there what it is for"
    let synopsis = "list|register [--install ID] [OPTIONS]"
    let options: [Option] = [
        .value("install", "ID", "the installation to register; without it, the only one that is known"),
        .value("url", "URL", "where Envoy's API is (default https://api.envoy.com)"),
        .value("token-file", "FILE", "a file with the token; otherwise the environment variable ENVOY_TOKEN has it"),
        .value("timeout", "SECONDS", "how long Envoy may take (default 30)"),
        .configuration, .json,
    ]
    let example = """
        gatehouse envoy list
        ENVOY_TOKEN=… gatehouse envoy register --install 3088
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        switch arguments.operands.first {
        case "list" where arguments.operands.count == 1:
            try list(arguments)
            return ExitCode.success
        case "register" where arguments.operands.count == 1: return try register(arguments)
        case "list", "register":
            throw UsageError("`\(Terminal.harmless(arguments.operands[1]))` is one argument too many")
        default: throw UsageError("say what to do: envoy list or envoy register")
        }
    }

    private static func known(_ arguments: Arguments) throws -> (installations: [AppInstallation], folder: String) {
        let folder = try arguments.loadConfiguration(.checking).dataFolder
        do throws(FileReadingError) {
            return (try InstallationStore(dataFolder: folder).all(), folder)
        } catch {
            throw CommandFailure("what is known of installations cannot be read: \(error.message)")
        }
    }

    private func list(_ arguments: Arguments) throws {
        let installations = try Self.known(arguments).installations
        if arguments.has("json") {
            for installation in installations {
                var writer = JSONWriter()
                installation.append(to: &writer)
                Terminal.print(bytes: writer.bytes)
            }
            return
        }
        let rows = installations.map { [$0.id, $0.source, $0.at.text] }
        for line in Terminal.table([["INSTALLATION", "SOURCE", "SET UP"]] + rows) { Terminal.print(line) }
    }

    private func register(_ arguments: Arguments) throws -> Int32 {
        let url = try Self.url(arguments)
        let timeout = Duration.seconds(try arguments.integer("timeout", in: 1...300) ?? 30)
        let install = try Self.install(arguments)
        let registration = PurposeRegistration(
            install: install, url: url, token: try Self.token(arguments), timeout: timeout)
        let result = registration.run()
        if arguments.has("json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("install", install)
            writer.member("purpose", PurposeRegistration.purpose)
            writer.key("registered")
            writer.bool(result.problem == nil)
            writer.member("status", result.status.map { Int64($0) })
            writer.member("error", result.problem)
            writer.endObject()
            Terminal.print(bytes: writer.bytes)
        } else if let problem = result.problem {
            throw CommandFailure(Terminal.harmless(problem))
        } else {
            Terminal.print("installation \(install) is registered for \(PurposeRegistration.purpose)")
        }
        return result.problem == nil ? ExitCode.success : ExitCode.failed
    }

    // MARK: what it is told

    private static func install(_ arguments: Arguments) throws -> String {
        if let id = arguments.value("install") {
            guard AppInstallation.isID(id) else {
                throw UsageError("--install takes an id of letters, digits, `-`, `_` and `.`")
            }
            return id
        }
        let (installations, folder) = try known(arguments)
        let ids = Set(installations.map(\.id)).sorted()
        guard let id = ids.first else {
            throw CommandFailure(
                "no installation is known in \(folder): finish the app's set-up in Envoy, whose validation URL tells "
                    + "of it, or name one with --install")
        }
        guard ids.count == 1 else {
            throw CommandFailure(
                "\(ids.count) installations are known; name one with --install: \(ids.joined(separator: ", "))")
        }
        return id
    }

    /// Without a slash at its end. A token is not sent in the clear over a network.
    private static func url(_ arguments: Arguments) throws -> String {
        var url = arguments.value("url") ?? "https://api.envoy.com"
        while url.hasSuffix("/") { url.removeLast() }
        let isLocal = ["http://127.0.0.1", "http://[::1]", "http://localhost"].contains { local in
            url == local || url.hasPrefix(local + ":") || url.hasPrefix(local + "/")
        }
        guard isLocal || url.hasPrefix("https://"), !url.contains("?"), !url.contains("#"), !url.contains("@") else {
            throw UsageError("--url takes an https URL without a user, a query or a fragment")
        }
        return url
    }

    private static func token(_ arguments: Arguments) throws -> String {
        let place: String
        var text: String
        if let file = arguments.value("token-file") {
            place = "the file \(Terminal.harmless(file))"
            do throws(FileReadingError) {
                text = String(decoding: try readFile(file, maximumBytes: 64 << 10), as: UTF8.self)
            } catch {
                throw CommandFailure("\(place) cannot be read: \(error.message)")
            }
        } else {
            place = "the environment variable ENVOY_TOKEN"
            text = ConfigurationLoader.processEnvironment("ENVOY_TOKEN") ?? ""
        }
        while text.last?.isWhitespace == true { text.removeLast() }
        guard !text.isEmpty else {
            throw CommandFailure("\(place) holds no token: an access token of the app's, as Envoy's API takes it")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure("what \(place) holds is no token: it has white space or letters that no token has")
        }
        return text
    }
}
