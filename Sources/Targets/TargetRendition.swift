package import Events
internal import HTTPClient
internal import HTTPTypes
internal import JSON
internal import Kafka

/// What a target would send for an event, for people to look at: nothing is sent, and no secret is in it.
package struct TargetRendition: Sendable, Hashable {
    package struct Header: Sendable, Hashable {
        package var name: String
        /// `***` for a secret, and for what may be one.
        package var value: String
    }

    /// Of HTTP.
    package var method: String?
    /// Without user, password and query.
    package var destination: String
    package var headers: [Header] = []
    /// What goes over the wire or into the file, of HTTP the body.
    package var bytes: [UInt8]
    /// The event would wait for others and go together with them: these bytes are those of a batch of one.
    package var isBatch = false
}

extension TargetBlueprint {
    /// - Parameters:
    ///   - hostname: the machine's.
    ///   - now: signatures have a time.
    /// - Throws: when the event cannot be written as this target wants it, or not be shown.
    package func rendition(
        of outgoing: OutgoingEvent, hostname: String, now: Timestamp
    ) throws(RenderingError) -> TargetRendition {
        guard let renderable = self as? any RenderableBlueprint else {
            throw RenderingError("what it sends cannot be shown: a ${…} in its configuration has no value")
        }
        let message = try renderable.message([outgoing], hostname: hostname, timestampSeconds: now.milliseconds / 1000)
        return TargetRendition(message, of: self, showsSignature: false)
    }
}

/// What goes over the wire or into the file, secrets and all: never shown as it is.
enum WireMessage: Sendable {
    case request(HTTPClientRequest)
    case record(KafkaRecord)
    case bytes([UInt8])

    var bytes: [UInt8] {
        switch self {
        case .request(let request): request.body
        case .record(let record): record.value ?? []
        case .bytes(let bytes): bytes
        }
    }
}

/// A blueprint that can tell what it would send.
protocol RenderableBlueprint: TargetBlueprint {
    /// - Parameter events: one, or with `batch:` all that go together.
    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage

    /// Headers that hold a signature, in lower case.
    var signatureHeaders: [String] { get }
}

extension RenderableBlueprint {
    var signatureHeaders: [String] { [] }
}

extension SyslogBlueprint: RenderableBlueprint {
    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        .bytes(try renderer(hostname: hostname).render(events[0]))
    }
}

extension FileBlueprint: RenderableBlueprint {
    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        let options = RenderingOptions(policy: ContentPolicy(settings), hostname: hostname)
        return .bytes(try format.render(events[0], options) + [UInt8(ascii: "\n")])
    }
}

// MARK: secrets

/// A value that came from outside the configuration, by `${…}`: taken for a secret.
package struct ResolvedReference: Sendable, Hashable {
    /// The reference as written.
    var reference: String
    var value: String
}

extension TargetRendition {
    /// - Parameter showsSignature: what was sent is told, not what would be sent.
    init(_ message: WireMessage, of blueprint: some TargetBlueprint, showsSignature: Bool) {
        destination = blueprint.destination
        isBatch = blueprint.settings.batch != nil
        switch message {
        case .bytes(let bytes): self.bytes = bytes
        case .record(let record):
            headers =
                [Header(name: "key", value: String(decoding: record.key ?? [], as: UTF8.self))]
                + record.headers.map { Header(name: $0.name, value: String(decoding: $0.value, as: UTF8.self)) }
            bytes = message.bytes
        case .request(let request):
            let signatures = showsSignature ? (blueprint as? any RenderableBlueprint)?.signatureHeaders ?? [] : []
            method = request.method
            if let own = (blueprint.unwrapped as? any RequestBlueprint)?.request, own.resource != nil,
                !own.endpoint.hidesHost
            {
                let url = blueprint.settings.references.reduce(request.url) { $1.hidden(in: $0) }
                destination = Endpoint.shown(url)
            }
            headers = request.headers.fields.map { field in
                let isShown = Self.isHarmless(field.name) || signatures.contains(field.name.lowercased())
                return Header(name: field.name, value: isShown ? field.value : "***")
            }
            // Nothing of the configuration stands in a body but what a template says.
            bytes = blueprint.settings.references.reduce(request.body) { $1.hidden(in: $0) }
        }
    }

    /// Everything else may authenticate: the names of tokens are many.
    static func isHarmless(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("ce-") || harmless.contains(name)
    }

    private static let harmless: Set<String> = [
        "accept", "accept-language", "cache-control", "content-encoding", "content-language", "content-type",
        "gatehouse-replay", "gatehouse-test", "idempotency-key", "if-match", "if-none-match", "odata-maxversion",
        "odata-version", "prefer", "user-agent", "webhook-id",
        "webhook-timestamp",
    ]
}

extension ResolvedReference {
    /// The JSON text, or the form, with the reference in the place of its value.
    func hidden(in body: [UInt8]) -> [UInt8] {
        var quoted = JSONWriter()
        quoted.string(value)
        let body = body.replacing(part: Array(quoted.bytes.dropFirst().dropLast()), by: reference.utf8)
        // As a form has it.
        let encoded = FormEncoding.encoded(value.utf8)
        return encoded == Array(value.utf8) ? body : body.replacing(part: encoded, by: reference.utf8)
    }

    fileprivate func hidden(in url: String) -> String {
        value.isEmpty ? url : url.replacing(value, with: reference)
    }
}
