import HTTPClient
import HTTPTypes

extension TargetContext {
    /// Sends the request and tells what its answer means, with what was sent and what came back.
    /// - Parameters:
    ///   - signedAtSeconds: what its signature says.
    ///   - encoder: what the body is compressed with on its way; nil: nothing.
    ///   - judge: what reads an answer of 2xx; nil: it says that all was taken.
    ///   - tokens: where its access token comes from; nil: it needs none.
    ///   - mask: what of request and answer is kept by nobody.
    ///   - test: watches a person's sample; nil for all else.
    func send(
        _ request: HTTPClientRequest, for target: RequestSettings, signedAtSeconds: Int64?, encoder: GzipEncoder?,
        judge: ResponseJudge?, tokens: TokenSource?, mask: SecretMask,
        test: TargetTest?, completion: @escaping @Sendable (BatchOutcome) -> Void
    ) {
        let body = request.body
        var request = request
        if let encoder { request.body = encoder.compress(body) }
        let size = request.body.count
        // The settings whole are large: a copy of them for each request costs more than what is done with it.
        let (version, endpoint) = (target.settings.version, target.endpoint)
        @Sendable func finish(_ outcome: BatchOutcome, _ answer: Answer?) {
            let isKept = !outcome.isDelivered
            completion(
                outcome.hiding(mask).carrying(
                    Exchange(
                        body, version: version, signedAtSeconds: signedAtSeconds, answer: answer, isKept: isKept,
                        shown: isKept ? mask.request(body) : nil)))
        }
        transmit(request, tokens) { [now] result in
            switch result {
            case .answer(let response):
                let kept = response.hiding(mask)
                finish(
                    FailureClassification.outcome(response, bytes: size, now: now(), judge: judge),
                    Answer(headerLines: kept.headerLines, body: kept.body, isCut: kept.isTruncated))
            case .transport(let failure):
                finish(.all(.failed(FailureClassification.failure(failure, at: endpoint))), nil)
            case .token(let failure, let wasSent):
                if !wasSent { test?.sends(nil) }
                finish(.all(.failed(failure)), nil)
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
            case .failure(let failure): return completion(.token(failure, wasSent: !mayRenew))
            }
            var authorized = request
            authorized.headers.set("Authorization", "Bearer \(token.value)")
            client.send(authorized) { result in
                guard case .success(let response) = result else { return completion(Transmission(result)) }
                if response.status == 401 {
                    tokens.refused(token)
                    if mayRenew { return transmit(request, tokens, mayRenew: false, completion: completion) }
                }
                completion(.answer(response.hiding(SecretMask([token.value]))))
            }
        }
    }
}

/// What came of a request.
enum Transmission: Sendable {
    case answer(HTTPClientResponse)
    case transport(TransportFailure)
    /// There was no access token. Then nothing was sent, or with a token only that was refused.
    case token(DeliveryFailure, wasSent: Bool)

    init(_ result: Result<HTTPClientResponse, TransportFailure>) {
        switch result {
        case .success(let response): self = .answer(response)
        case .failure(let failure): self = .transport(failure)
        }
    }
}
