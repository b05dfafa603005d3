internal import Configuration
internal import Cryptography
internal import EventLog
internal import Events
internal import Ingest
internal import JSON
internal import Vendors

struct NormaliseCommand: Command {
    let name = "normalise"
    let aliases = ["normalize"]
    let summary = "shows the canonical event a payload becomes"
    let synopsis = "--vendor V [-c FILE --source S] [FILE]"
    let options: [Option] = [
        .value("vendor", "NAME", "the sender's dialect: signinapp, sine, envoy, alocity, netgraph or generic"),
        .value("source", "NAME", "with this source's settings"), .configuration,
    ]
    let example = """
        gatehouse normalise --vendor signinapp payload.json
        gatehouse normalise -c gatehouse.yaml --source london < payload.json
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.operands.count > 1 { try arguments.requireOperands(1, "") }
        let normaliser = try normaliser(arguments)
        let body = try readInput(arguments.operands.first)
        do {
            for event in try normaliser.normalise(body) { Terminal.print(bytes: event) }
        } catch {
            let place = error.offset.map { " at byte \($0)" } ?? ""
            throw CommandFailure("the payload is not one JSON value: \(error.message)\(place)")
        }
        return ExitCode.success
    }

    private func normaliser(_ arguments: Arguments) throws -> Normaliser {
        if let source = arguments.value("source"), arguments.has("config") || !arguments.has("vendor") {
            let configuration = try arguments.loadConfiguration(.checking)
            guard let found = configuration.sources.first(where: { $0.name == source }) else {
                throw CommandFailure("no source is named \(Terminal.harmless(source))")
            }
            return Normaliser(source: found, sites: configuration.intake.sites)
        }
        guard let name = arguments.value("vendor") else {
            throw UsageError("say which sender's payload it is with --vendor, or --source with -c")
        }
        guard let vendor = Vendors.named(name) else {
            throw UsageError("there is no vendor \(name); known are \(Vendors.all.map(\.name).joined(separator: ", "))")
        }
        let source = arguments.value("source") ?? name
        return Normaliser(
            source: SourceConfiguration(
                name: source, vendor: vendor, authentication: SourceAuthentication(),
                maximumBody: vendor.traits.maximumBody, settings: DecodeSettings(source: source)),
            sites: SiteDirectory())
    }
}
