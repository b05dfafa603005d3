internal import HTTPTypes
internal import JSON
internal import Signatures

/// Every refusal of the intake, with its status and stable code. Built-in refusals of the HTTP server add their own.
extension ProblemDetails {
    /// The same, for a sender that shows people the member `message`.
    var withMessage: ProblemDetails {
        var problem = self
        problem.hasMessage = true
        return problem
    }

    static func unknownPath() -> ProblemDetails {
        ProblemDetails(
            status: 404, code: "not_found", title: "There is nothing here",
            detail: "Senders post to /in/ followed by a source's name.")
    }

    static func unknownSource() -> ProblemDetails {
        ProblemDetails(
            status: 404, code: "source_unknown", title: "No source of that name",
            detail: "Check the URL in the sender's webhook settings against sources: in the configuration.")
    }

    static func methodNotAllowed() -> ProblemDetails {
        ProblemDetails(
            status: 405, code: "method_not_allowed", title: "Only POST is taken here",
            detail: "Webhooks are delivered with POST.")
    }

    static func lengthRequired() -> ProblemDetails {
        ProblemDetails(
            status: 411, code: "length_required", title: "The request says of no body how long it is",
            detail: "Send a Content-Length, or the body in chunks.")
    }

    static func addressNotAllowed() -> ProblemDetails {
        ProblemDetails(
            status: 403, code: "address_not_allowed", title: "Requests from this address are not taken",
            detail: "The source's allow: does not name the network this request came from.")
    }

    static func contentEncoding() -> ProblemDetails {
        ProblemDetails(
            status: 415, code: "content_encoding_unsupported", title: "Compressed bodies are not taken",
            detail: "Send the body without a Content-Encoding.")
    }

    static func bodyTooLarge(limit: Int) -> ProblemDetails {
        ProblemDetails(
            status: 413, code: "too_large", title: "The body is too large",
            detail: "This source takes bodies of at most \(limit) bytes; max_body: changes that.")
    }

    static func tooManyElements(limit: Int) -> ProblemDetails {
        ProblemDetails(
            status: 413, code: "batch_too_long", title: "The batch has too many elements",
            detail: "At most \(limit) elements are taken in one request.")
    }

    /// - Parameter bytes: what the event takes.
    static func tooLargeForLog(_ bytes: Int, _ limit: Int) -> ProblemDetails {
        ProblemDetails(
            status: 413, code: "too_large", title: "The event is too large",
            detail: "It takes \(bytes) bytes, and the log takes events of at most \(limit).")
    }

    static func overloaded() -> ProblemDetails {
        ProblemDetails(
            status: 503, code: "overloaded", title: "Too much is being received at once",
            detail: "Nothing was kept; send it again.", retryAfter: 2)
    }

    static func tooSlow() -> ProblemDetails {
        ProblemDetails(
            status: 503, code: "too_slow", title: "The request did not arrive in time to be decided",
            detail: "Nothing was kept; send it again.", retryAfter: 2)
    }

    static func spoolUnavailable() -> ProblemDetails {
        ProblemDetails(
            status: 503, code: "log_unavailable", title: "The event could not be kept",
            detail: "The data folder could not be written; send it again.", retryAfter: 5)
    }

    static func installationMalformed() -> ProblemDetails {
        ProblemDetails(
            status: 400, code: "installation_malformed", title: "The installation's id is none",
            detail: "An id has letters, digits, `-`, `_` and `.`, at most \(AppInstallation.longestID).")
    }

    static func installationNotKept() -> ProblemDetails {
        ProblemDetails(
            status: 503, code: "log_unavailable", title: "The installation could not be kept",
            detail: "The data folder could not be written; try again.", retryAfter: 5)
    }

    static func notVerified(_ failure: SignatureFailure) -> ProblemDetails {
        ProblemDetails(
            status: 401, code: failure.code.rawValue, title: "The request could not be verified",
            detail: failure.detail)
    }

    static func malformed(_ error: JSONError) -> ProblemDetails {
        let place = error.offset.map { " at byte \($0)" } ?? ""
        return ProblemDetails(
            status: 400, code: "malformed_json", title: "The body is not one JSON value",
            detail: "\(error.message)\(place).")
    }
}
