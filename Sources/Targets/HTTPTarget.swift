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
        var settings = settings
        if let node = reader.optional("batch") {
            settings.batch = BatchLimits(node, &diagnostics)
            if case .none = body {
                diagnostics.error(at: node.location, "\(method) sends no body, so there is nothing to put together")
            }
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

    var batchType: String? {
        if case .event = self { BatchBody.canonicalType } else { contentType }
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
        request(bytes(of: event), id: event.attribute("id") ?? "", fixed)
    }

    /// As `render` of one: an array of what each event's body would be.
    func render(batch: [OutgoingEvent], headers fixed: HeaderFields) -> HTTPClientRequest {
        request(BatchBody.array(batch.map { bytes(of: $0.event) }), id: BatchBody.id(batch), fixed)
    }

    private func bytes(of event: EventView) -> [UInt8] {
        switch body {
        case .none: []
        case .event: policy.payload(of: event)
        case .template(let template): template.render(event, policy)
        }
    }

    private func request(_ body: [UInt8], id: String, _ fixed: HeaderFields) -> HTTPClientRequest {
        var headers = fixed
        headers.append("Idempotency-Key", id)
        return request.request(method: method, headers: headers, body: body)
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
        let isBatched = blueprint.settings.batch != nil
        headers = blueprint.request.headers(
            contentType: isBatched ? blueprint.body.batchType : blueprint.body.contentType)
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else { return completion(.failed(FailureClassification.closed)) }
        context.send(
            blueprint.render(outgoing.event, headers: headers), to: blueprint.request.endpoint, completion: completion)
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else {
            return completion(.all(.failed(FailureClassification.closed)))
        }
        context.send(blueprint.render(batch: batch, headers: headers), to: blueprint.request.endpoint) {
            completion(.all($0))
        }
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
