import HTTPClient

extension TargetContext {
    /// Sends the request and tells what its answer means, with what was sent and what came back.
    /// - Parameters:
    ///   - signedAtSeconds: what its signature says.
    ///   - encoder: what the body is compressed with on its way; nil: nothing.
    ///   - judge: what reads an answer of 2xx; nil: it says that all was taken.
    func send(
        _ request: HTTPClientRequest, for target: RequestSettings, signedAtSeconds: Int64?, encoder: GzipEncoder?,
        judge: ResponseJudge?, completion: @escaping @Sendable (BatchOutcome) -> Void
    ) {
        let body = request.body
        var request = request
        if let encoder { request.body = encoder.compress(body) }
        let size = request.body.count
        client.send(request) { [now] result in
            let outcome: BatchOutcome
            var answer: Answer?
            switch result {
            case .success(let response):
                outcome = FailureClassification.outcome(response, bytes: size, now: now(), judge: judge)
                answer = Answer(headerLines: response.headerLines, body: response.body, isCut: response.isTruncated)
            case .failure(let failure):
                outcome = .all(.failed(FailureClassification.failure(failure, at: target.endpoint)))
            }
            completion(
                outcome.carrying(
                    Exchange(
                        body, version: target.settings.version, signedAtSeconds: signedAtSeconds, answer: answer,
                        isKept: !outcome.isDelivered)))
        }
    }
}
