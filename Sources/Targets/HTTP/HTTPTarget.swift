import Events
import HTTPClient
import HTTPTypes
package import YAML

/// `http`: one request an event, with a JSON body built from a template. For CRMs and anything with an API.
package struct HTTPTargetType: TargetType {
    package let name = "http"

    private static let methods = ["POST", "PUT", "PATCH", "DELETE", "GET"]

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        var settings = settings
        settings.decodeRecords(&reader, &diagnostics)
        let method = reader.optional("method")?.choice(of: Self.methods, &diagnostics) ?? "POST"
        let authorization = RequestAuthorization.decode(&reader, settings, &diagnostics)
        let policy = ContentPolicy(settings)
        var body = method == "GET" || method == "DELETE" ? HTTPBody.none : HTTPBody.event
        if let node = reader.optional("body") {
            if let template = BodyTemplate(node, policy, &diagnostics) { body = .template(template) }
            if method == "GET" { diagnostics.error(at: node.location, "a GET request has no body") }
        }
        if let node = reader.optional("form") {
            if let form = FormBody(node, policy, &diagnostics) { body = .form(form) }
            if method == "GET" { diagnostics.error(at: node.location, "a GET request has no body") }
            for key in ["body", "batch"] where reader[key] != nil {
                diagnostics.error(
                    at: node.location,
                    key == "body" ? "keep one of `body:` and `form:`" : "a form holds one event: leave `batch:` out")
            }
        }
        if case .none = body {
            for (key, purpose) in [("batch", "put together"), ("compression", "compress")] {
                guard let node = reader[key] else { continue }
                diagnostics.error(at: node.location, "\(method) sends no body, so there is nothing to \(purpose)")
            }
        }
        guard
            let request = RequestSettings(
                &reader, settings, authorization: authorization, reserved: ["idempotency-key"], takesTemplates: true,
                &diagnostics)
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
    case form(FormBody)
}

struct HTTPBlueprint: RequestBlueprint {
    let request: RequestSettings
    let method: String
    let body: HTTPBody
    let policy: ContentPolicy

    var contentType: String? {
        switch body {
        case .none: nil
        case .event: request.contentType(single: CloudEvents.structuredType, list: CloudEvents.batchType)
        case .template: request.contentType(single: "application/json", list: "application/json")
        case .form: FormBody.contentType
        }
    }

    /// The same for every try, so its time does not matter.
    func render(
        _ events: [OutgoingEvent], headers: HeaderFields, timestampSeconds: Int64
    ) throws(RenderingError) -> HTTPClientRequest {
        var headers = headers
        headers.append("Idempotency-Key", BatchID.of(events))
        let text = try request.body(events, certain: certain) { outgoing throws(RenderingError) in
            try bytes(of: outgoing.event)
        }
        var made = request.request(for: events, method: method, headers: headers, body: text)
        if let resource = request.resource, let first = events.first { made.url = try resource.url(for: first.event) }
        return made
    }

    /// A template's body without its defaults; nil for one that has none.
    private var certain: ((OutgoingEvent) -> [UInt8])? {
        guard request.settings.mergesRecords, case .template(let template) = body, template.hasDefaults else {
            return nil
        }
        return { template.render($0.event, policy, omitsDefaults: true) }
    }

    private func bytes(of event: EventView) throws(RenderingError) -> [UInt8] {
        switch body {
        case .none: []
        case .event: policy.payload(of: event)
        case .template(let template): template.render(event, policy)
        case .form(let form): try form.render(event, policy)
        }
    }
}
