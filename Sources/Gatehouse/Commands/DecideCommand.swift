internal import Configuration
internal import Events
internal import Rules

struct DecideCommand: Command {
    let name = "decide"
    let summary = "shows what is decided of a visitor, by which decision, and what the sender is answered"
    let synopsis = "(--event FILE | --id ID | --sample NAME) [--set CHANGE …] [-c FILE] [--json]"
    let options: [Option] = [
        .value("event", "FILE", "a canonical event, or with --source that sender's own payload; - for standard input"),
        .value("id", "ID", "an event of the log, by its id"),
        .value("sample", "NAME", "a sender's sample, such as sine/signin_before"),
        .value("source", "NAME", "the source that the payload of --event comes in by"),
        .value("set", "CHANGE", "change a field first: group=Contractor, or '{site: 4567}'", isRepeatable: true),
        .configuration, .json,
    ]
    let example = "gatehouse decide --sample envoy/entry_sign_in --set group=Contractor"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let changes = try ExplainCommand.changes(arguments)
        guard ["event", "id", "sample"].count(where: { arguments.has($0) }) == 1 else {
            throw UsageError("name one event: with --event, --id or --sample")
        }
        guard !arguments.has("source") || arguments.has("event") else {
            throw UsageError("--source says whose payload the file of --event is")
        }
        let configuration = try arguments.loadRules(keptVersions: true)
        guard let plan = configuration.rules.decisions else {
            throw CommandFailure("nothing is decided: the configuration has no `decisions:`")
        }
        for event in try ExplainCommand.events(arguments, configuration, changes, isForDecision: true) {
            let report = DecisionReport(
                of: event, by: plan, sourceZones: configuration.ruleEnvironment.sourceZones)
            if arguments.has("json") { Terminal.print(bytes: report.json) } else { report.show() }
        }
        return ExitCode.success
    }
}
