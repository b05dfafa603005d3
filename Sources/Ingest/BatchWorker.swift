internal import Cryptography
internal import EventLog
internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import JSON
internal import Metrics
internal import Synchronization
internal import Vendors

/// A body that a batching sender sent, whole and verified.
final class BatchJob: Sendable {
    let source: IntakeSource
    let sites: SiteDirectory
    let body: Mutex<SpooledBody>
    let head: HTTPRequestHead
    let exchange: HTTPExchange
    let receivedAt: Timestamp
    let client: RefusedClient
    /// As `LogRecord.verifiedBy`.
    let verifiedBy: String

    init(
        source: IntakeSource, sites: SiteDirectory, body: consuming sending SpooledBody, head: HTTPRequestHead,
        exchange: HTTPExchange, receivedAt: Timestamp, client: RefusedClient, verifiedBy: String
    ) {
        self.source = source
        self.sites = sites
        self.body = Mutex(body)
        self.head = head
        self.exchange = exchange
        self.receivedAt = receivedAt
        self.client = client
        self.verifiedBy = verifiedBy
    }
}

/// Takes batches apart, one element in memory at a time: first it finds each element's place and time, then it appends
/// them in the order of their times. The sender is answered when the last of them is durable.
struct BatchWorker {
    /// The most elements of one batch; Netgraph sends up to 20 000.
    static let maximumElements = 100_000
    /// The most bytes of a broken piece that are kept in quarantine; its size and hash are those of the whole.
    private static let maximumQuarantined = 1 << 20
    private static let scanChunk = 1 << 18
    private static let bundle = 256

    private let parser = JSONParser()
    private var draft = EventDraft()
    private let log: any EventLog
    private let reporter: RefusalReporter

    init(log: any EventLog, reporter: RefusalReporter) {
        self.log = log
        self.reporter = reporter
    }

    mutating func work(_ jobs: [BatchJob]) {
        for job in jobs { work(job) }
    }

    private mutating func work(_ job: BatchJob) {
        do {
            let index = try job.body.withLock { body in try survey(body, job) }
            guard index.count <= Self.maximumElements else {
                return Self.refuse(job, .tooManyElements(limit: Self.maximumElements), reporter)
            }
            let appends = PendingAppends(limit: 4) { [reporter] failure in Self.answer(job, failure, reporter) }
            try job.body.withLock { body in try append(index, of: body, job, appends) }
            appends.seal()
        } catch {
            Self.refuse(job, .spoolUnavailable(), reporter)
        }
    }

    private static func refuse(_ job: BatchJob, _ problem: ProblemDetails, _ reporter: RefusalReporter) {
        let size = job.body.withLock { $0.count }
        job.exchange.respond(reporter.refusal(problem, job.client, size: size))
    }

    private static func answer(_ job: BatchJob, _ failure: LogFailure?, _ reporter: RefusalReporter) {
        if let failure {
            refuse(job, failure.problem, reporter)
        } else {
            job.source.observe(job.head)
            job.exchange.respond(job.source.configuration.vendor.acknowledgement(for: nil))
        }
    }

    // MARK: finding the elements

    private struct Element {
        var range: Range<Int>
        /// Position in the list.
        var index: Int
        /// Milliseconds since 1970; what bad elements have does not matter.
        var time: Int64
        /// Why it cannot be decoded.
        var fault: String?
    }

    /// Every element with its time, those that cannot be decoded marked, in the order of their times.
    private mutating func survey(_ body: borrowing SpooledBody, _ job: BatchJob) throws -> [Element] {
        var elements: [Element] = []
        var scanner = JSONListScanner()
        var position = 0
        while position < body.count, elements.count <= Self.maximumElements {
            let end = min(position + Self.scanChunk, body.count)
            let chunk = try body.bytes(position..<end)
            unsafe chunk.withUnsafeBytes { bytes in
                unsafe scanner.scan(bytes) { found in
                    elements.append(Element(range: found.range, index: found.index, time: 0))
                }
            }
            position = end
        }
        for place in elements.indices { try inspect(&elements[place], body, job) }
        scanner.finish()
        if case .broken(let offset, let reason) = scanner.state, elements.count <= Self.maximumElements {
            elements.append(
                Element(
                    range: (scanner.pendingStart ?? offset)..<body.count, index: elements.count, time: .max,
                    fault: "the list is broken at byte \(offset): \(reason.rawValue)"))
        }
        return elements.enumerated().sorted { one, other in
            (one.element.time, one.offset) < (other.element.time, other.offset)
        }.map(\.element)
    }

    private mutating func inspect(_ element: inout Element, _ body: borrowing SpooledBody, _ job: BatchJob) throws {
        do throws(JSONError) {
            let tape = try parser.parse(bytes(element.range, body))
            guard tape.kind(tape.root) == .object else {
                element.fault = "the element is not an object"
                return
            }
            draft.reset(receivedAt: job.receivedAt)
            Decoder.decode(
                tape, tape.root, vendor: job.source.configuration.vendor, settings: job.source.configuration.settings,
                query: job.head.query, into: &draft)
            element.time = (draft.time ?? job.receivedAt).milliseconds
        } catch {
            element.fault = error.message
        }
    }

    /// A read that fails shows as an empty element here and as a failure when it is read to be appended.
    private func bytes(_ range: Range<Int>, _ body: borrowing SpooledBody) -> [UInt8] {
        (try? body.bytes(range)) ?? []
    }

    // MARK: appending them

    private mutating func append(
        _ elements: [Element], of body: borrowing SpooledBody, _ job: BatchJob, _ appends: PendingAppends
    ) throws {
        var batch = AppendBatch(records: [])
        for element in elements {
            if let fault = element.fault {
                batch.quarantined.append(try quarantined(element, fault, body, job))
            } else {
                let tape = try parser.parse(body.bytes(element.range))
                let record = job.source.record(
                    tape, tape.root, query: job.head.query, receivedAt: job.receivedAt, verifiedBy: job.verifiedBy,
                    sites: job.sites, draft: &draft)
                if record.payload.count <= log.maximumPayloadBytes {
                    batch.records.append(record)
                } else {
                    batch.quarantined.append(try quarantined(element, "too large for the log", body, job))
                }
            }
            if batch.records.count + batch.quarantined.count == Self.bundle {
                send(batch, job, appends)
                batch = AppendBatch(records: [])
            }
        }
        if !batch.records.isEmpty || !batch.quarantined.isEmpty { send(batch, job, appends) }
    }

    private func send(_ batch: AppendBatch, _ job: BatchJob, _ appends: PendingAppends) {
        appends.begin()
        let quarantined = Int64(batch.quarantined.count)
        log.append(batch) { result in
            switch result {
            case .success(let outcomes):
                for outcome in outcomes { job.source.count(outcome) }
                if quarantined > 0 { job.source.quarantined.add(quarantined) }
                appends.end(nil)
            case .failure(let failure):
                appends.end(failure)
            }
        }
    }

    private func quarantined(
        _ element: Element, _ fault: String, _ body: borrowing SpooledBody, _ job: BatchJob
    ) throws -> QuarantinedElement {
        // What cannot be decoded cannot be told apart by fields.
        let isKept = job.source.configuration.fieldPolicy == nil
        let kept = isKept ? try body.bytes(element.range.prefix(Self.maximumQuarantined)) : nil
        let sha256 = try hash(element.range, body)
        return QuarantinedElement(
            source: job.source.name, index: element.index, receivedAtMs: job.receivedAt.milliseconds, reason: fault,
            bytes: kept, size: element.range.count, sha256: sha256,
            key: "\(job.source.name)\n\(element.index)\n\(sha256)")
    }

    private func hash(_ range: Range<Int>, _ body: borrowing SpooledBody) throws -> String {
        var hash = SHA256()
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + Self.scanChunk, range.upperBound)
            hash.update(try body.bytes(position..<end))
            position = end
        }
        return Hex.encode(hash.finish())
    }
}

extension Range<Int> {
    fileprivate func prefix(_ length: Int) -> Range<Int> {
        lowerBound..<Swift.min(upperBound, lowerBound + length)
    }
}
