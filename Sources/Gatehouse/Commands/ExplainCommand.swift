internal import Configuration
internal import Console
internal import Events
internal import Ingest
internal import JSON
internal import Rehearsal
internal import Rules
internal import Targets
internal import YAML

struct ExplainCommand: Command {
    let name = "explain"
    let summary = "shows why routes take an event or do not, and what each target would be sent"
    let synopsis = "(--event FILE | --id ID | --sample NAME) [--set CHANGE …] [--route ROUTE] [-c FILE] [--json]"
    let options: [Option] = [
        .value("event", "FILE", "a canonical event, or with --source that sender's own payload; - for standard input"),
        .value("id", "ID", "an event of the log, by its id"),
        .value("sample", "NAME", "a sender's sample, such as signinapp/visitor.signin"),
        .value("source", "NAME", "the source that the payload of --event comes in by"),
        .value("set", "CHANGE", "change a field first: group=Contractor, or '{site: 4567}'", isRepeatable: true),
        .value("route", "NAME", "only this route"), .configuration, .json,
    ]
    let example = """
        gatehouse explain --sample signinapp/visitor.signin --set group=Contractor
        gatehouse explain --id 0191c2b0e4f04f6f8d7a5b3c2d1e0f00 --route london/contractors
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let changes = try Self.changes(arguments)
        guard ["event", "id", "sample"].count(where: { arguments.has($0) }) == 1 else {
            throw UsageError("name one event: with --event, --id or --sample")
        }
        guard !arguments.has("source") || arguments.has("event") else {
            throw UsageError("--source says whose payload the file of --event is")
        }
        let configuration = try arguments.loadRules(keptVersions: true)
        let wanted = try Self.route(arguments, configuration)
        let events = try Self.events(arguments, configuration, changes)
        let explainer = Explainer(
            sourceZones: configuration.ruleEnvironment.sourceZones,
            seenKeys: SeenKeysFile.read(in: configuration.dataFolder))
        var isTaken = true
        for event in events {
            let explanation = explainer.explain(configuration.rules.routes, event) {
                wanted == nil || $0.name == wanted
            }
            let report = ExplanationReport(
                event: event, explanation: explanation, targets: configuration.targets, isOfOneRoute: wanted != nil,
                plan: configuration.routes,
                decided: wanted != nil
                    ? nil
                    : DecidedReport(
                        of: event, by: configuration.rules.decisions,
                        sourceZones: configuration.ruleEnvironment.sourceZones))
            if arguments.has("json") { Terminal.print(bytes: report.json) } else { report.show() }
            if wanted != nil, explanation.routes.first?.outcome != .taken { isTaken = false }
        }
        return isTaken ? ExitCode.success : ExitCode.failed
    }

    static func changes(_ arguments: Arguments) throws -> [FieldChange] {
        var changes: [FieldChange] = []
        for text in arguments.all("set") {
            do throws(Diagnostics) {
                changes += try FieldChange.read(argument: text)
            } catch {
                throw UsageError(error.description)
            }
        }
        return changes
    }

    /// The whole name of the route asked for; nil for all of them.
    private static func route(_ arguments: Arguments, _ configuration: Configuration) throws -> String? {
        guard let wanted = arguments.value("route") else { return nil }
        let names = configuration.rules.routes.map(\.name)
        guard names.contains(wanted) else {
            let near = didYouMean(wanted, among: names)
            throw CommandFailure("no route is called \(Terminal.harmless(wanted))\(near)")
        }
        return wanted
    }

    // MARK: the event

    /// - Parameter isForDecision: a sample is read as a source that decides would.
    static func events(
        _ arguments: Arguments, _ configuration: Configuration, _ changes: [FieldChange], isForDecision: Bool = false
    ) throws -> [EventView] {
        let builder = EventBuilder(sources: configuration.sources, sites: configuration.intake.sites)
        do {
            if let sample = arguments.value("sample") {
                return [try builder.sample(sample, changes: changes, isForDecision: isForDecision)]
            }
            if let id = arguments.value("id") {
                return [try builder.event(try kept(id, arguments), changes: changes)]
            }
            let text = try readInput(arguments.value("event"))
            if let source = arguments.value("source") {
                return try builder.payload(text, source: source, changes: changes)
            }
            return [try builder.event(text, changes: changes)]
        } catch let error as RehearsalError {
            throw CommandFailure(error.description)
        }
    }

    /// An event of the running instance, or of a stopped one's files.
    private static func kept(_ id: String, _ arguments: Arguments) throws -> [UInt8] {
        guard EventID(hex: id) != nil else { throw UsageError("an event's id is 32 hex digits") }
        var query = ListQuery(.events)
        query.id = id
        guard let event = try Records.open(arguments, for: .events).page(query, after: nil).lines.first else {
            throw CommandFailure("the log has no event \(id): it never came, or it is older than `retention:` keeps")
        }
        return event
    }
}
