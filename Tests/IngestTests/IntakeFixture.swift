import Addresses
import Cryptography
import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Ingest
import JSON
import Metrics
import Rules
import Signatures
import Simulator
import Synchronization
import Vendors

/// A log that keeps what is appended and says that it is durable only when it is let.
final class GatedLog: EventLog {
    private struct State {
        var isOpen = true
        var failure: LogFailure?
        var records: [NewRecord] = []
        var ids: Set<EventID> = []
        var quarantined: [QuarantinedElement] = []
        var waiting: [@Sendable () -> Void] = []
        var seen = 0
    }

    private let state = Mutex(State())

    var records: [NewRecord] { state.withLock { $0.records } }
    var quarantined: [QuarantinedElement] { state.withLock { $0.quarantined } }
    /// Records that were offered, repeats too.
    var seen: Int { state.withLock { $0.seen } }

    func close() { state.withLock { $0.isOpen = false } }
    func fail(_ failure: LogFailure?) { state.withLock { $0.failure = failure } }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }

    func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        let answer = state.withLock { state -> (@Sendable () -> Void)? in
            if let failure = state.failure { return { completion(.failure(failure)) } }
            var outcomes: [AppendOutcome] = []
            state.seen += batch.records.count
            for record in batch.records {
                if !state.ids.insert(record.id).inserted {
                    outcomes.append(.duplicate)
                } else {
                    state.records.append(record)
                    outcomes.append(.appended(RecordPlace(partition: 0, offset: Int64(state.records.count))))
                }
            }
            for element in batch.quarantined where !state.quarantined.contains(where: { $0.key == element.key }) {
                state.quarantined.append(element)
            }
            let result = outcomes
            let answer: @Sendable () -> Void = { completion(.success(result)) }
            if state.isOpen { return answer }
            state.waiting.append(answer)
            return nil
        }
        answer?()
    }

    func onAppend(_ callback: @escaping @Sendable () -> Void) {}
    func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition) {}
    func statistics() -> LogStatistics { LogStatistics() }
    func read(from position: LogPosition, maximumRecords: Int, maximumBytes: Int) throws(LogFailure) -> LogBatch {
        LogBatch(records: [], next: position)
    }
    var head: LogPosition { LogPosition(offsets: [0]) }
    var beginning: LogPosition { LogPosition(offsets: [0]) }
    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { head }
    func count(from: LogPosition, to: LogPosition) -> Int64 { 0 }
}

/// What the intake refused, in order.
final class RefusalList: Sendable {
    private let refusals = Mutex<[Refusal]>([])

    var all: [Refusal] { refusals.withLock { $0 } }
    func add(_ refusal: Refusal) { refusals.withLock { $0.append(refusal) } }
}

/// An intake behind a real server on loopback, with one source for each vendor, and a client.
final class IntakeFixture: Sendable {
    static let secret = "a secret of at least sixteen bytes"

    let log = GatedLog()
    let refusals = RefusalList()
    let client = HTTPClient()
    let metrics = MetricsRegistry()
    let intake: Intake
    let sources: [SourceConfiguration]
    let server: HTTPServer

    init(
        _ change: (inout SourceConfiguration) -> Void = { _ in }, sites: [Site] = [], decisions: DecisionPlan? = nil,
        asker: (any DecisionAsker)? = nil,
        keepInstallation: @escaping @Sendable (AppInstallation) throws -> Void = { _ in }
    ) throws {
        sources = try Vendors.all.map { vendor in
            var source = SourceConfiguration(
                name: "from-\(vendor.name)", vendor: vendor, authentication: try Self.authentication(vendor),
                maximumBody: vendor.traits.maximumBody, settings: DecodeSettings(source: "from-\(vendor.name)"))
            if case .configured = vendor.traits.authentication {
                source.settings.map.event = [try JSONPointer("/type")]
            }
            change(&source)
            return source
        }
        intake = Intake(
            log: log,
            configuration: IntakeConfiguration(
                sources: sources, sites: SiteDirectory(sites), decisions: decisions, asker: asker),
            folder: FileManager.default.temporaryDirectory.path, metrics: metrics, keepInstallation: keepInstallation,
            onRefusal: { [refusals] in refusals.add($0) })
        server = try HTTPServer(HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0)), handler: intake)
        server.start()
    }

    deinit {
        log.open()
        server.stopAccepting()
        intake.stop()
        server.stop()
        client.shutdown()
    }

    static func scheme(_ vendor: any Vendor) -> SignatureScheme? {
        switch vendor.traits.authentication {
        case .signature(let scheme): scheme
        case .configured: SignatureSchemes.named("github")
        case .apiKey, .headers: nil
        }
    }

    static func fixedHeaders(_ vendor: any Vendor) -> [HeaderField] {
        switch vendor.traits.authentication {
        case .apiKey(let header): [HeaderField(header, secret)]
        case .headers: [HeaderField("x-portal-token", secret)]
        case .signature, .configured: []
        }
    }

    private static func authentication(_ vendor: any Vendor) throws -> SourceAuthentication {
        let secrets = [
            NamedSecret(name: "old", value: "another secret, not used any more"),
            NamedSecret(name: "new", value: secret),
        ]
        if let scheme = scheme(vendor) {
            return SourceAuthentication(
                signature: try SignatureVerifier(
                    scheme: scheme, secrets: secrets, tolerance: .seconds(vendor.traits.toleranceSeconds)))
        }
        return SourceAuthentication(
            headers: try StaticHeaderCheck(headers: fixedHeaders(vendor).map { ($0.name, secrets) }))
    }

    func url(_ vendor: any Vendor, _ suffix: String = "") -> String {
        "http://127.0.0.1:\(server.port)/in/from-\(vendor.name)\(suffix)"
    }

    func sender(
        _ vendor: any Vendor, _ event: VendorEvent, seed: UInt64 = 7, set changes: [(String, String)] = []
    ) throws -> SimulatedSender {
        try SimulatedSender(
            vendor: vendor, event: event, scheme: Self.scheme(vendor),
            secrets: Self.scheme(vendor) == nil ? [] : [NamedSecret(name: "new", value: Self.secret)],
            headers: Self.fixedHeaders(vendor),
            changes: try changes.map { (try JSONPointer($0.0), Array($0.1.utf8)) }, seed: seed)
    }

    func post(_ vendor: any Vendor, _ body: [UInt8], _ headers: HeaderFields, suffix: String = "")
        -> HTTPClientResponse?
    {
        try? client.sendAndWait(request(vendor, body, headers, suffix: suffix)).get()
    }

    func request(
        _ vendor: any Vendor, _ body: [UInt8], _ headers: HeaderFields, suffix: String = ""
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(method: "POST", url: url(vendor, suffix))
        request.headers = headers
        request.body = body
        request.timeout = .seconds(20)
        return request
    }

    /// Signs a body as the vendor would and posts it.
    func postSigned(_ vendor: any Vendor, _ body: [UInt8], at moment: Timestamp = .now(), suffix: String = "")
        -> HTTPClientResponse?
    {
        post(vendor, body, signature(vendor, body, at: moment, suffix: suffix), suffix: suffix)
    }

    /// The headers by which the vendor proves who it is.
    func signature(
        _ vendor: any Vendor, _ body: [UInt8], at moment: Timestamp = .now(), suffix: String = ""
    ) -> HeaderFields {
        var headers = HeaderFields(Self.fixedHeaders(vendor))
        if let scheme = Self.scheme(vendor),
            let signer = try? SignatureSigner(scheme: scheme, secrets: [NamedSecret(name: "new", value: Self.secret)])
        {
            let fields = unsafe body.withUnsafeBytes { bytes in
                unsafe signer.headers(
                    body: bytes, id: "msg_1", url: url(vendor, suffix), timestampSeconds: moment.milliseconds / 1000)
            }
            for field in fields { headers.append(field.name, field.value) }
        }
        return headers
    }

    func lastRefusal() -> Refusal? { refusals.all.last }

    func waitUntil(_ condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if condition() { return true }
            usleep(2000)
        }
        return condition()
    }
}
