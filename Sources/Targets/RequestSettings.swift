import Cryptography
import HTTPClient
import HTTPTypes
import YAML

/// What the targets that speak HTTP have in common: where to, with which fixed headers, under which limits.
struct RequestSettings: Sendable {
    let settings: TargetSettings
    let endpoint: Endpoint
    /// Configured headers and `Authorization`.
    let headers: HeaderFields
}

extension RequestSettings {
    private static let schemes: KeyValuePairs = ["https": 443, "http": 80]

    /// Reads `url` and `headers`. Nil when there is no URL to send to.
    /// - Parameters:
    ///   - authorization: from the type's own keys, if it has any.
    ///   - reserved: names in lower case that the type writes itself.
    init?(
        _ reader: inout MappingReader, _ settings: TargetSettings, authorization: String?, reserved: [String],
        _ diagnostics: inout Diagnostics
    ) {
        let headers = ConfiguredHeaders.decode(reader.optional("headers"), reserved: reserved, &diagnostics)
        guard let url = reader.required("url", &diagnostics),
            let endpoint = Endpoint(
                url, schemes: Self.schemes, takesResource: true, guardedBy: settings.addressGuard, &diagnostics)
        else { return nil }
        self.settings = settings
        self.endpoint = endpoint
        var fields = HeaderFields(headers)
        let ways = [authorization, endpoint.user.map(Self.basic), fields["Authorization"]].compactMap { $0 }
        if ways.count > 1 {
            diagnostics.error(
                at: url.location, "this target says in more than one way how it authenticates; keep one of them")
        }
        if let value = ways.first { fields.set("Authorization", value) }
        if settings.tls != TLSOptions(), endpoint.scheme != "https" {
            diagnostics.error(at: reader["tls"]?.location ?? url.location, "`tls:` needs an https:// URL")
        }
        self.headers = fields
    }

    /// RFC 7617.
    static func basic(_ credentials: Endpoint.Credentials) -> String {
        "Basic " + Base64.encode(Array("\(credentials.user):\(credentials.password)".utf8))
    }

    /// The fixed headers with `Content-Type` and `User-Agent`, those of the configuration before ours.
    func headers(contentType: String?) -> HeaderFields {
        var fields = headers
        if let contentType, fields["Content-Type"] == nil { fields.append("Content-Type", contentType) }
        if fields["User-Agent"] == nil { fields.append("User-Agent", "Gatehouse") }
        return fields
    }

    func request(method: String, headers: HeaderFields, body: [UInt8]) -> HTTPClientRequest {
        HTTPClientRequest(
            method: method, url: endpoint.url, headers: headers, body: body, timeout: settings.timeout,
            tls: settings.tls, addressGuard: settings.addressGuard)
    }
}

extension MappingReader {
    /// A value that is looked at without being asked for.
    subscript(_ key: String) -> YAMLNode? { node[key] }
}
