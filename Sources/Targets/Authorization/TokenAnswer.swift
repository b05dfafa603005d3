import Events
import HTTPClient
import JSON

/// What a token endpoint answered.
enum TokenAnswer {
    /// - Parameter lifetime: nil: it does not say.
    case token(String, lifetime: Duration?)
    case failure(DeliveryFailure)

    /// Bytes of a token; it goes into a header field.
    private static let maximumToken = 16 << 10

    /// The errors that RFC 6749, section 5.2, names.
    static let errors = [
        "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client",
        "unsupported_grant_type",
    ]

    /// - Parameters:
    ///   - explanation: what the endpoint says in its own words, without secrets; nil: nothing.
    ///   - now: `Retry-After` may be a date.
    init(
        _ result: Result<HTTPClientResponse, TransportFailure>, from endpoint: Endpoint, explanation: String?,
        now: Timestamp
    ) {
        switch result {
        case .success(let response): self = Self.read(response, endpoint, explanation, now)
        case .failure(let failure):
            let told = FailureClassification.failure(failure, at: endpoint)
            self = .failure(
                DeliveryFailure(
                    code: "oauth_\(told.code)", message: "the token endpoint \(endpoint.display): \(told.message)",
                    blame: .target, duration: told.duration))
        }
    }

    private static func read(
        _ response: HTTPClientResponse, _ endpoint: Endpoint, _ explanation: String?, _ now: Timestamp
    ) -> TokenAnswer {
        let tape = response.isTruncated ? nil : try? JSONParser(maximumDepth: 64).parse(response.body)
        func text(_ name: String) -> String? {
            tape.flatMap { tape in tape.member(tape.root, named: name).flatMap(tape.text) }
        }
        // What it says otherwise may repeat what it was sent.
        func failure(_ code: String, _ what: String) -> TokenAnswer {
            .failure(
                DeliveryFailure(
                    code: code, message: "the token endpoint \(endpoint.display) \(what)", blame: .target,
                    status: response.status, retryAfter: RetryAfter.delay(response, now: now),
                    duration: response.duration))
        }
        guard response.status == 200 else {
            if 400..<500 ~= response.status, let error = text("error"), errors.contains(error) {
                let why = explanation.map { " (\($0))" } ?? ""
                return failure("oauth_\(error)", "answered \(response.status): \(error)\(why)")
            }
            return failure("oauth_http_\(response.status)", "answered \(response.status)")
        }
        guard !response.isTruncated else {
            return failure("oauth_bad_response", "answered 200 with more than \(response.body.count) bytes")
        }
        guard let tape, tape.kind(tape.root) == .object else {
            return failure("oauth_bad_response", "answered 200 with something that is no JSON object")
        }
        guard let token = text("access_token"), !token.isEmpty, token.utf8.count <= maximumToken,
            token.utf8.allSatisfy({ 0x21...0x7E ~= $0 })
        else { return failure("oauth_bad_response", "answered 200 without a token that a header field can carry") }
        guard (text("token_type") ?? "Bearer").lowercased() == "bearer" else {
            return failure("oauth_bad_response", "gives tokens that are no bearer tokens")
        }
        return .token(token, lifetime: lifetime(tape))
    }

    /// `expires_in`, in seconds; some write it as a text, or with a decimal point. What says nothing, as 0 does, is not
    /// said.
    private static func lifetime(_ tape: JSONTape) -> Duration? {
        guard let place = tape.member(tape.root, "expires_in"),
            let seconds = tape.double(place) ?? tape.text(place).flatMap({ Double($0) }), seconds > 0
        else { return nil }
        return .seconds(min(seconds, 366 * 86_400))
    }
}
