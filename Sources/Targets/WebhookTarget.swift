import Events
import HTTPClient
import HTTPTypes
import Signatures
import Synchronization
package import YAML

/// `webhook`: one signed POST an event, or a batch of them.
package struct WebhookTargetType: TargetType {
    package let name = "webhook"

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        let bodyNode = reader.optional("body")
        let body =
            bodyNode?.choice(of: WebhookBody.allCases.map(\.rawValue), &diagnostics)
            .flatMap(WebhookBody.init(rawValue:)) ?? .canonical
        if body == .original, !settings.sendsOriginal, let bodyNode {
            diagnostics.error(at: bodyNode.location, "`body: original` and `original: false` contradict each other")
        }
        var settings = settings
        if let node = reader.optional("batch") {
            settings.batch = BatchLimits(node, &diagnostics)
            if body == .binary {
                diagnostics.error(
                    at: node.location, "`body: cloudevent-binary` is one event a request: it goes with no `batch:`")
            }
        }
        let signing = WebhookSigning(&reader, &diagnostics)
        let own = ["webhook-id", "webhook-timestamp", "webhook-signature", "ce-"]
        let signed = signing.scheme?.headers.map { $0.lowercased() } ?? []
        guard
            let request = RequestSettings(
                &reader, settings, authorization: nil, reserved: own + signed, &diagnostics)
        else { return nil }
        return WebhookBlueprint(
            request: request, body: body, signer: signing.signer, policy: ContentPolicy(settings))
    }
}

/// What a webhook carries.
enum WebhookBody: String, CaseIterable, Sendable {
    /// The structured CloudEvent.
    case canonical
    /// The sender's own payload.
    case original
    /// `data` as the body, the other attributes as `ce-…` headers.
    case binary = "cloudevent-binary"

    var contentType: String {
        self == .canonical ? CloudEvents.structuredType : "application/json"
    }

    var batchType: String { self == .canonical ? BatchBody.canonicalType : "application/json" }
}

/// `sign:`, if there is one.
private struct WebhookSigning {
    var scheme: SignatureScheme?
    /// Nil as well while a secret's reference has no value.
    var signer: SignatureSigner?

    init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        guard let node = reader.optional("sign"), var sign = MappingReader(node, "sign", &diagnostics) else { return }
        scheme = SignatureScheme(&sign, &diagnostics)
        let secretsNode = sign.required("secrets", &diagnostics)
        sign.finish(&diagnostics)
        guard let scheme, let secretsNode, let secrets = Self.secrets(secretsNode, &diagnostics) else { return }
        if secrets.count > 1, !scheme.carriesSeveralSignatures {
            diagnostics.warning(
                at: secretsNode.location,
                "\(scheme.name) carries one signature: only the first of these secrets signs, so put the one the receiver knows first"
            )
        }
        do {
            signer = try SignatureSigner(scheme: scheme, secrets: secrets)
        } catch {
            diagnostics.error(at: secretsNode.location, error.description)
        }
    }

    /// Nil where a value is missing, which has been reported.
    private static func secrets(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [NamedSecret]? {
        let elements = node.list(&diagnostics)
        let secrets = elements.enumerated().compactMap { position, element -> NamedSecret? in
            guard let scalar = element.scalar, let value = element.name(&diagnostics), scalar.isResolved else {
                if element.scalar == nil { _ = element.name(&diagnostics) }
                return nil
            }
            return NamedSecret(name: scalar.reference.map(displayable) ?? String(position + 1), value: value)
        }
        return secrets.count == elements.count ? secrets : nil
    }
}

struct WebhookBlueprint: TargetBlueprint {
    let request: RequestSettings
    let body: WebhookBody
    let signer: SignatureSigner?
    let policy: ContentPolicy

    var settings: TargetSettings { request.settings }
    var destination: String { request.endpoint.display }

    func make(_ context: TargetContext) throws -> any Target {
        try request.settings.tls.checkFiles(of: settings.name)
        return WebhookTarget(self, context)
    }

    /// The request for one try: `webhook-id` and the body stay the same over all tries, the timestamp does not.
    /// - Parameter fixed: the headers of every request.
    func render(
        _ event: EventView, headers fixed: HeaderFields, timestampSeconds: Int64
    ) throws(RenderingError) -> HTTPClientRequest {
        let extra = body == .binary ? CloudEvents.binaryHeaders(of: event) : []
        return sign(
            try bytes(of: event), id: event.attribute("id") ?? "", headers: fixed, extra: extra, timestampSeconds)
    }

    /// As `render` of one: an array of what each event's body would be.
    func render(
        batch: [OutgoingEvent], headers fixed: HeaderFields, timestampSeconds: Int64
    ) throws(RenderingError) -> HTTPClientRequest {
        var bodies: [[UInt8]] = []
        for outgoing in batch { bodies.append(try bytes(of: outgoing.event)) }
        return sign(
            BatchBody.array(bodies), id: BatchBody.id(batch), headers: fixed, extra: [], timestampSeconds)
    }

    private func sign(
        _ bytes: [UInt8], id: String, headers fixed: HeaderFields, extra: [HeaderField], _ timestampSeconds: Int64
    ) -> HTTPClientRequest {
        var fields = fixed.fields
        fields.reserveCapacity(fields.count + 12)
        if let signer {
            fields += signer.headers(
                body: bytes, id: id, url: request.endpoint.url, timestampSeconds: timestampSeconds)
        }
        if signer?.scheme.idHeader.map({ HeaderFields.matches($0, Self.idHeader) }) != true {
            fields.append(HeaderField(Self.idHeader, id))
        }
        return request.request(method: "POST", headers: HeaderFields(fields + extra), body: bytes)
    }

    private static let idHeader = "webhook-id"

    private func bytes(of event: EventView) throws(RenderingError) -> [UInt8] {
        switch body {
        case .canonical: return policy.payload(of: event)
        case .binary: return policy.data(of: event)
        case .original:
            guard let original = policy.original(of: event) else {
                throw RenderingError("it has no payload of a sender to send on")
            }
            return original
        }
    }
}

final class WebhookTarget: Target {
    private let blueprint: WebhookBlueprint
    private let context: TargetContext
    private let headers: HeaderFields
    private let isClosed = Atomic(false)

    init(_ blueprint: WebhookBlueprint, _ context: TargetContext) {
        self.blueprint = blueprint
        self.context = context
        let isBatched = blueprint.settings.batch != nil
        headers = blueprint.request.headers(
            contentType: isBatched ? blueprint.body.batchType : blueprint.body.contentType)
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else { return completion(.failed(FailureClassification.closed)) }
        do throws(RenderingError) {
            let seconds = context.now().milliseconds / 1000
            let request = try blueprint.render(outgoing.event, headers: headers, timestampSeconds: seconds)
            context.send(request, to: blueprint.request.endpoint, completion: completion)
        } catch {
            completion(.failed(FailureClassification.failure(error)))
        }
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else {
            return completion(.all(.failed(FailureClassification.closed)))
        }
        do throws(RenderingError) {
            let seconds = context.now().milliseconds / 1000
            let request = try blueprint.render(batch: batch, headers: headers, timestampSeconds: seconds)
            context.send(request, to: blueprint.request.endpoint) { completion(.all($0)) }
        } catch {
            completion(.all(.failed(FailureClassification.failure(error))))
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
    }
}
