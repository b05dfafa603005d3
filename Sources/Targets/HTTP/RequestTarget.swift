import Events
import HTTPClient
import HTTPTypes
import Synchronization

/// A checked configuration of a target that sends HTTP requests.
protocol RequestBlueprint: RenderableBlueprint {
    var request: RequestSettings { get }
    /// Nil where requests have no body.
    var contentType: String? { get }

    /// The request for one try, not compressed.
    /// - Parameters:
    ///   - events: one, or a batch where the target has batches.
    ///   - headers: those of every request.
    func render(
        _ events: [OutgoingEvent], headers: HeaderFields, timestampSeconds: Int64
    ) throws(RenderingError) -> HTTPClientRequest
}

extension RequestBlueprint {
    var settings: TargetSettings { request.settings }
    var destination: String { request.endpoint.display }

    func make(_ context: TargetContext) throws -> any Target {
        return RequestTarget(self, context, try request.compression.map { _ in try GzipEncoder() })
    }

    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        let headers = request.headers(contentType: contentType)
        return .request(try render(events, headers: headers, timestampSeconds: timestampSeconds))
    }

    fileprivate func rendition(_ request: HTTPClientRequest) -> TargetRendition {
        TargetRendition(.request(request), of: self, showsSignature: true)
    }
}

/// Sends one request an event, or a batch.
final class RequestTarget: Target {
    private let blueprint: any RequestBlueprint
    /// The blueprint's, kept here because it is a copy each time it is asked for.
    private let settings: RequestSettings
    private let isSigned: Bool
    private let context: TargetContext
    private let encoder: GzipEncoder?
    private let headers: HeaderFields
    /// Nil: no token is needed.
    private let tokens: TokenSource?
    private let mask: SecretMask
    private let isClosed = Atomic(false)

    /// - Parameter encoder: nil: bodies are sent as they are.
    init(_ blueprint: some RequestBlueprint, _ context: TargetContext, _ encoder: GzipEncoder?) {
        self.blueprint = blueprint
        settings = blueprint.request
        isSigned = !blueprint.signatureHeaders.isEmpty
        self.context = context
        self.encoder = encoder
        headers = settings.headers(contentType: blueprint.contentType)
        tokens = settings.oauth.map { TokenSource($0) }
        mask = SecretMask(settings)
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        send(batch: [outgoing]) { outcome in
            switch outcome {
            case .all(let outcome): completion(outcome)
            case .each(let outcomes): completion(outcomes[0])
            }
        }
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        guard let first = batch.first else { return completion(.each([])) }
        guard !isClosed.load(ordering: .acquiring) else {
            return completion(.all(.failed(FailureClassification.closed)))
        }
        do throws(RenderingError) {
            let seconds = context.now().milliseconds / 1000
            let request = try blueprint.render(batch, headers: headers, timestampSeconds: seconds)
            first.test?.sends(blueprint.rendition(request))
            let records = settings.records(batch)
            let judge = settings.response.map { predicate in
                ResponseJudge(
                    predicate: predicate,
                    names: predicate.names(records.newest(batch), ContentPolicy(settings.settings)))
            }
            context.send(
                request, for: settings, signedAtSeconds: isSigned ? seconds : nil,
                encoder: encoder, judge: judge, tokens: tokens, mask: mask, test: first.test
            ) { [tokens, test = first.test] outcome in
                if let tokens { test?.asked(tokens.lastExchange) }
                completion(records.spread(outcome))
            }
        } catch {
            completion(.all(.failed(FailureClassification.failure(error))))
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
    }
}
