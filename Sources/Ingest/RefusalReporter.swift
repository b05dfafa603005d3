internal import Addresses
internal import Cryptography
internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import Metrics

/// Whose request it is that is refused.
struct RefusedClient: Sendable {
    var source: String?
    var address: IPAddress?
}

/// Counts every refusal and writes it down, then answers.
final class RefusalReporter: Sendable {
    private let metrics: MetricsRegistry
    private let record: @Sendable (Refusal) -> Void

    init(metrics: MetricsRegistry, record: @escaping @Sendable (Refusal) -> Void) {
        self.metrics = metrics
        self.record = record
    }

    /// Answers a request whose whole body has arrived.
    func refuse(_ exchange: HTTPExchange, _ problem: ProblemDetails, _ client: RefusedClient, body: [UInt8]) {
        report(problem, client, body: body)
        exchange.respond(problem.response())
    }

    /// Writes a refusal down and gives its answer.
    func refusal(_ problem: ProblemDetails, _ client: RefusedClient, size: Int? = nil) -> HTTPResponse {
        report(problem, client, size: size, sha256: nil)
        return problem.response()
    }

    func report(_ problem: ProblemDetails, _ client: RefusedClient, body: [UInt8]) {
        report(problem, client, size: body.count, sha256: Hex.encode(SHA256.hash(body)))
    }

    func report(_ problem: ProblemDetails, _ client: RefusedClient, size: Int?, sha256: String?) {
        metrics.counter(
            "gatehouse_requests_refused_total", "Requests that were not taken, by reason.",
            [("code", problem.code), ("source", client.source ?? "")]
        ).add()
        record(
            Refusal(
                at: .now(), source: client.source, address: client.address, code: problem.code,
                detail: problem.detail.isEmpty ? problem.title : problem.detail, size: size, sha256: sha256))
    }
}
