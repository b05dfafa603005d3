package import HTTPServer
internal import HTTPTypes
internal import JSON
package import Metrics

/// Answers on the console address: health for load balancers and orchestrators, metrics for Prometheus. None of it needs
/// a token, and none of it holds personal data.
package final class ConsoleHandler: HTTPHandler {
    private let metrics: MetricsRegistry
    private let problems: @Sendable () -> [String]

    /// - Parameter problems: why the instance should get no requests; empty when it is ready. One sentence each.
    package init(metrics: MetricsRegistry, problems: @escaping @Sendable () -> [String]) {
        self.metrics = metrics
        self.problems = problems
    }

    package func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        guard head.method == "GET" || head.method == "HEAD" else {
            var response = ProblemDetails(
                status: 405, code: "method_not_allowed", title: "Only GET is taken here"
            ).response()
            response.headers.append("Allow", "GET, HEAD")
            return .refuse(response)
        }
        switch head.path {
        case "/healthz": return .refuse(.text("ok\n"))
        case "/readyz": return .refuse(readiness())
        case "/metrics":
            return .refuse(
                HTTPResponse(
                    status: 200, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"],
                    body: Array(metrics.render().utf8)))
        default:
            return .refuse(
                ProblemDetails(
                    status: 404, code: "not_found", title: "There is nothing here",
                    detail: "There are /healthz, /readyz and /metrics."
                ).response())
        }
    }

    private func readiness() -> HTTPResponse {
        let problems = problems()
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("ready")
        writer.bool(problems.isEmpty)
        writer.key("problems")
        writer.beginArray()
        for problem in problems { writer.string(problem) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return HTTPResponse(
            status: problems.isEmpty ? 200 : 503, headers: ["Content-Type": "application/json"], body: writer.bytes)
    }
}
