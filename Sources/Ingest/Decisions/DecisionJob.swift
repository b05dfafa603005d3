internal import EventLog
internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import Rules
internal import Vendors

/// By what a waiting request is decided: as the configuration was when it began.
struct DecisionTerms: Sendable {
    let plan: DecisionPlan
    let asker: (any DecisionAsker)?
    /// When it is answered at the latest, counted from its first byte.
    let within: Duration
    let isShadow: Bool
    private let vendor: any Vendor

    /// Nil for a source that decides nothing.
    init?(_ source: SourceConfiguration, _ configuration: IntakeConfiguration) {
        guard let plan = configuration.decisions, let within = source.answerWithin else { return nil }
        self.plan = plan
        self.within = within
        asker = configuration.asker
        isShadow = source.mode == .shadow
        vendor = source.vendor
    }

    /// Where nothing is decided.
    func fallback(_ reason: Verdict.Reason) -> Verdict { Verdict(DecisionReply(plan.fallback), reason) }

    /// What became of a request that was answered before anybody had looked into it: where the answer was no success in
    /// the sender's dialect, nobody was let in.
    var blindVerdict: Verdict {
        vendor.waiting?.isToldByType == true ? Verdict(DecisionReply(.deny), .deadline) : fallback(.deadline)
    }

    /// In the sender's dialect; whoever only tries the rules admits everybody.
    func response(to verdict: Verdict) -> HTTPResponse {
        vendor.answer(to: isShadow ? DecisionReply(.admit) : verdict.reply)
    }

    /// Of a request that nobody has looked into yet. Where only its type tells whether it waits at all, it may be a
    /// notification, and a success would acknowledge what is not kept.
    func blindResponse(_ problem: ProblemDetails) -> HTTPResponse {
        if vendor.waiting?.isToldByType == true, !isShadow { return problem.response() }
        return response(to: fallback(.deadline))
    }
}

/// One verified request of a source that decides.
struct DecisionJob: Sendable {
    enum Step: Sendable {
        case arrived
        /// A system was asked.
        case answered(Verdict)
    }

    let request: EventJob
    let terms: DecisionTerms
    let waiting: WaitingAnswer
    var step = Step.arrived
    /// Set once it is known to wait.
    var ledgerEntry: DecisionLedger.Entry?
    var key: RequestKey?
    /// What is decided if the deadline comes first.
    var overdue: Verdict

    init(_ request: EventJob, _ terms: DecisionTerms, _ waiting: WaitingAnswer) {
        self.request = request
        self.terms = terms
        self.waiting = waiting
        overdue = terms.blindVerdict
    }
}
