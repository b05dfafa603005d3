package import Events
package import Rules
package import Vendors

/// What is decided of one visitor, and why.
struct Verdict: Sendable, Hashable {
    enum Reason: Sendable, Hashable {
        /// A decision took the visitor.
        case rule(String)
        /// None did.
        case byDefault
        /// This one could not be decided.
        case undecided(String)
        /// A system that this decision asks said so.
        case asked(String)
        /// It did not answer as it should.
        case askFailed(String, code: String)
        /// Nothing was decided in time.
        case deadline
        /// More wait than may.
        case overloaded

        /// As metrics name it.
        var code: String {
            switch self {
            case .rule: "rule"
            case .byDefault: "default"
            case .undecided: "undecided"
            case .asked: "asked"
            case .askFailed: "ask_failed"
            case .deadline: "deadline"
            case .overloaded: "overloaded"
            }
        }

        /// As `decision.reason` says it: the code, and the name of the decision.
        var text: String {
            switch self {
            case .rule(let name), .undecided(let name), .asked(let name): "\(code) \(name)"
            case .askFailed(let name, let failure): "\(code) \(name): \(failure)"
            case .byDefault, .deadline, .overloaded: code
            }
        }
    }

    var reply: DecisionReply
    var reason: Reason

    init(_ reply: DecisionReply, _ reason: Reason) {
        self.reply = reply
        self.reason = reason
    }
}

/// What the rules say of a visitor, before anybody else is asked.
enum Ruling: Sendable {
    case verdict(Verdict)
    case ask(DecisionQuestion, decision: String)

    init(of event: EventView, by plan: DecisionPlan, scratch: inout MatchScratch) {
        switch plan.ruling(on: event, scratch: &scratch) {
        case .none: self = .verdict(Verdict(DecisionReply(plan.fallback), .byDefault))
        case .undecided(let decision):
            self = .verdict(Verdict(DecisionReply(plan.fallback), .undecided(decision.name)))
        case .decision(let decision):
            switch decision.ruling {
            case .answer(let answer): self = .verdict(Verdict(DecisionReply(answer, for: event), .rule(decision.name)))
            case .ask(let question): self = .ask(question, decision: decision.name)
            }
        }
    }
}

extension Verdict {
    /// What an asked system's answer makes of the visitor.
    init(
        asked result: Result<[UInt8], AskFailure>, _ question: DecisionQuestion, decision: String, event: EventView
    ) {
        do throws(AskFailure) {
            self.init(try AskedAnswer.read(result.get()), .asked(decision))
        } catch {
            self.init(DecisionReply(question.failure, for: event), .askFailed(decision, code: error.code))
        }
    }

    /// Its fields in an event.
    /// - Parameter isShadow: nobody was told.
    func write(into draft: inout EventDraft, isShadow: Bool) {
        draft.set(.decisionOutcome, text: reply.outcome.rawValue)
        draft.set(.decisionReason, text: (isShadow ? "shadow: " : "") + reason.text)
        if let message = reply.messageShown { draft.set(.decisionMessage, text: message) }
        let notes = [reply.visitorNotes, reply.adminNotes].compactMap { $0 }.filter { !$0.isEmpty }
        if !notes.isEmpty { draft.set(.decisionNotes, text: notes.joined(separator: "\n")) }
    }
}

extension DecisionReply {
    /// The texts with the event's values.
    package init(_ answer: DecisionAnswer, for event: EventView) {
        self.init(
            answer.outcome, message: answer.message?.text(for: event), adminNotes: answer.adminNotes?.text(for: event),
            visitorNotes: answer.visitorNotes?.text(for: event))
    }
}
