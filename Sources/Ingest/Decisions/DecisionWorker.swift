internal import EventLog
internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import JSON
internal import Metrics
internal import Rules
internal import Signatures
internal import Vendors

/// What the threads that decide share.
struct DecisionTools: Sendable {
    let log: any EventLog
    let reporter: RefusalReporter
    let timer: DecisionTimer
    let ledger: DecisionLedger
    let recorded: RecordedAnswers<WaitingAnswer>
    /// Takes a request that waits for no decision.
    let handOn: @Sendable (EventJob) -> Bool
}

/// Parses, rules and answers one request after another; what it decides is kept when the answer is out.
struct DecisionWorker {
    private let parser = JSONParser()
    private var draft = EventDraft()
    private var scratch = MatchScratch()
    private let tools: DecisionTools
    /// Goes on with a job that another system was asked about, from any thread.
    private let goOn: @Sendable (DecisionJob) -> Void

    init(_ tools: DecisionTools, goOn: @escaping @Sendable (DecisionJob) -> Void) {
        self.tools = tools
        self.goOn = goOn
    }

    mutating func work(_ job: DecisionJob) {
        switch job.step {
        case .arrived: begin(job)
        case .answered(let verdict): finish(job, verdict)
        }
    }

    // MARK: the ruling

    private mutating func begin(_ job: DecisionJob) {
        var job = job
        let request = job.request
        let tape: JSONTape
        do {
            tape = try parser.parse(request.body)
        } catch {
            return refuse(job, .malformed(error))
        }
        if case .failure(let failure) = request.verifyPayload(tape) { return refuse(job, .notVerified(failure)) }
        let source = request.source.configuration
        let event = source.encode(
            tape, tape.root, query: request.head.query, messageID: request.messageID,
            receivedAt: request.receivedAt, sites: request.sites, draft: &draft)
        guard source.waits(event.type) else { return handOn(job) }
        let terms = job.terms
        let isWaiting = job.waiting.fallBack(to: terms.response(to: terms.fallback(.deadline)))
        if isWaiting { job.overdue = terms.fallback(.deadline) }
        // Nobody waits for what is only tried.
        if terms.isShadow { answer(job, terms.response(to: terms.fallback(.byDefault))) }
        let key = RequestKey(source: source.name, id: event.id)
        switch tools.recorded.begin(key, job.waiting, now: MonotonicClock.nanoseconds()) {
        case .waiting: return
        case .answered(let response):
            answer(job, response)
            return
        case .new: break
        }
        job.key = key
        job.ledgerEntry = tools.ledger.open(now: MonotonicClock.nanoseconds())
        // Those who still wait come first: nothing is looked up, and nobody asked, about one who has an answer.
        if isWaiting || terms.isShadow { decide(job, event) } else { finish(job, job.overdue) }
    }

    private mutating func decide(_ job: DecisionJob, _ event: EncodedEvent) {
        guard let view = try? EventView(parsing: event.payload, with: parser) else {
            return finish(job, job.terms.fallback(.byDefault))
        }
        switch Ruling(of: view, by: job.terms.plan, scratch: &scratch) {
        case .verdict(let verdict): finish(job, verdict)
        case .ask(let question, let decision): ask(job, question, decision, event, view)
        }
    }

    /// Nobody waits for a decision: it is an event like any other.
    private func handOn(_ job: DecisionJob) {
        guard let exchange = job.waiting.withdraw() else {
            // The sender was told that it is not kept, or that nobody is let in; it is kept all the same.
            _ = tools.handOn(job.request)
            return
        }
        if !tools.handOn(job.request) {
            exchange.respond(tools.reporter.refusal(.overloaded(), job.request.client, size: job.request.body.count))
        }
    }

    /// What cannot be read is nobody who is to be let in: where a refusal in plain HTTP is not understood as that, it is
    /// told in the sender's dialect.
    private func refuse(_ job: DecisionJob, _ problem: ProblemDetails) {
        let request = job.request
        tools.reporter.report(problem, request.client, body: request.body)
        let isUnderstood = request.source.configuration.vendor.waiting?.isToldByType == true || problem.status == 401
        let response = isUnderstood ? problem.response() : job.terms.response(to: job.terms.fallback(.byDefault))
        _ = job.waiting.answer(response)
    }

    // MARK: asking

    private func ask(
        _ job: DecisionJob, _ question: DecisionQuestion, _ decision: String, _ event: EncodedEvent, _ view: EventView
    ) {
        let now = MonotonicClock.nanoseconds()
        let end = job.terms.askUntil(question, begunAt: job.request.head.startedAt, now: now)
        let answer = OnceOnly<Result<[UInt8], AskFailure>> { [goOn] result in
            var job = job
            job.step = .answered(Verdict(asked: result, question, decision: decision, event: view))
            goOn(job)
        }
        guard let asker = job.terms.asker, end > now else {
            return answer.take(.failure(AskFailure("timeout", "there is no time left to ask")))
        }
        let ticket = tools.timer.schedule(at: end) {
            answer.take(.failure(AskFailure("timeout", "there was no answer in time")))
        }
        asker.ask(question.target, about: event, within: .nanoseconds(Int64(clamping: end - now))) { [tools] result in
            tools.timer.cancel(ticket)
            answer.take(result)
        }
    }

    // MARK: the answer

    /// - Returns: whether the sender had no answer yet.
    @discardableResult private func answer(_ job: DecisionJob, _ response: HTTPResponse) -> Bool {
        let isGiven = job.waiting.answer(response)
        if isGiven { job.request.source.decisions?.observe(startedAt: job.request.head.startedAt) }
        return isGiven
    }

    private mutating func finish(_ job: DecisionJob, _ verdict: Verdict) {
        let terms = job.terms
        var verdict = verdict
        var response = terms.response(to: verdict)
        if !answer(job, response), !terms.isShadow {
            // The deadline was there before; what it answered is what was decided.
            verdict = job.overdue
            response = terms.response(to: verdict)
        }
        if let key = job.key {
            for waiting in tools.recorded.record(key, response) { _ = waiting.answer(response) }
        }
        job.request.source.decisions?.count(verdict)
        keep(job, verdict)
    }

    /// Appends the event with what was decided. The answer does not wait for it.
    private mutating func keep(_ job: DecisionJob, _ verdict: Verdict) {
        let request = job.request
        let (ledger, entry) = (tools.ledger, job.ledgerEntry)
        // Without an entry it is counted already.
        guard let entry, let tape = try? parser.parse(request.body) else {
            request.source.decisions?.unkept.add()
            return
        }
        let record = request.source.record(
            tape, tape.root, query: request.head.query, messageID: request.messageID, receivedAt: request.receivedAt,
            verifiedBy: request.verifiedBy, sites: request.sites, draft: &draft
        ) { draft in verdict.write(into: &draft, isShadow: job.terms.isShadow) }
        tools.log.append(AppendBatch(records: [record], isUrgent: true)) { result in
            switch result {
            case .success(let outcomes):
                ledger.kept(entry)
                for outcome in outcomes { request.source.count(outcome) }
            case .failure:
                ledger.unkept(entry, now: MonotonicClock.nanoseconds())
                request.source.decisions?.unkept.add()
            }
        }
    }
}

extension DecisionTerms {
    /// What is left of the time when an asked system's answer is there, to give ours.
    private static let askMargin: UInt64 = 100_000_000
    /// While the rules are only tried nobody waits, but no question stays open for ever.
    private static let shadowLimit: UInt64 = 30_000_000_000

    /// - Returns: when an answer is no longer waited for; of `MonotonicClock`, nanoseconds.
    func askUntil(_ question: DecisionQuestion, begunAt: UInt64, now: UInt64) -> UInt64 {
        let end = isShadow ? now + Self.shadowLimit : begunAt + within.wholeNanoseconds - Self.askMargin
        guard let timeout = question.timeout else { return end }
        return min(end, now + timeout.wholeNanoseconds)
    }
}

extension Duration {
    var wholeNanoseconds: UInt64 { UInt64(clamping: Int64(self / .nanoseconds(1))) }
}
