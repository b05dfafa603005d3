internal import HTTPTypes

/// A refusal of the server's own.
struct Refusal: Sendable {
    let problem: ProblemDetails
    /// Closes the connection, as whatever follows on it cannot be trusted or will not be read.
    let response: HTTPResponse

    private init(_ status: Int, _ code: String, _ title: String, _ detail: String, retryAfter: Int? = nil) {
        problem = ProblemDetails(status: status, code: code, title: title, detail: detail, retryAfter: retryAfter)
        response = problem.response(closesConnection: true)
    }

    static func malformed(_ violation: HeaderViolation) -> Refusal {
        switch violation {
        case .tooManyFields: Refusal(431, "headers_too_large", "Too many header fields", violation.detail)
        case .tooLong: headersTooLarge
        default: Refusal(400, "malformed", "The request is malformed", violation.detail)
        }
    }

    static let headersTooLarge = Refusal(
        431, "headers_too_large", "The header section is too large",
        "The request line and header section are longer than is taken.")
    static let bodyTooLarge = Refusal(
        413, "too_large", "The body is too large", "The body is longer than is taken at this address.")
    static let headerTimeout = Refusal(
        408, "timeout", "The request took too long", "The header section did not arrive in time.")
    static let bodyTimeout = Refusal(
        408, "timeout", "The request took too long", "The body did not arrive in time.")
    static let connectionLimit = Refusal(
        503, "connection_limit", "Too many connections", "All connections are at work. Try again later.", retryAfter: 5)
    static let shuttingDown = Refusal(
        503, "shutting_down", "The server is stopping", "Try again later.", retryAfter: 5)
    static let unanswered = Refusal(
        500, "unanswered", "The request was not answered", "The server gave this request up. It is a defect.")

    /// What the library answered by itself, by its status.
    static func library(status: Int) -> Refusal {
        switch status {
        case 413: Refusal(413, "too_large", "The body is too large", "A chunk or the announced length is too large.")
        case 414:
            Refusal(414, "headers_too_large", "The target is too long", "The request line is longer than is taken.")
        case 431: headersTooLarge
        case 505: Refusal(505, "malformed", "The HTTP version is not supported", "HTTP/1.1 and HTTP/1.0 are spoken.")
        default: Refusal(400, "malformed", "The request is malformed", "The request cannot be parsed.")
        }
    }
}
