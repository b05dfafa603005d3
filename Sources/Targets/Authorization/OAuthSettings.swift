import Addresses
import Cryptography
import HTTPClient
import YAML

/// `oauth2:` of a target: where its tokens come from, by the grant of client credentials (RFC 6749, section 4.4).
struct OAuthSettings: Sendable {
    /// The token endpoint.
    let endpoint: Endpoint
    let clientID: String
    let credential: Credential
    var scope: String?
    /// Who the token is for, where the service asks for it.
    var audience: String?
    /// What else this service wants to read, as names and values of a form.
    var parameters: [(name: String, value: String)] = []
    let tls: TLSOptions
    let addressGuard: AddressGuard
    let timeout: Duration

    /// How the client shows that it is the client.
    enum Credential: Sendable {
        /// In the header field `Authorization` (RFC 6749, section 2.3.1).
        case secretInHeader(String)
        /// Among what is posted.
        case secretInBody(String)
        /// By an assertion that it signs (RFC 7523, section 2.2).
        case assertion(ClientAssertion)

        /// What the endpoint may repeat and nobody is to read; nil: it is not sent.
        var secret: String? {
            switch self {
            case .secretInHeader(let secret), .secretInBody(let secret): secret
            case .assertion: nil
            }
        }
    }
}

extension OAuthSettings {
    private static let schemes: KeyValuePairs = ["https": 443, "http": 80]
    private static let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    /// For one request to the token endpoint.
    private static let longestWait = Duration.seconds(30)

    /// Nil when an error was reported, or a value is not there yet.
    init?(_ node: YAMLNode, _ settings: TargetSettings, _ diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, "oauth2", &diagnostics) else { return nil }
        let url = reader.required("token_url", &diagnostics)
        let clientID = reader.required("client_id", &diagnostics)?.name(&diagnostics)
        scope = reader.optional("scope")?.name(&diagnostics)
        audience = reader.optional("audience")?.name(&diagnostics)
        for entry in reader.optional("parameters")?.mapping("parameters", &diagnostics) ?? [] {
            if let value = entry.value.string(&diagnostics) { parameters.append((entry.name, value)) }
        }
        addressGuard = settings.addressGuard
        timeout = min(settings.timeout, Self.longestWait)
        if let node = reader.optional("tls") {
            tls = TargetSettings.tls(node, &diagnostics)
        } else {
            // The pinned certificate is the service's own.
            var inherited = settings.tls
            inherited.pinSHA256 = nil
            tls = inherited
        }
        let credential = Self.credential(&reader, node, &diagnostics)
        reader.finish(&diagnostics)
        guard let url,
            let endpoint = Endpoint(
                url, schemes: Self.schemes, takesResource: true, guardedBy: addressGuard, &diagnostics),
            let clientID, let credential
        else { return nil }
        guard endpoint.user == nil else {
            diagnostics.error(at: url.location, "write `client_id:` and `client_secret:`, not a user in the URL")
            return nil
        }
        self.endpoint = endpoint
        self.clientID = clientID
        self.credential = credential
    }

    private static func credential(
        _ reader: inout MappingReader, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> Credential? {
        let secretNode = reader.optional("client_secret")
        let keyNode = reader.optional("private_key")
        let methodNode = reader.optional("auth_method")
        let method = methodNode?.choice(of: methods, &diagnostics)
        var assertion: ClientAssertion?
        if let keyNode {
            assertion = ClientAssertion(keyNode, &reader, &diagnostics)
        } else {
            for key in ClientAssertion.keys {
                guard let node = reader.optional(key) else { continue }
                diagnostics.error(at: node.location, "`\(key):` goes with `private_key:`, which is not there")
            }
        }
        guard (secretNode == nil) != (keyNode == nil) else {
            diagnostics.error(
                at: node.location, "`oauth2:` needs one of `client_secret:` and `private_key:`")
            return nil
        }
        if let methodNode, let method, (method == "private_key_jwt") != (keyNode != nil) {
            diagnostics.error(
                at: methodNode.location,
                "`\(method)` goes with `\(keyNode == nil ? "private_key" : "client_secret"):`")
            return nil
        }
        if keyNode != nil { return assertion.map { .assertion($0) } }
        guard let secret = secretNode?.name(&diagnostics) else { return nil }
        return method == "client_secret_post" ? .secretInBody(secret) : .secretInHeader(secret)
    }
}
