internal import Events
internal import HTTPTypes
internal import JSON
internal import Rehearsal
internal import Rules
internal import Vendors
internal import YAML

/// What the rules decide of a visitor, as people and machines read it.
struct DecisionReport {
    private let explanation: DecisionExplanation
    private let answer: HTTPResponse?
    /// Whether what it tells of people is left out.
    private let isMasked: Bool

    init(of event: EventView, by plan: DecisionPlan, sourceZones: [String: String], isMasked: Bool = false) {
        explanation = DecisionExplanation(of: event, by: plan, sourceZones: sourceZones)
        answer = explanation.answer(to: event)
        self.isMasked = isMasked
    }

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

    // MARK: for people

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

    // MARK: for machines

    /// One object on one line.
    var json: [UInt8] {
        var writer = JSONWriter()
        append(to: &writer)
        return writer.bytes
    }

    func append(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("outcome")
        writer.string(outcome)
        writer.key("decision")
        if let decision = explanation.decision { writer.string(decision.name) } else { writer.null() }
        writer.key("undecided")
        writer.bool(explanation.isUndecided)
        writer.key("reasons")
        writer.strings(isMasked ? [] : explanation.reasons)
        for (name, text) in texts where !isMasked {
            writer.key(name)
            writer.string(text)
        }
        writer.key("answer")
        if let answer, !isMasked {
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
            writer.member("reason", isMasked ? nil : refusal.reason)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}

/// What was decided of an event's visitor, and what today's rules decide.
struct DecidedReport {
    private let outcome: String?
    private let reason: String?
    private let today: DecisionReport?

    /// Nil for an event that nobody waited for.
    /// - Parameter plan: nil where nothing is decided, or it is not to be told.
    init?(of event: EventView, by plan: DecisionPlan?, sourceZones: [String: String], isMasked: Bool = false) {
        outcome = event.text(.decisionOutcome)
        reason = event.text(.decisionReason)
        guard outcome != nil || event.type == CanonicalType.visitorSigninRequested.rawValue else { return nil }
        today = plan.map { DecisionReport(of: event, by: $0, sourceZones: sourceZones, isMasked: isMasked) }
    }

    func show() {
        if let outcome {
            Terminal.print(Terminal.harmless(DecidedText.sentence(outcome: outcome, reason: reason ?? "-")))
        }
        guard let today else { return Terminal.print("By today's rules nothing is decided.") }
        Terminal.print("By today's rules:")
        today.show()
    }

    /// `{recorded: {outcome, reason}, today}`, either null.
    func append(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("recorded")
        if let outcome {
            writer.beginObject()
            writer.member("outcome", outcome)
            writer.member("reason", reason)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.key("today")
        if let today { today.append(to: &writer) } else { writer.null() }
        writer.endObject()
    }
}
