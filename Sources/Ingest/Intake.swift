internal import Addresses
package import EventLog
internal import Events
package import HTTPServer
internal import HTTPTypes
package import Metrics
internal import Signatures
internal import Synchronization
internal import Vendors

/// The receiving side: routes `POST /in/<source>` to its source, checks what can be checked before the body, collects
/// and verifies the body, and hands it over to be decoded and kept. Server threads only check headers, copy and hash.
package final class Intake: HTTPHandler {
    private struct Current {
        var sources: [String: IntakeSource]
        var configuration: IntakeConfiguration

        /// By what the source's waiting requests are decided; nil: it decides nothing.
        func terms(_ source: String) -> DecisionTerms? {
            sources[source].flatMap { DecisionTerms($0.configuration, configuration) }
        }
    }

    private let current: Mutex<Current>
    private let metrics: MetricsRegistry
    private let folder: String
    private let budget: MemoryBudget
    private let reporter: RefusalReporter
    private let events: WorkerThread<EventJob>
    private let largeEvents: WorkerThread<EventJob>
    private let batches: WorkerThread<BatchJob>
    private let validations: WorkerThread<EventJob>
    private let desk: DecisionDesk

    /// Bodies above this size are decoded beside the single events, so that one of them holds up nobody.
    static let largeBody = 64 << 10

    /// - Parameters:
    ///   - folder: where large batches are kept while they arrive.
    ///   - bodyMemory: bytes of request bodies held at once; an eighth of it again for those of sources that decide.
    ///   - keepInstallation: keeps durably what a set-up request tells of an installation; called on one thread.
    ///   - onRefusal: called on server threads; must not block.
    package init(
        log: any EventLog, configuration: IntakeConfiguration, folder: String, metrics: MetricsRegistry,
        bodyMemory: Int = 64 << 20, keepInstallation: @escaping @Sendable (AppInstallation) throws -> Void = { _ in },
        onRefusal: @escaping @Sendable (Refusal) -> Void
    ) {
        self.metrics = metrics
        self.folder = folder
        budget = MemoryBudget(limit: bodyMemory)
        let reporter = RefusalReporter(metrics: metrics, record: onRefusal)
        self.reporter = reporter
        let decode: @Sendable () -> ([EventJob]) -> Void = {
            var worker = EventWorker(log: log, reporter: reporter)
            return { worker.work($0) }
        }
        events = WorkerThread(name: "decode", capacity: 16_384, makeWork: decode)
        largeEvents = WorkerThread(name: "decode-large", capacity: 1024, makeWork: decode)
        batches = WorkerThread(name: "batches", capacity: 64) {
            var worker = BatchWorker(log: log, reporter: reporter)
            return { worker.work($0) }
        }
        validations = WorkerThread(name: "validations", capacity: 64) {
            let worker = ValidationWorker(reporter: reporter, keep: keepInstallation)
            return { worker.work($0) }
        }
        desk = DecisionDesk(log: log, reporter: reporter, bodyMemory: bodyMemory / 8) { [events, largeEvents] job in
            job.body.count > Self.largeBody ? largeEvents.offer(job) : events.offer(job)
        }
        current = Mutex(Self.current(configuration, metrics))
    }

    /// Takes effect for requests that begin from now on.
    package func reload(_ configuration: IntakeConfiguration) {
        let next = Self.current(configuration, metrics)
        current.withLock { $0 = next }
    }

    /// Ends the workers when everything they hold is appended and answered. No request may come any more.
    package func stop() {
        // Before the others: it hands on to them what waits for no decision.
        desk.stop()
        events.stop()
        largeEvents.stop()
        batches.stop()
        validations.stop()
    }

    /// Why decisions are not kept as they should be; nil when they are.
    package var decisionProblem: String? { desk.problem }

    /// The same intake for an address that takes this source's requests only.
    package func only(_ source: String) -> any HTTPHandler {
        SingleSourceIntake(intake: self, source: source)
    }

    /// Writes down what the HTTP server refused by itself.
    package func note(_ refusal: HTTPRefusal) {
        let source = refusal.path.flatMap { IntakePath($0) }.flatMap { path in
            current.withLock { $0.sources[path.source]?.name }
        }
        let problem = ProblemDetails(
            status: refusal.status, code: refusal.code, title: refusal.detail, detail: refusal.detail)
        reporter.report(problem, RefusedClient(source: source, address: refusal.address), size: nil, sha256: nil)
    }

    private static func current(_ configuration: IntakeConfiguration, _ metrics: MetricsRegistry) -> Current {
        Current(
            sources: configuration.sources.mapValues { IntakeSource($0, metrics: metrics) },
            configuration: configuration)
    }

    // MARK: before the body

    package func patience(target: String) -> HTTPPatience? {
        guard let path = IntakePath(target.prefix { $0 != "?" }), !path.isValidation else { return nil }
        let terms = current.withLock { $0.terms(path.source) }
        return terms.map { HTTPPatience(limit: $0.within, answer: $0.blindResponse(.tooSlow())) }
    }

    package func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        let path = IntakePath(head.path)
        let (source, terms, proxies, sites) = current.withLock { current in
            (
                path.flatMap { current.sources[$0.source] }, path.flatMap { current.terms($0.source) },
                current.configuration.trustedProxies,
                current.configuration.sites
            )
        }
        let address = head.peer.map { proxies.client(peer: $0, forwardedFor: head.headers.values("X-Forwarded-For")) }
        let client = RefusedClient(source: source?.name, address: address)
        guard let path else { return .refuse(reporter.refusal(.unknownPath(), client)) }
        guard let source else { return .refuse(reporter.refusal(.unknownSource(), client)) }
        var verifiedBy = ""
        if let problem = check(head, source.configuration, client, &verifiedBy) {
            var response = reporter.refusal(path.isValidation ? problem.withMessage : problem, client)
            if problem.status == 405 { response.headers.append("Allow", "POST") }
            return .refuse(response)
        }
        if path.isValidation, source.configuration.vendor.validationAnswer == nil {
            return .refuse(reporter.refusal(.unknownPath(), client))
        }
        let request = IntakeRequest(
            source: source, sites: sites, head: head, client: client, verifiedBy: verifiedBy,
            isValidation: path.isValidation, terms: path.isValidation ? nil : terms)
        return .accept(maximumBody: source.configuration.maximumBody, receiver(request))
    }

    fileprivate func refuseUnknownSource(_ head: HTTPRequestHead) -> HTTPAdmission {
        .refuse(reporter.refusal(.unknownSource(), RefusedClient(source: nil, address: head.peer)))
    }

    /// - Parameter verifiedBy: the name of the value that the source's headers were verified by.
    private func check(
        _ head: HTTPRequestHead, _ source: SourceConfiguration, _ client: RefusedClient, _ verifiedBy: inout String
    ) -> ProblemDetails? {
        guard head.method == "POST" else { return .methodNotAllowed() }
        guard head.hasBody || head.contentLength != nil else { return .lengthRequired() }
        if !source.allow.isEmpty {
            guard let address = client.address, source.allow.contains(where: { $0.contains(address) })
            else { return .addressNotAllowed() }
        }
        if let encoding = head.headers["Content-Encoding"], encoding.lowercased() != "identity", !encoding.isEmpty {
            return .contentEncoding()
        }
        if let length = head.contentLength, length > source.maximumBody {
            return .bodyTooLarge(limit: source.maximumBody)
        }
        guard let check = source.authentication.headers else { return nil }
        switch check.verify(headers: head.headers) {
        case .failure(let failure): return .notVerified(failure)
        case .success(let found):
            verifiedBy = found.secretName
            return nil
        }
    }

    private func receiver(_ request: IntakeRequest) -> any HTTPBodyReceiver {
        if request.isValidation {
            return EventBodyReceiver(request, budget: budget, reporter: reporter) { [validations] in
                validations.offer($0)
            }
        }
        if request.source.configuration.vendor.traits.batches {
            return BatchBodyReceiver(
                request, folder: folder, reporter: reporter, batch: { [batches] in batches.offer($0) }, single: offer)
        }
        if let terms = request.terms {
            return EventBodyReceiver(request, budget: desk.budget, reporter: reporter) { [desk] job in
                desk.take(job, terms)
                return true
            }
        }
        return EventBodyReceiver(request, budget: budget, reporter: reporter, handOver: offer)
    }

    private var offer: @Sendable (EventJob) -> Bool {
        { [events, largeEvents] job in
            job.body.count > Self.largeBody ? largeEvents.offer(job) : events.offer(job)
        }
    }
}

/// The handler of a source's own address.
private final class SingleSourceIntake: HTTPHandler {
    private let intake: Intake
    private let source: String

    init(intake: Intake, source: String) {
        self.intake = intake
        self.source = source
    }

    func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        if let path = IntakePath(head.path), path.source != source {
            return intake.refuseUnknownSource(head)
        }
        return intake.receive(head)
    }

    func patience(target: String) -> HTTPPatience? { intake.patience(target: target) }
}

/// A request whose head was found good.
struct IntakeRequest: Sendable {
    let source: IntakeSource
    let sites: SiteDirectory
    let head: HTTPRequestHead
    let client: RefusedClient
    /// What its headers were verified by, as `LogRecord.verifiedBy`; a signature is verified with the body.
    let verifiedBy: String
    /// The sender only asks whether the address is right.
    let isValidation: Bool
    /// Of a source that decides.
    let terms: DecisionTerms?
    let receivedAt = Timestamp.now()
}

/// `/in/<source>` or `/in/<source>/validate`, the source's name taken as it stands.
struct IntakePath {
    let source: String
    let isValidation: Bool

    init?(_ path: some StringProtocol) {
        guard path.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = path.utf8.dropFirst(Self.prefix.utf8.count)
        let name = rest.prefix { $0 != UInt8(ascii: "/") }
        let end = rest[name.endIndex...]
        guard !name.isEmpty, end.isEmpty || end.elementsEqual(Self.validation.utf8) else { return nil }
        source = String(decoding: name, as: UTF8.self)
        isValidation = !end.isEmpty
    }

    private static let prefix = "/in/"
    private static let validation = "/validate"
}
