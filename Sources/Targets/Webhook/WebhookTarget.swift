import Events
import FieldPolicies
import HTTPClient
import HTTPTypes
import Signatures
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
            diagnostics.error(
                at: bodyNode.location,
                settings.fieldPolicy == nil
                    ? "`body: original` and `original: false` contradict each other"
                    : "`body: original` is the sender's whole payload, and this target has a field policy")
        }
        if let node = reader["batch"], body == .binary {
            diagnostics.error(
                at: node.location, "`body: cloudevent-binary` is one event a request: it goes with no `batch:`")
        }
        var settings = settings
        settings.events = reader.optional("events").flatMap { EventTypeSelection($0, &diagnostics) }
        let signing = WebhookSigning(&reader, &diagnostics)
        let own = ["webhook-id", "webhook-timestamp", "webhook-signature", "ce-"]
        let signed = signing.scheme?.headers.map { $0.lowercased() } ?? []
        guard
            let request = RequestSettings(
                &reader, settings, authorization: nil, reserved: own + signed, takesTemplates: false, &diagnostics)
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
}

/// `sign:`, if there is one.
private struct WebhookSigning {
    var scheme: SignatureScheme?
    /// Nil as well while a secret's reference has no value.
    var signer: SignatureSigner?

    init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        guard let node = reader.optional("sign"), var sign = MappingReader(node, "sign", &diagnostics) else { return }
        scheme = SignatureScheme(&sign, &diagnostics)
        if let scheme { Self.checkHeaders(of: scheme, node, &diagnostics) }
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

    /// No header of a request says two things.
    private static func checkHeaders(
        of scheme: SignatureScheme, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) {
        var seen: Set<String> = []
        for header in scheme.headers {
            let name = header.lowercased()
            let isOurs = name == WebhookBlueprint.idHeader && scheme.idHeader?.lowercased() != name
            if isOurs || name == "content-type" || name.hasPrefix("ce-") || RequestSettings.ownHeaders.contains(name)
                || ConfiguredHeaders.isFraming(name)
            {
                diagnostics.error(
                    at: node.location, "\(header) is written by the target itself, so no signature can stand there")
            }
            if !seen.insert(name).inserted {
                diagnostics.error(
                    at: node.location, "\(header) stands here for two things; each has a header of its own")
            }
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

struct WebhookBlueprint: RequestBlueprint {
    let request: RequestSettings
    let body: WebhookBody
    let signer: SignatureSigner?
    let policy: ContentPolicy

    var contentType: String? {
        body == .canonical
            ? request.contentType(single: CloudEvents.structuredType, list: CloudEvents.batchType)
            : request.contentType(single: "application/json", list: "application/json")
    }

    /// `webhook-id` and the body stay the same over all tries, the timestamp and the signature do not. What is signed is
    /// the body before it is compressed: what a receiver has after its server took `Content-Encoding` off.
    func render(
        _ events: [OutgoingEvent], headers: HeaderFields, timestampSeconds: Int64
    ) throws(RenderingError) -> HTTPClientRequest {
        let text = try request.body(events) { (outgoing) throws(RenderingError) in try bytes(of: outgoing.event) }
        let id = BatchID.of(events)
        var fields = headers.fields
        fields.reserveCapacity(fields.count + 12)
        if let signer {
            fields += signer.headers(
                body: text, id: id, url: request.endpoint.url, timestampSeconds: timestampSeconds)
        }
        if signer?.scheme.idHeader.map({ HeaderFields.matches($0, Self.idHeader) }) != true {
            fields.append(HeaderField(Self.idHeader, id))
        }
        if body == .binary { fields += CloudEvents.binaryHeaders(of: events[0].event) }
        return request.request(for: events, method: "POST", headers: HeaderFields(fields), body: text)
    }

    var signatureHeaders: [String] { signer?.scheme.headers.map { $0.lowercased() } ?? [] }

    static let idHeader = "webhook-id"

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
