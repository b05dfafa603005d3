import Cryptography
import HTTPClient
import HTTPTypes
import YAML

/// What the targets that speak HTTP have in common: where to, with which fixed headers, under which limits.
struct RequestSettings: Sendable {
    let settings: TargetSettings
    let endpoint: Endpoint
    /// Where an event's values stand in the URL; nil: it is the same for all of them.
    var resource: URLTemplate?
    /// Configured headers and `Authorization`.
    let headers: HeaderFields
    /// Where access tokens come from; nil: every request authenticates alike, if at all.
    var oauth: OAuthSettings?
    /// How the events of a batch stand in one body.
    var wrap = BatchWrap.array
    /// Nil: none.
    var compression: RequestCompression?
    /// Nil: a status of 2xx says that all was taken.
    var response: ResponsePredicate?
}

extension RequestSettings {
    private static let schemes: KeyValuePairs = ["https": 443, "http": 80]

    /// Reads `url`, `headers`, `batch`, `compression` and `response`. Nil when there is no URL to send to.
    /// - Parameters:
    ///   - authorization: from the type's own keys, if it has any.
    ///   - reserved: names in lower case that the type writes itself.
    ///   - takesTemplates: whether the configuration may write parts of a body.
    init?(
        _ reader: inout MappingReader, _ settings: TargetSettings, authorization: RequestAuthorization?,
        reserved: [String],
        takesTemplates: Bool, _ diagnostics: inout Diagnostics
    ) {
        let policy = ContentPolicy(settings)
        let headers = ConfiguredHeaders.decode(
            reader.optional("headers"), reserved: reserved + Self.marks, &diagnostics)
        let batch = reader.optional("batch").map {
            BatchSettings($0, templates: takesTemplates ? policy : nil, &diagnostics)
        }
        compression =
            reader.optional("compression")?.choice(of: RequestCompression.allCases.map(\.rawValue), &diagnostics)
            .flatMap(RequestCompression.init(rawValue:))
        response = reader.optional("response").flatMap { ResponsePredicate($0, policy, &diagnostics) }
        if let node = reader["response"], response?.taken.isEmpty == false, batch != nil {
            diagnostics.error(
                at: node.location,
                "`taken:` speaks of one event; of a batch no status says that all of it is as it should be")
        }
        wrap = batch?.wrap ?? .array
        var settings = settings
        settings.batch = batch?.limits
        guard var url = reader.required("url", &diagnostics) else { return nil }
        let urlPieces = takesTemplates ? URLTemplate.read(url, policy, &diagnostics) : nil
        if let plain = urlPieces?.plain {
            url = plain
        } else if takesTemplates, url.scalar.map({ $0.isResolved && $0.text.contains("{") }) ?? false {
            return nil
        }
        guard
            let endpoint = Endpoint(
                url, schemes: Self.schemes, takesResource: true, guardedBy: settings.addressGuard, &diagnostics)
        else { return nil }
        resource = urlPieces.map { URLTemplate(endpoint, $0.pieces, policy) }
        if resource != nil, let node = reader["batch"] {
            diagnostics.error(
                at: node.location, "the URL holds values of one event, so each goes by itself: leave `batch:` out")
        }
        self.settings = settings
        self.endpoint = endpoint
        var fields = HeaderFields(headers)
        let isDouble =
            if case .header(let name, _) = authorization { fields[name] != nil } else { false }
        let ways = [authorization != nil, endpoint.user != nil, fields["Authorization"] != nil].count { $0 }
        if ways > 1 || isDouble {
            diagnostics.error(
                at: url.location, "this target says in more than one way how it authenticates; keep one of them")
        }
        switch authorization {
        case .header(let name, let value): fields.set(name, value)
        case .oauth(let settings):
            oauth = settings
            // The token takes its place when it is there.
            fields.set("Authorization", "Bearer")
        case nil: if let user = endpoint.user { fields.set("Authorization", Self.basic(user)) }
        }
        if settings.tls != TLSOptions(), endpoint.scheme != "https" {
            diagnostics.error(at: reader["tls"]?.location ?? url.location, "`tls:` needs an https:// URL")
        }
        self.headers = fields
    }

    /// RFC 7617.
    static func basic(_ credentials: Endpoint.Credentials) -> String {
        "Basic " + Base64.encode(Array("\(credentials.user):\(credentials.password)".utf8))
    }

    /// Says that a request is that of a replay, and of which: its number.
    private static let replayHeader = "gatehouse-replay"
    /// Says that a request is a person's who tries the target out.
    private static let testHeader = "gatehouse-test"
    private static let marks = [replayHeader, testHeader]
    /// In lower case: what an http target writes itself.
    static let ownHeaders = marks + ["idempotency-key"]

    /// The headers of every request: the fixed ones with `Content-Type` and `User-Agent`, those of the configuration
    /// before ours.
    func headers(contentType: String?) -> HeaderFields {
        var fields = headers
        if let contentType, fields["Content-Type"] == nil { fields.append("Content-Type", contentType) }
        if let compression { fields.append("Content-Encoding", compression.rawValue) }
        if fields["User-Agent"] == nil { fields.append("User-Agent", "Gatehouse") }
        return fields
    }

    /// - Parameters:
    ///   - headers: of this request.
    ///   - body: not compressed yet.
    func request(
        for events: [OutgoingEvent], method: String, headers: HeaderFields, body: [UInt8]
    ) -> HTTPClientRequest {
        var headers = headers
        if events.contains(where: { $0.replay != nil }) {
            let replays = Set(events.compactMap(\.replay)).sorted()
            headers.append(Self.replayHeader, replays.map { "\($0)" }.joined(separator: ", "))
        }
        if events.contains(where: { $0.test != nil }) { headers.append(Self.testHeader, "true") }
        var request = HTTPClientRequest(
            method: method, url: endpoint.url, headers: headers, body: body, timeout: settings.timeout,
            tls: settings.tls, addressGuard: settings.addressGuard)
        if let response { request.maximumResponseBytes = response.maximumAnswer(events: events.count) }
        return request
    }

    /// Which of the events of a request are of one record.
    func records(_ events: [OutgoingEvent]) -> RecordGroups {
        RecordGroups(events, by: settings.mergesRecords ? settings.recordKey : nil)
    }

    /// One body of what would be the bodies of the events.
    /// - Parameter certain: an event's body without the defaults of its template; nil where it has none.
    func body(
        _ events: [OutgoingEvent], certain: ((OutgoingEvent) -> [UInt8])? = nil,
        _ bytes: (OutgoingEvent) throws(RenderingError) -> [UInt8]
    ) throws(RenderingError) -> [UInt8] {
        guard settings.batch != nil else { return try bytes(events[0]) }
        var bodies: [[UInt8]] = []
        bodies.reserveCapacity(events.count)
        for event in events { bodies.append(try bytes(event)) }
        let records = records(events)
        return wrap.body(
            records.merged(bodies, certain: certain.map { certain in { certain(events[$0]) } }),
            of: records.newest(events), ContentPolicy(settings))
    }

    /// - Parameters:
    ///   - single: the type of one event's body.
    ///   - list: that of an array of them.
    func contentType(single: String, list: String) -> String {
        settings.batch == nil ? single : wrap.contentType(single: single, list: list)
    }
}

extension MappingReader {
    /// A value that is looked at without being asked for.
    subscript(_ key: String) -> YAMLNode? { node[key] }
}
