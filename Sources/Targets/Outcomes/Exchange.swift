internal import Cryptography
internal import HTTPClient
internal import HTTPTypes

/// What one request sent and what came back, as the delivery history keeps it. The events of one batch share it.
package final class Exchange: Sendable {
    /// Bytes of an answer's body that are kept.
    package static let maximumAnswer = 4096
    /// Bytes of an answer's header fields that are kept.
    package static let maximumHeaders = 8192
    /// Bytes of a failed request's body that are kept.
    package static let maximumRequest = 64 << 10

    /// The configuration it was rendered with.
    package let version: TargetVersion?
    /// SHA-256 of what was rendered: of HTTP the body, before any compression, else the message or line.
    package let digest: [UInt8]
    /// What its signature says: seconds since 1970.
    package let signedAtSeconds: Int64?
    /// Nil when there was none.
    package let answer: Answer?
    /// The beginning of what was rendered, of a request that failed. The digest is that of all of it.
    package let request: [UInt8]?
    /// The size of what was rendered.
    package let size: Int

    /// - Parameters:
    ///   - bytes: what was rendered.
    ///   - isKept: the request failed, so its bytes are kept.
    ///   - shown: those bytes without secrets, if there may be any.
    package init(
        _ bytes: [UInt8], version: TargetVersion?, signedAtSeconds: Int64? = nil, answer: Answer? = nil, isKept: Bool,
        shown: [UInt8]? = nil
    ) {
        self.version = version
        self.signedAtSeconds = signedAtSeconds
        self.answer = answer
        digest = SHA256.hash(bytes)
        request = isKept ? (shown ?? bytes).beginning(Self.maximumRequest) : nil
        size = bytes.count
    }

    /// As it was kept: what was rendered is known by its digest and size.
    package init(
        digest: [UInt8], size: Int, version: TargetVersion?, signedAtSeconds: Int64?, answer: Answer?,
        request: [UInt8]?
    ) {
        self.version = version
        self.digest = digest
        self.signedAtSeconds = signedAtSeconds
        self.answer = answer
        self.request = request?.beginning(Self.maximumRequest)
        self.size = size
    }

    /// The memory it takes, roughly.
    package var footprint: Int { 200 + (request?.count ?? 0) + (answer?.footprint ?? 0) }
}

/// What a receiver answered: the header's lines as they stood on the wire, and the beginning of the body.
package struct Answer: Sendable, Hashable {
    /// At most `Exchange.maximumHeaders` bytes.
    package var headerLines: [UInt8]
    /// At most `Exchange.maximumAnswer` bytes.
    package var body: [UInt8]
    /// The body was longer.
    package var isCut: Bool

    package init(headerLines: [UInt8], body: [UInt8], isCut: Bool = false) {
        self.headerLines = headerLines.beginning(Exchange.maximumHeaders)
        self.body = body.beginning(Exchange.maximumAnswer)
        self.isCut = isCut || body.count > Exchange.maximumAnswer
    }

    /// The memory it takes, roughly.
    fileprivate var footprint: Int { headerLines.count + body.count }

    /// The header's lines as they may be kept: with `***` in the place of what may authenticate somebody.
    package var maskedHeaderLines: [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(headerLines.count)
        for header in headers { lines.append(contentsOf: "\(header.name): \(header.value)\r\n".utf8) }
        return lines
    }

    /// The header fields, for people: what may authenticate somebody (a cookie, a token) is `***`.
    package var headers: [TargetRendition.Header] {
        HTTPClientResponse(status: 0, headerLines: headerLines).headers.fields.map { field in
            TargetRendition.Header(
                name: field.name, value: SecretPlaces.isSecret(header: field.name) ? "***" : field.value)
        }
    }
}

extension Exchange: Hashable {
    package static func == (one: Exchange, other: Exchange) -> Bool {
        one === other
            || one.digest == other.digest && one.version == other.version && one.answer == other.answer
                && one.signedAtSeconds == other.signedAtSeconds && one.request == other.request
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(digest)
        hasher.combine(signedAtSeconds)
    }
}

extension [UInt8] {
    /// Shares the bytes when there are no more.
    fileprivate func beginning(_ length: Int) -> [UInt8] { count <= length ? self : Array(prefix(length)) }
}

// MARK: with an outcome

extension DeliveryOutcome {
    var isDelivered: Bool { if case .delivered = self { true } else { false } }

    var exchange: Exchange? {
        switch self {
        case .delivered(let receipt): receipt.exchange
        case .failed(let failure): failure.exchange
        }
    }

    /// The outcome, with what was sent and what came back.
    func carrying(_ exchange: Exchange) -> DeliveryOutcome {
        switch self {
        case .delivered(var receipt):
            receipt.exchange = exchange
            return .delivered(receipt)
        case .failed(var failure):
            failure.exchange = exchange
            return .failed(failure)
        }
    }
}

extension BatchOutcome {
    /// Whether every event was delivered.
    var isDelivered: Bool {
        switch self {
        case .all(let outcome): outcome.isDelivered
        case .each(let outcomes): outcomes.allSatisfy(\.isDelivered)
        }
    }

    /// The one exchange of all events; nil when there was none, or each was sent by itself.
    package var sharedExchange: Exchange? {
        switch self {
        case .all(let outcome): return outcome.exchange
        case .each(let outcomes):
            guard let first = outcomes.lazy.compactMap(\.exchange).first else { return nil }
            return outcomes.allSatisfy { $0.exchange.map { $0 === first } ?? true } ? first : nil
        }
    }

    /// The outcome, with what was sent and what came back: one exchange for all of them.
    func carrying(_ exchange: Exchange) -> BatchOutcome {
        switch self {
        case .all(let outcome): .all(outcome.carrying(exchange))
        case .each(let outcomes): .each(outcomes.map { $0.carrying(exchange) })
        }
    }
}
