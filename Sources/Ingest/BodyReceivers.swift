internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import Signatures
internal import Synchronization
internal import Vendors

/// Collects the body of one event, verifies it and hands it over.
final class EventBodyReceiver: HTTPBodyReceiver {
    private let request: IntakeRequest
    private let budget: MemoryBudget
    private let reporter: RefusalReporter
    private let handOver: @Sendable (EventJob) -> Bool
    private let body = Mutex<[UInt8]>([])

    init(
        _ request: IntakeRequest, budget: MemoryBudget, reporter: RefusalReporter,
        handOver: @escaping @Sendable (EventJob) -> Bool
    ) {
        self.request = request
        self.budget = budget
        self.reporter = reporter
        self.handOver = handOver
        if let length = request.head.contentLength { body.withLock { $0.reserveCapacity(min(length, 64 << 10)) } }
    }

    deinit {
        budget.give(body.withLock { $0.count })
    }

    func receive(_ chunk: UnsafeRawBufferPointer) -> HTTPResponse? {
        guard budget.take(chunk.count) else {
            let refusal = reporter.refusal(.overloaded(), request.client)
            return request.terms?.blindResponse(.overloaded()) ?? refusal
        }
        body.withLock { unsafe $0.append(contentsOf: chunk) }
        return nil
    }

    func finish(_ exchange: HTTPExchange) {
        let body = body.withLock { $0 }
        var messageID: String?
        var verifiedBy = request.verifiedBy
        switch request.verify(body) {
        case .failure(let failure):
            let problem = ProblemDetails.notVerified(failure)
            return reporter.refuse(
                exchange, request.isValidation ? problem.withMessage : problem, request.client, body: body)
        case .success(let signature):
            messageID = signature?.id
            if let signature { verifiedBy = signature.secretName }
        }
        let job = EventJob(
            source: request.source, sites: request.sites, body: body, head: request.head, exchange: exchange,
            receivedAt: request.receivedAt, client: request.client, messageID: messageID,
            verifiedBy: verifiedBy)
        if !handOver(job) { exchange.respond(reporter.refusal(.overloaded(), request.client, size: body.count)) }
    }

    func abandon(_ reason: HTTPAbandonReason) {}
}

/// Collects what a batching sender sends, in bounded memory: a list, or a single event.
final class BatchBodyReceiver: HTTPBodyReceiver {
    private let request: IntakeRequest
    private let reporter: RefusalReporter
    private let batch: @Sendable (BatchJob) -> Bool
    private let single: @Sendable (EventJob) -> Bool
    private let folder: String
    private let body: Mutex<SpooledBody?>

    init(
        _ request: IntakeRequest, folder: String, reporter: RefusalReporter,
        batch: @escaping @Sendable (BatchJob) -> Bool, single: @escaping @Sendable (EventJob) -> Bool
    ) {
        self.request = request
        self.reporter = reporter
        self.batch = batch
        self.single = single
        self.folder = folder
        body = Mutex(SpooledBody(folder: folder))
    }

    func receive(_ chunk: UnsafeRawBufferPointer) -> HTTPResponse? {
        let wasKept = body.withLock { body in
            do {
                unsafe try body?.append(chunk)
                return true
            } catch {
                return false
            }
        }
        return wasKept ? nil : reporter.refusal(.spoolUnavailable(), request.client)
    }

    func finish(_ exchange: HTTPExchange) {
        guard let body = body.withLock({ $0.take() }) else { return }
        let size = body.count
        var verifiedBy = request.verifiedBy
        // No batching sender signs of its own accord; where the source says that one does, its body is read whole.
        if request.source.configuration.authentication.signature != nil {
            guard let bytes = try? body.bytes(0..<size) else {
                return exchange.respond(reporter.refusal(.spoolUnavailable(), request.client, size: size))
            }
            switch request.verify(bytes) {
            case .failure(let failure):
                return reporter.refuse(exchange, .notVerified(failure), request.client, body: bytes)
            case .success(let signature):
                if let signature { verifiedBy = signature.secretName }
            }
        }
        let taken: Bool
        if body.firstByte == UInt8(ascii: "[") {
            taken = batch(
                BatchJob(
                    source: request.source, sites: request.sites, body: body, head: request.head, exchange: exchange,
                    receivedAt: request.receivedAt, client: request.client, verifiedBy: verifiedBy))
        } else {
            taken = single(
                EventJob(
                    source: request.source, sites: request.sites, body: (try? body.bytes(0..<size)) ?? [],
                    head: request.head, exchange: exchange, receivedAt: request.receivedAt, client: request.client,
                    verifiedBy: verifiedBy))
        }
        if !taken { exchange.respond(reporter.refusal(.overloaded(), request.client, size: size)) }
    }

    func abandon(_ reason: HTTPAbandonReason) {}
}

extension IntakeRequest {
    /// Nil: nothing to verify here.
    func verify(_ body: [UInt8]) -> Result<VerifiedSignature?, SignatureFailure> {
        let authentication = source.configuration.authentication
        guard authentication.signed == .body, let verifier = authentication.signature else {
            return .success(nil)
        }
        let result = unsafe body.withUnsafeBytes { bytes in
            unsafe verifier.verify(
                headers: head.headers, url: head.target, body: bytes,
                nowSeconds: receivedAt.milliseconds / 1000)
        }
        return result.map(Optional.some)
    }
}
