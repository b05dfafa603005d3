internal import Configuration
internal import Events
internal import HTTPTypes
internal import JSON
internal import Rehearsal
internal import Rules
internal import Vendors
internal import YAML

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
            let explanation = DecisionExplanation(
                of: event, by: plan, sourceZones: configuration.ruleEnvironment.sourceZones)
            let report = DecisionReport(explanation: explanation, answer: explanation.answer(to: event))
            if arguments.has("json") { Terminal.print(bytes: report.json) } else { report.show() }
        }
        return ExitCode.success
    }
}

/// Shows what was decided.
private struct DecisionReport {
    let explanation: DecisionExplanation
    let answer: HTTPResponse?

    private var outcome: String {
        switch explanation.outcome {
        case .reply(let reply): reply.outcome.rawValue
        case .ask: "ask"
        }
    }

    private var origin: String {
        guard let decision = explanation.decision else { return "the default, as no decision takes the visitor" }
        let name = "\(decision.name) (\(decision.location))"
        return explanation.isUndecided ? "the default, as \(name) cannot be decided" : name
    }

    /// What people are told, by name.
    private var texts: [(name: String, text: String)] {
        switch explanation.outcome {
        case .reply(let reply):
            return [
                ("message", reply.messageShown), ("visitor_notes", reply.visitorNotes),
                ("admin_notes", reply.adminNotes),
            ].compactMap { name, text in text.map { (name, $0) } }
        case .ask(let question): return [("target", question.target)]
        }
    }

    func show() {
        Terminal.print("\(outcome), by \(Terminal.harmless(origin))")
        for reason in explanation.reasons { Terminal.print("    as " + Terminal.harmless(reason)) }
        for (name, text) in texts { Terminal.print("  \(name): \(Terminal.harmless(text))") }
        if let answer {
            Terminal.print(
                "  answer: \(answer.status) " + Terminal.harmless(String(decoding: answer.body, as: UTF8.self)))
        }
        for refusal in explanation.before {
            let reason = refusal.reason.map { ": \($0)" } ?? ""
            Terminal.print(
                "not \(Terminal.harmless(refusal.decision.name)) (\(refusal.decision.location))\(Terminal.harmless(reason))"
            )
        }
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("outcome")
        writer.string(outcome)
        writer.key("decision")
        if let decision = explanation.decision { writer.string(decision.name) } else { writer.null() }
        writer.key("undecided")
        writer.bool(explanation.isUndecided)
        writer.key("reasons")
        writer.strings(explanation.reasons)
        for (name, text) in texts {
            writer.key(name)
            writer.string(text)
        }
        writer.key("answer")
        if let answer {
            writer.beginObject()
            writer.key("status")
            writer.integer(Int64(answer.status))
            writer.key("body")
            writer.string(utf8: answer.body)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.key("before")
        writer.beginArray()
        for refusal in explanation.before {
            writer.beginObject()
            writer.key("decision")
            writer.string(refusal.decision.name)
            writer.location(refusal.decision.location)
            writer.key("reason")
            if let reason = refusal.reason { writer.string(reason) } else { writer.null() }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
