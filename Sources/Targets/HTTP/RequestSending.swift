import HTTPClient
import HTTPTypes

extension TargetContext {
    /// Sends the request and tells what its answer means, with what was sent and what came back.
    /// - Parameters:
    ///   - signedAtSeconds: what its signature says.
    ///   - encoder: what the body is compressed with on its way; nil: nothing.
    ///   - judge: what reads an answer of 2xx; nil: it says that all was taken.
    ///   - tokens: where its access token comes from; nil: it needs none.
    func send(
        _ request: HTTPClientRequest, for target: RequestSettings, signedAtSeconds: Int64?, encoder: GzipEncoder?,
        judge: ResponseJudge?, tokens: TokenSource?, completion: @escaping @Sendable (BatchOutcome) -> Void
    ) {
        let body = request.body
        var request = request
        if let encoder { request.body = encoder.compress(body) }
        let size = request.body.count
        @Sendable func finish(_ outcome: BatchOutcome, _ answer: Answer?) {
            completion(
                outcome.carrying(
                    Exchange(
                        body, version: target.settings.version, signedAtSeconds: signedAtSeconds, answer: answer,
                        isKept: !outcome.isDelivered)))
        }
        transmit(request, tokens) { [now] result in
            switch result {
            case .answer(let response):
                finish(
                    FailureClassification.outcome(response, bytes: size, now: now(), judge: judge),
                    Answer(headerLines: response.headerLines, body: response.body, isCut: response.isTruncated))
            case .transport(let failure):
                finish(.all(.failed(FailureClassification.failure(failure, at: target.endpoint))), nil)
            case .token(let failure): finish(.all(.failed(failure)), nil)
            }
        }
    }

    /// Sends the request with an access token where one is needed. A token that is refused is renewed, once.
    /// - Parameter completion: called once, on any thread.
    func transmit(
        _ request: HTTPClientRequest, _ tokens: TokenSource?, mayRenew: Bool = true,
        completion: @escaping @Sendable (Transmission) -> Void
    ) {
        guard let tokens else {
            client.send(request) { completion(Transmission($0)) }
            return
        }
        tokens.token(self) { result in
            let token: AccessToken
            switch result {
            case .success(let value): token = value
            case .failure(let failure): return completion(.token(failure))
            }
            var authorized = request
            authorized.headers.set("Authorization", "Bearer \(token.value)")
            client.send(authorized) { result in
                guard case .success(let response) = result else { return completion(Transmission(result)) }
                if response.status == 401 {
                    tokens.refused(token)
                    if mayRenew { return transmit(request, tokens, mayRenew: false, completion: completion) }
                }
                completion(.answer(response.hiding(token)))
            }
        }
    }
}

/// What came of a request.
enum Transmission: Sendable {
    case answer(HTTPClientResponse)
    case transport(TransportFailure)
    /// There was no access token, so that nothing was sent.
    case token(DeliveryFailure)

    init(_ result: Result<HTTPClientResponse, TransportFailure>) {
        switch result {
        case .success(let response): self = .answer(response)
        case .failure(let failure): self = .transport(failure)
        }
    }
}

extension HTTPClientResponse {
    /// The answer as it may be kept: a service that repeats what it was sent repeats no token.
    fileprivate func hiding(_ token: AccessToken) -> HTTPClientResponse {
        var response = self
        let secret = Array(token.value.utf8)
        let mark = Array("***".utf8)
        response.body.replace(secret, with: mark)
        response.headerLines.replace(secret, with: mark)
        return response
    }
}
