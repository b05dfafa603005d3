/// A refusal as problem details (RFC 9457) with a stable machine-readable `code`.
package struct ProblemDetails: Sendable, Hashable {
    package var status: Int
    /// Stable: people's scripts rely on it. Lower case with underscores, such as `signature_mismatch`.
    package var code: String
    package var title: String
    /// What is wrong this time and what to do. Never holds a secret or anything a visitor typed.
    package var detail: String
    /// Seconds, for `Retry-After`.
    package var retryAfter: Int?
    /// Whether the detail also stands in a member `message`, for senders that show their own users what it says.
    package var hasMessage = false

    package init(status: Int, code: String, title: String, detail: String = "", retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.retryAfter = retryAfter
    }

    /// The answer: `application/problem+json` with `type`, `title`, `status`, `code` and `detail`.
    package func response(closesConnection: Bool = false) -> HTTPResponse {
        var body = "{\"type\":\"urn:gatehouse:problem:\(code)\",\"title\":\(Self.quoted(title)),\"status\":\(status)"
        body += ",\"code\":\(Self.quoted(code))"
        if !detail.isEmpty { body += ",\"detail\":\(Self.quoted(detail))" }
        if hasMessage { body += ",\"message\":\(Self.quoted(detail.isEmpty ? title : detail))" }
        body += "}"
        var headers: HeaderFields = ["Content-Type": "application/problem+json"]
        if let retryAfter { headers.append("Retry-After", String(retryAfter)) }
        return HTTPResponse(
            status: status, headers: headers, body: Array(body.utf8), closesConnection: closesConnection)
    }

    /// A JSON string; this leaf module has no JSON writer to lean on.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1f}", "\u{7f}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
