internal import Addresses
internal import Cryptography
internal import EventLog
internal import Events
internal import Glibc
internal import HTTPClient
internal import HTTPServer
internal import HTTPTypes
internal import Ingest
internal import Metrics
internal import Signatures
internal import Simulator
internal import Vendors

/// Measures the intake with this program's own client as the sender, beside a server that does nothing but answer, and
/// beside the disk.
struct IntakeBenchmark {
    /// A folder on the disk to be measured.
    let folder: String
    let events: Int
    let underWay: Int

    struct Result {
        var intake = RequestRun.Result()
        /// The same requests to a server that answers at once.
        var bare = RequestRun.Result()
        /// Until 4 KiB are on the disk, milliseconds.
        var diskMedian = 0.0
    }

    /// Sends everything twice, over loopback.
    /// - Parameter finished: called for each answer.
    func run(finished: @escaping @Sendable () -> Void) throws -> Result {
        var result = Result()
        result.diskMedian = try disk()
        let secret = NamedSecret(name: "bench", value: Hex.encode(randomBytes(16)))
        let client = HTTPClient()
        defer { client.shutdown() }
        let run = RequestRun(client: client, underWay: underWay)
        let requests = try requests(secret)
        result.bare = try serve(AnsweringHandler()) { try run.send(requests, to: $0, finished: finished) }
        let log = try SQLiteEventLog.open(folder: folder)
        defer { log.close() }
        let intake = try intake(log, secret)
        defer { intake.stop() }
        result.intake = try serve(intake) { try run.send(requests, to: $0, finished: finished) }
        return result
    }

    private func serve(
        _ handler: any HTTPHandler, _ body: (_ port: Int) throws -> RequestRun.Result
    ) throws -> RequestRun.Result {
        let server = try HTTPServer(HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0)), handler: handler)
        server.start()
        defer { server.stop() }
        return try body(server.port)
    }

    private static let vendor = SignInApp()

    private func intake(_ log: SQLiteEventLog, _ secret: NamedSecret) throws -> Intake {
        guard case .signature(let scheme) = Self.vendor.traits.authentication else {
            throw CommandFailure("\(Self.vendor.name) signs nothing")
        }
        let verifier = try SignatureVerifier(scheme: scheme, secrets: [secret], tolerance: .seconds(86_400))
        let source = SourceConfiguration(
            name: "bench", vendor: Self.vendor, authentication: SourceAuthentication(signature: verifier),
            maximumBody: 1 << 20, settings: DecodeSettings(source: "bench"))
        return Intake(
            log: log, configuration: IntakeConfiguration(sources: [source]), folder: folder, metrics: MetricsRegistry(),
            onRefusal: { _ in })
    }

    /// Signed sign-ins, each of them new; this sender's signature holds for any URL.
    private func requests(_ secret: NamedSecret) throws -> [HTTPClientRequest] {
        guard let event = Self.vendor.events.first else { throw CommandFailure("\(Self.vendor.name) has no event") }
        let sender = try SimulatedSender(vendor: Self.vendor, event: event, secrets: [secret], seed: 1)
        let url = "/in/bench"
        let now = Timestamp.now()
        return try (0..<events).map { number in
            let delivery = try sender.delivery(number..<number + 1, at: now)
            var request = HTTPClientRequest(
                url: url, headers: sender.headers(for: delivery, url: url, at: now), body: delivery.body)
            request.addressGuard = AddressGuard(allow: [IPNetwork("127.0.0.0/8")].compactMap(\.self))
            return request
        }
    }

    private func disk() throws(CommandFailure) -> Double {
        let file = unsafe open(folder + "/disk", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("\(folder) cannot be written") }
        defer { close(file) }
        let block = [UInt8](repeating: 0x61, count: 4096)
        var milliseconds: [Double] = []
        let end = ContinuousClock.now + .milliseconds(500)
        repeat {
            let started = ContinuousClock.now
            guard unsafe write(file, block, block.count) == block.count, fdatasync(file) == 0 else {
                throw CommandFailure("\(folder) cannot be written")
            }
            milliseconds.append(started.duration(to: .now) / .milliseconds(1))
        } while ContinuousClock.now < end
        return milliseconds.sorted()[milliseconds.count / 2]
    }
}

/// Takes a body whole and says yes.
private final class AnsweringHandler: HTTPHandler {
    func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        .buffered(head, maximum: 1 << 20) { _, exchange in exchange.respond(HTTPResponse(status: 200)) }
    }
}
