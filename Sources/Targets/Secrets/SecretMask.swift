import HTTPClient
import HTTPTypes

/// Takes what authenticates a target out of what is kept of its requests and of their answers: some receivers repeat what
/// they were sent.
struct SecretMask: Sendable {
    /// What stands in requests by reference.
    private let references: [ResolvedReference]
    /// The longest first, so that none is left standing around a part of it.
    private let secrets: [[UInt8]]

    /// A shorter one is in too many texts by chance, and guessed in no time.
    private static let shortest = 6
    private static let mark = Array("***".utf8)

    init(_ texts: some Sequence<String>, references: [ResolvedReference] = []) {
        self.references = references
        var found = Set(texts.filter { $0.utf8.count >= Self.shortest })
        // As some write it in JSON.
        for text in found where text.utf8.contains(UInt8(ascii: "/")) { found.insert(text.replacing("/", with: "\\/")) }
        secrets = found.map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    /// Of a target: what came into its configuration from outside, what stands in header fields that may authenticate it,
    /// with and without the scheme, and behind the `=` of its URL's query.
    init(_ request: RequestSettings) {
        let fields = request.headers.fields.filter { field in
            // Where there are access tokens this one only keeps their place.
            !TargetRendition.isHarmless(field.name) && !(request.oauth != nil && field.name == "Authorization")
        }.map(\.value)
        let words = fields.compactMap { $0.split(separator: " ").last.map(String.init) }
        let query = request.resource == nil ? request.endpoint.url.drop { $0 != "?" }.dropFirst() : ""
        let parameters = query.split(separator: "&").compactMap {
            $0.split(separator: "=", maxSplits: 1).dropFirst().first
        }
        let references = request.settings.references
        self.init(
            references.map(\.value) + fields + words + parameters.map(String.init), references: references)
    }

    /// What is kept of a body that was sent: its beginning, with references in the place of their values.
    func request(_ body: [UInt8]) -> [UInt8] {
        guard !references.isEmpty else { return body }
        // A value may stand across the end of what is kept.
        let beginning = Array(
            body.prefix(Exchange.maximumRequest + (references.map(\.value.utf8.count).max() ?? 0) * 3))
        return references.reduce(beginning) { $1.hidden(in: $0) }
    }

    func hide(in bytes: inout [UInt8]) {
        for secret in secrets { bytes = bytes.replacing(part: secret, by: Self.mark) }
    }
}

extension HTTPClientResponse {
    func hiding(_ mask: SecretMask) -> HTTPClientResponse {
        var response = self
        mask.hide(in: &response.body)
        mask.hide(in: &response.headerLines)
        return response
    }
}

extension BatchOutcome {
    /// The outcome with what it repeats of the answer as it may be kept.
    func hiding(_ mask: SecretMask) -> BatchOutcome {
        switch self {
        case .all(let outcome): .all(outcome.hiding(mask))
        case .each(let outcomes): .each(outcomes.map { $0.hiding(mask) })
        }
    }
}

extension DeliveryOutcome {
    fileprivate func hiding(_ mask: SecretMask) -> DeliveryOutcome {
        guard case .failed(var failure) = self, !failure.response.isEmpty else { return self }
        mask.hide(in: &failure.response)
        return .failed(failure)
    }
}
