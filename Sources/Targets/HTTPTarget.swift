import Events
import HTTPClient
import HTTPTypes
import Synchronization
package import YAML

/// `http`: one request an event, with a JSON body built from a template. For CRMs and anything with an API.
package struct HTTPTargetType: TargetType {
    package let name = "http"

    private static let methods = ["POST", "PUT", "PATCH", "DELETE", "GET"]

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        let method = reader.optional("method")?.choice(of: Self.methods, &diagnostics) ?? "POST"
        let authorization = HTTPAuthorization.decode(&reader, &diagnostics)
        let policy = ContentPolicy(settings)
        var body = method == "GET" || method == "DELETE" ? HTTPBody.none : HTTPBody.event
        if let node = reader.optional("body") {
            if let template = BodyTemplate(node, policy, &diagnostics) { body = .template(template) }
            if method == "GET" { diagnostics.error(at: node.location, "a GET request has no body") }
        }
        guard
            let request = RequestSettings(
                &reader, settings, authorization: authorization, reserved: ["idempotency-key"], &diagnostics)
        else { return nil }
        return HTTPBlueprint(request: request, method: method, body: body, policy: policy)
    }
}

/// What an http target sends.
enum HTTPBody: Sendable {
    case none
    /// The canonical event.
    case event
    case template(BodyTemplate)

    var contentType: String? {
        switch self {
        case .none: nil
        case .event: CloudEvents.structuredType
        case .template: "application/json"
        }
    }
}

struct HTTPBlueprint: TargetBlueprint {
    let request: RequestSettings
    let method: String
    let body: HTTPBody
    let policy: ContentPolicy

    var settings: TargetSettings { request.settings }
    var destination: String { request.endpoint.display }

    func make(_ context: TargetContext) throws -> any Target {
        try request.settings.tls.checkFiles(of: settings.name)
        return HTTPTarget(self, context)
    }

    /// The request for one event; the same for every try.
    func render(_ event: EventView, headers fixed: HeaderFields) -> HTTPClientRequest {
        let bytes: [UInt8] =
            switch body {
            case .none: []
            case .event: policy.payload(of: event)
            case .template(let template): template.render(event, policy)
            }
        var headers = fixed
        headers.append("Idempotency-Key", event.attribute("id") ?? "")
        return request.request(method: method, headers: headers, body: bytes)
    }
}

final class HTTPTarget: Target {
    private let blueprint: HTTPBlueprint
    private let context: TargetContext
    private let headers: HeaderFields
    private let isClosed = Atomic(false)

    init(_ blueprint: HTTPBlueprint, _ context: TargetContext) {
        self.blueprint = blueprint
        self.context = context
        headers = blueprint.request.headers(contentType: blueprint.body.contentType)
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else { return completion(.failed(FailureClassification.closed)) }
        context.send(
            blueprint.render(outgoing.event, headers: headers), to: blueprint.request.endpoint, completion: completion)
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
    }
}

extension TargetContext {
    /// Sends the request and tells what its answer means.
    func send(
        _ request: HTTPClientRequest, to endpoint: Endpoint,
        completion: @escaping @Sendable (DeliveryOutcome) -> Void
    ) {
        let size = request.body.count
        client.send(request) { [now] result in
            switch result {
            case .success(let response):
                completion(FailureClassification.outcome(response, bytes: size, now: now()))
            case .failure(let failure):
                completion(.failed(FailureClassification.failure(failure, at: endpoint)))
            }
        }
    }
}
