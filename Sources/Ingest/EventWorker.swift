internal import EventLog
internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import JSON
internal import Metrics
internal import Signatures
internal import Vendors

/// One verified request with one event, on its way to the log.
struct EventJob: Sendable {
    let source: IntakeSource
    let sites: SiteDirectory
    let body: [UInt8]
    let head: HTTPRequestHead
    let exchange: HTTPExchange
    let receivedAt: Timestamp
    let client: RefusedClient
    /// The signed id of the message, where the scheme has one.
    var messageID: String?
    /// As `LogRecord.verifiedBy`.
    var verifiedBy: String
}

/// Parses, decodes and appends single events, many to one append, and answers when they are durable.
struct EventWorker {
    private let parser = JSONParser()
    private var draft = EventDraft()
    private let log: any EventLog
    private let reporter: RefusalReporter

    init(log: any EventLog, reporter: RefusalReporter) {
        self.log = log
        self.reporter = reporter
    }

    /// Events appended together; more only makes the first ones wait.
    private static let bundle = 256

    mutating func work(_ jobs: [EventJob]) {
        var start = 0
        while start < jobs.count {
            let end = min(start + Self.bundle, jobs.count)
            append(jobs[start..<end])
            start = end
        }
    }

    private mutating func append(_ jobs: ArraySlice<EventJob>) {
        var records: [NewRecord] = []
        var waiting: [(EventJob, CanonicalType)] = []
        records.reserveCapacity(jobs.count)
        waiting.reserveCapacity(jobs.count)
        for job in jobs {
            guard let record = decode(job) else { continue }
            guard record.payload.count <= log.maximumPayloadBytes else {
                reporter.refuse(
                    job.exchange, .tooLargeForLog(record.payload.count, log.maximumPayloadBytes), job.client,
                    body: job.body)
                continue
            }
            records.append(record)
            waiting.append((job, draft.type))
        }
        guard !records.isEmpty else { return }
        Self.append(records, waiting, to: log, reporter)
    }

    private static func append(
        _ records: [NewRecord], _ waiting: [(EventJob, CanonicalType)], to log: any EventLog,
        _ reporter: RefusalReporter
    ) {
        log.append(AppendBatch(records: records)) { result in
            switch result {
            case .success(let outcomes):
                let now = MonotonicClock.nanoseconds()
                for ((job, type), outcome) in zip(waiting, outcomes) {
                    job.source.count(outcome)
                    job.source.observe(job.head, now: now)
                    job.exchange.respond(job.source.configuration.vendor.acknowledgement(for: type))
                }
            case .failure(let failure) where failure.code == .tooLarge && records.count > 1:
                // One of them is; the others are taken without it.
                for (record, waiting) in zip(records, waiting) { append([record], [waiting], to: log, reporter) }
            case .failure(let failure):
                for (job, _) in waiting { reporter.refuse(job.exchange, failure.problem, job.client, body: job.body) }
            }
        }
    }

    private mutating func decode(_ job: EventJob) -> NewRecord? {
        let tape: JSONTape
        do {
            tape = try parser.parse(job.body)
        } catch {
            reporter.refuse(job.exchange, .malformed(error), job.client, body: job.body)
            return nil
        }
        var verifiedBy = job.verifiedBy
        switch job.verifyPayload(tape) {
        case .failure(let failure):
            reporter.refuse(job.exchange, .notVerified(failure), job.client, body: job.body)
            return nil
        case .success(let signature): verifiedBy = signature?.secretName ?? verifiedBy
        }
        return job.source.record(
            tape, tape.root, query: job.head.query, messageID: job.messageID, receivedAt: job.receivedAt,
            verifiedBy: verifiedBy, sites: job.sites, draft: &draft)
    }
}

extension EventJob {
    /// Checks a signature over the bytes of the member `Payload` alone; nil: the source has no such signature.
    func verifyPayload(_ tape: JSONTape) -> Result<VerifiedSignature?, SignatureFailure> {
        let authentication = source.configuration.authentication
        guard authentication.signed == .payload, let verifier = authentication.signature else { return .success(nil) }
        let span = tape.member(tape.root, ignoringCase: "payload").map(tape.span) ?? 0..<0
        return unsafe tape.bytes.withUnsafeBytes { bytes in
            unsafe verifier.verify(
                headers: head.headers, url: head.target, body: UnsafeRawBufferPointer(rebasing: bytes[span]),
                nowSeconds: receivedAt.milliseconds / 1000)
        }.map(Optional.some)
    }
}

extension IntakeSource {
    /// One element as a record of the log. The draft is reused, and left as it was filled.
    func record(
        _ tape: JSONTape, _ element: JSONIndex, query: String?, messageID: String? = nil, receivedAt: Timestamp,
        verifiedBy: String, sites: SiteDirectory, draft: inout EventDraft,
        changing change: (inout EventDraft) -> Void = { _ in }
    ) -> NewRecord {
        let event = configuration.encode(
            tape, element, query: query, messageID: messageID, receivedAt: receivedAt, sites: sites, draft: &draft,
            changing: change)
        return NewRecord(
            id: event.id, type: event.type.rawValue, partitionKey: event.partitionKey,
            timeMs: event.time.milliseconds, receivedAtMs: event.receivedAt.milliseconds, source: name,
            visitorID: event.visitorID, returningID: event.returningID, email: event.email,
            verifiedBy: verifiedBy, payload: event.payload)
    }

    func count(_ outcome: AppendOutcome) {
        switch outcome {
        case .appended: accepted.add()
        case .duplicate: duplicates.add()
        }
    }
}

extension LogFailure {
    var problem: ProblemDetails {
        ProblemDetails(
            status: code == .tooLarge ? 413 : 503, code: code.rawValue, title: "The event could not be kept",
            detail: message, retryAfter: code == .tooLarge ? nil : retryAfterSeconds)
    }
}
