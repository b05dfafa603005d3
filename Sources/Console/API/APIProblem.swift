internal import HTTPTypes

/// Why a request of the API gets no answer.
struct APIProblem: Error, Sendable {
    var details: ProblemDetails
    /// Beside what problem details have.
    var headers: [HeaderField] = []

    init(_ status: Int, _ code: String, _ title: String, _ detail: String = "", retryAfter: Int? = nil) {
        details = ProblemDetails(status: status, code: code, title: title, detail: detail, retryAfter: retryAfter)
    }

    var response: HTTPResponse {
        var response = details.response()
        for field in headers { response.headers.append(field.name, field.value) }
        return response
    }

    // MARK: who asks

    static var tokenMissing: APIProblem {
        challenge(
            "token_missing", "The API needs a token",
            "Send `Authorization: Bearer TOKEN` with one of the tokens of `console:`.")
    }

    static var tokenWrong: APIProblem {
        challenge(
            "token_wrong", "The token is not one of ours", "Compare it with the tokens of `console:` and their teams.")
    }

    private static func challenge(_ code: String, _ title: String, _ detail: String) -> APIProblem {
        var problem = APIProblem(401, code, title, detail)
        problem.headers = [HeaderField("WWW-Authenticate", "Bearer realm=\"gatehouse\"")]
        return problem
    }

    static func tooManyGuesses(_ seconds: Int) -> APIProblem {
        APIProblem(
            429, "too_many_failures", "Too many wrong tokens came from this address",
            "Wait, then send the right one.", retryAfter: seconds)
    }

    static var foreignPage: APIProblem {
        APIProblem(
            403, "foreign_page", "An open console answers this machine only",
            "Ask for it as localhost or by its IP address, or send a token.")
    }

    static func role(_ wanted: APIRole) -> APIProblem {
        APIProblem(403, "role", "This is for the role \(wanted.rawValue)", "The token has a lesser role.")
    }

    static var notForTeams: APIProblem {
        APIProblem(403, "not_for_teams", "A team's token does not reach this", "It tells of other teams' events too.")
    }

    static var maskedForViewers: APIProblem {
        APIProblem(
            403, "masked", "A viewer sees personal fields masked", "`unmask=true` is for the role operator.")
    }

    static var personalCondition: APIProblem {
        APIProblem(
            403, "personal_condition", "A viewer cannot ask for what is masked",
            "`where` names a personal field or the sender's own payload; that is for the role operator.")
    }

    // MARK: what is asked

    static func notFound(_ detail: String = "The paths are listed at /api/v1/openapi.json.") -> APIProblem {
        APIProblem(404, "not_found", "There is nothing here", detail)
    }

    static func method(_ allowed: [String]) -> APIProblem {
        var problem = APIProblem(405, "method_not_allowed", "This path does not take that method")
        problem.headers = [HeaderField("Allow", allowed.joined(separator: ", "))]
        return problem
    }

    static func query(_ detail: String) -> APIProblem {
        APIProblem(400, "query", "The query makes no sense", detail)
    }

    static var cursorExpired: APIProblem {
        APIProblem(
            410, "cursor_expired", "What follows the cursor was removed by retention",
            "Begin again without a cursor.")
    }

    // MARK: what stands in the way

    static var busy: APIProblem {
        APIProblem(
            503, "busy", "The console has too much to do", "Ask again in a moment.", retryAfter: 1)
    }

    static func unreadable(_ detail: String) -> APIProblem {
        APIProblem(500, "unreadable", "The records could not be read", detail)
    }

    static var auditUnavailable: APIProblem {
        APIProblem(
            503, "audit_unavailable", "It could not be noted in the audit log, and so is not done",
            "The state file cannot be written; see /readyz.", retryAfter: 5)
    }
}
