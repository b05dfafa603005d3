internal import HTTPTypes
internal import Metrics

/// Counts what is asked of the API. Its labels are paths of the description, classes of status and codes of our own, and
/// nothing that somebody sends.
final class APIMetrics: Sendable {
    private let registry: MetricsRegistry

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        // What may be counted is on the page from the beginning, so that a first time shows as growth.
        for resource in APIResources.all { _ = requests(resource, status: 200) }
        for problem in [APIProblem.tokenMissing, .tokenWrong, .tooManyGuesses(1), .foreignPage] {
            _ = refusals(problem)
        }
    }

    /// - Parameter resource: nil: no such path.
    func answered(_ resource: APIResource?, status: Int) {
        requests(resource, status: status).add()
    }

    func refused(_ problem: APIProblem) {
        refusals(problem).add()
    }

    private func requests(_ resource: APIResource?, status: Int) -> Counter {
        registry.counter(
            "gatehouse_api_requests_total", "Requests of the API with a token that was taken, by resource and status.",
            [
                ("method", resource?.method ?? "other"), ("resource", resource?.path ?? "unknown"),
                ("status", "\(status / 100)xx"),
            ])
    }

    private func refusals(_ problem: APIProblem) -> Counter {
        registry.counter(
            "gatehouse_api_refusals_total", "Requests of the API that were refused for who asked, by code.",
            [("code", problem.details.code)])
    }
}
