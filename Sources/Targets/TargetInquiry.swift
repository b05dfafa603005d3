package import Events
internal import FieldPolicies
internal import HTTPClient
internal import HTTPTypes
internal import JSON

/// Asks a target of type http or webhook about an event and hands back what it answers: one request as the target would
/// be sent the event, signature, limits and guard included, and no second try.
package struct TargetInquiry: Sendable {
    /// Bytes of an answer's body; a longer one is a failure.
    package static let maximumAnswer = 64 << 10

    private let blueprint: any RequestBlueprint
    private let tokens: TokenSource?
    private let policy: FieldPolicy?

    /// Nil for a target that gives no answer to be read.
    package init?(_ blueprint: any TargetBlueprint) {
        guard !(blueprint is UnresolvedBlueprint), let requests = blueprint.unwrapped as? any RequestBlueprint else {
            return nil
        }
        self.blueprint = requests
        policy = blueprint.settings.fieldPolicy
        tokens = requests.request.oauth.map { TokenSource($0) }
    }

    /// - Parameters:
    ///   - time: until the whole answer must be there; the target's own `timeout:` where that is shorter.
    ///   - completion: called once, on any thread, with the body of a 200; must not block.
    package func ask(
        about event: EventView, within time: Duration, _ context: TargetContext,
        completion: @escaping @Sendable (Result<[UInt8], InquiryFailure>) -> Void
    ) {
        let settings = blueprint.request
        var request: HTTPClientRequest
        do throws(RenderingError) {
            var outgoing = OutgoingEvent(event: event, routes: [])
            if let policy { outgoing = try outgoing.under(policy, JSONParser()) }
            request = try blueprint.render(
                [outgoing],
                headers: settings.headers(contentType: blueprint.contentType),
                timestampSeconds: context.now().milliseconds / 1000)
            if settings.compression != nil {
                guard let encoder = try? GzipEncoder() else { throw RenderingError("it cannot be compressed") }
                request.body = encoder.compress(request.body)
            }
        } catch {
            return completion(.failure(InquiryFailure(FailureClassification.failure(error))))
        }
        request.timeout = min(request.timeout, time)
        request.connectTimeout = min(request.connectTimeout, time)
        request.maximumResponseBytes = Self.maximumAnswer
        context.transmit(request, tokens) { result in completion(Self.answer(result, settings.endpoint)) }
    }

    private static func answer(
        _ result: Transmission, _ endpoint: Endpoint
    ) -> Result<[UInt8], InquiryFailure> {
        switch result {
        case .transport(let failure):
            return .failure(InquiryFailure(FailureClassification.failure(failure, at: endpoint)))
        case .token(let failure, _): return .failure(InquiryFailure(failure))
        case .answer(let response):
            guard response.status == 200 else {
                return .failure(
                    InquiryFailure("http_\(response.status)", "it answered \(response.status), not 200"))
            }
            guard !response.isTruncated else {
                return .failure(
                    InquiryFailure("answer_too_large", "its answer is longer than \(maximumAnswer) bytes"))
            }
            return .success(response.body)
        }
    }
}

/// Why an asked target gave no answer.
package struct InquiryFailure: Error, Sendable, Hashable {
    /// Stable, such as `timeout`, `http_500` or `answer_too_large`; else that of a delivery's failure.
    package var code: String
    /// For people; nothing of what the target said.
    package var message: String

    init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    fileprivate init(_ failure: DeliveryFailure) {
        self.init(failure.code, failure.message)
    }
}

extension TargetBlueprint {
    /// Whether it gives an answer that can be read.
    package var canBeAsked: Bool {
        settings.enabled && unwrapped is any RequestBlueprint
    }
}
