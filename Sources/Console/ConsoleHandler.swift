internal import Events
package import HTTPServer
internal import HTTPTypes
internal import JSON
package import Metrics
package import Rules
internal import YAML

/// Answers on the console address: health for load balancers and orchestrators, metrics for Prometheus, none of which
/// needs a token or holds personal data; and the API, which does.
package final class ConsoleHandler: HTTPHandler {
    private let metrics: MetricsRegistry
    private let problems: @Sendable () -> [String]
    private let warnings: @Sendable () -> [String]
    private let teams: @Sendable () -> [TeamStanding]
    private let api: APIHandler?

    /// - Parameters:
    ///   - problems: why the instance should get no requests; empty when it is ready. One sentence each.
    ///   - warnings: what is not as it should be, although it can do its work. One sentence each.
    ///   - teams: how every team's files stand.
    ///   - api: answers what is below `/api/v1/`; nil: nothing is there.
    package init(
        metrics: MetricsRegistry, problems: @escaping @Sendable () -> [String],
        warnings: @escaping @Sendable () -> [String] = { [] },
        teams: @escaping @Sendable () -> [TeamStanding] = { [] }, api: APIHandler? = nil
    ) {
        self.metrics = metrics
        self.problems = problems
        self.warnings = warnings
        self.teams = teams
        self.api = api
    }

    package func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        if let api, APIHandler.isIts(head.path) { return api.receive(head) }
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
                    detail: "There are /healthz, /readyz, /metrics and /api/v1/openapi.json."
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
        writer.strings(problems)
        writer.key("warnings")
        writer.strings(warnings())
        writer.key("teams")
        writer.beginArray()
        for team in teams() where team.state != .current { Self.write(team, to: &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return HTTPResponse(
            status: problems.isEmpty ? 200 : 503, headers: ["Content-Type": "application/json"], body: writer.bytes)
    }

    /// A team whose files are not at work. Where the first error is, not what it says: messages quote conditions, which
    /// are nobody's but the team's and may name people.
    private static func write(_ team: TeamStanding, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("team")
        writer.string(team.name)
        writer.key("state")
        writer.string(team.state.rawValue)
        if let since = team.sinceMs {
            writer.key("since")
            writer.string(Timestamp(milliseconds: since).text)
        }
        writer.key("errors")
        writer.integer(Int64(team.errorCount))
        if let error = team.error {
            writer.key("at")
            writer.string(error.location.description)
        }
        writer.endObject()
    }
}
