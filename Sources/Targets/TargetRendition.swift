package import Events
internal import HTTPClient
internal import HTTPTypes
internal import JSON

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
        return try renderable.render(outgoing, hostname: hostname, now: now)
    }
}

/// A blueprint that can show what it would send.
protocol RenderableBlueprint: TargetBlueprint {
    func render(_ outgoing: OutgoingEvent, hostname: String, now: Timestamp) throws(RenderingError) -> TargetRendition
}

extension SyslogBlueprint: RenderableBlueprint {
    func render(_ outgoing: OutgoingEvent, hostname: String, now: Timestamp) throws(RenderingError) -> TargetRendition {
        TargetRendition(destination: destination, bytes: try renderer(hostname: hostname).render(outgoing))
    }
}

extension FileBlueprint: RenderableBlueprint {
    func render(_ outgoing: OutgoingEvent, hostname: String, now: Timestamp) throws(RenderingError) -> TargetRendition {
        let options = RenderingOptions(policy: ContentPolicy(settings), hostname: hostname)
        let line = try format.render(outgoing, options) + [UInt8(ascii: "\n")]
        return TargetRendition(destination: destination, bytes: line)
    }
}

extension HTTPBlueprint: RenderableBlueprint {
    func render(_ outgoing: OutgoingEvent, hostname: String, now: Timestamp) throws(RenderingError) -> TargetRendition {
        let isBatch = settings.batch != nil
        let fixed = self.request.headers(contentType: isBatch ? body.batchType : body.contentType)
        let request =
            isBatch ? render(batch: [outgoing], headers: fixed) : render(outgoing.event, headers: fixed)
        return TargetRendition(request, destination, isBatch: isBatch, settings.references)
    }
}

extension WebhookBlueprint: RenderableBlueprint {
    func render(_ outgoing: OutgoingEvent, hostname: String, now: Timestamp) throws(RenderingError) -> TargetRendition {
        let isBatch = settings.batch != nil
        let fixed = self.request.headers(contentType: isBatch ? body.batchType : body.contentType)
        let seconds = now.milliseconds / 1000
        let request =
            isBatch
            ? try render(batch: [outgoing], headers: fixed, timestampSeconds: seconds)
            : try render(outgoing.event, headers: fixed, timestampSeconds: seconds)
        return TargetRendition(request, destination, isBatch: isBatch)
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
    fileprivate init(
        _ request: HTTPClientRequest, _ destination: String, isBatch: Bool, _ references: [ResolvedReference] = []
    ) {
        method = request.method
        self.destination = destination
        headers = request.headers.fields.map { field in
            Header(name: field.name, value: Self.isHarmless(field.name) ? field.value : "***")
        }
        // Nothing of the configuration stands in a body but what a template says.
        bytes = references.reduce(request.body) { $1.hidden(in: $0) }
        self.isBatch = isBatch
    }

    /// Everything else may authenticate: the names of tokens are many.
    private static func isHarmless(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("ce-") || harmless.contains(name)
    }

    private static let harmless: Set<String> = [
        "accept", "accept-language", "cache-control", "content-language", "content-type", "idempotency-key", "prefer",
        "user-agent", "webhook-id", "webhook-timestamp",
    ]
}

extension ResolvedReference {
    /// The JSON text with the reference in the place of its value.
    fileprivate func hidden(in body: [UInt8]) -> [UInt8] {
        var quoted = JSONWriter()
        quoted.string(value)
        let secret = quoted.bytes.dropFirst().dropLast()
        guard !secret.isEmpty, secret.count <= body.count else { return body }
        var result: [UInt8] = []
        result.reserveCapacity(body.count)
        var position = 0
        while position < body.count {
            if body[position] == secret[secret.startIndex], body[position...].starts(with: secret) {
                result.append(contentsOf: reference.utf8)
                position += secret.count
            } else {
                result.append(body[position])
                position += 1
            }
        }
        return result
    }
}
