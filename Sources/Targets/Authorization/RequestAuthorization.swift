import HTTPTypes
import YAML

/// How a target that speaks HTTP says who it is.
enum RequestAuthorization: Sendable {
    /// A header field, the same in every request.
    case header(name: String, value: String)
    /// A bearer token (RFC 6750) that is asked for, kept and renewed.
    case oauth(OAuthSettings)
}

extension RequestAuthorization {
    private static let ways = ["bearer", "basic", "api_key", "oauth2"]

    /// Reads `token:` and `auth:` of an http target. Nil where nothing is configured, or an error was reported.
    static func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> RequestAuthorization? {
        let token = reader.optional("token").flatMap { bearer($0, &diagnostics) }
        guard let node = reader.optional("auth") else { return token }
        if node.scalar?.text == "none" { return token }
        guard var auth = MappingReader(node, "auth", &diagnostics) else { return nil }
        var found: [RequestAuthorization?] = []
        if let node = auth.optional("bearer") { found.append(bearer(node, &diagnostics)) }
        if let node = auth.optional("basic") { found.append(basic(node, &diagnostics)) }
        if let node = auth.optional("api_key") { found.append(apiKey(node, &diagnostics)) }
        if let node = auth.optional("oauth2") {
            found.append(OAuthSettings(node, settings, &diagnostics).map { .oauth($0) })
        }
        auth.finish(&diagnostics)
        let count = ways.count { auth[$0] != nil } + (reader["token"] == nil ? 0 : 1)
        if count != 1 {
            diagnostics.error(
                at: node.location,
                count == 0
                    ? "`auth:` takes `none`, or one of `bearer:`, `basic:`, `api_key:` and `oauth2:`"
                    : "keep one of `token:`, `bearer:`, `basic:`, `api_key:` and `oauth2:`")
            return nil
        }
        return found.first ?? nil
    }

    /// RFC 6750.
    private static func bearer(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RequestAuthorization? {
        guard let token = ConfiguredHeaders.value(node, "Authorization", &diagnostics) else { return nil }
        guard !token.isEmpty, token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            diagnostics.error(at: node.location, "a bearer token is a text of visible ASCII characters without spaces")
            return nil
        }
        return .header(name: "Authorization", value: "Bearer \(token)")
    }

    /// RFC 7617: the user's name has no colon.
    private static func basic(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RequestAuthorization? {
        guard var reader = MappingReader(node, "basic", &diagnostics) else { return nil }
        let userNode = reader.required("user", &diagnostics)
        let user = userNode?.name(&diagnostics)
        let password = reader.required("password", &diagnostics)?.string(&diagnostics)
        reader.finish(&diagnostics)
        guard let userNode, let user, let password else { return nil }
        guard !user.contains(":") else {
            diagnostics.error(at: userNode.location, "a user name for basic authentication has no colon")
            return nil
        }
        return .header(
            name: "Authorization",
            value: RequestSettings.basic(Endpoint.Credentials(user: user, password: password)))
    }

    /// A key in a header field of the service's own naming.
    private static func apiKey(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RequestAuthorization? {
        guard var reader = MappingReader(node, "api_key", &diagnostics) else { return nil }
        let header = reader.required("header", &diagnostics)
        let value = reader.required("value", &diagnostics)
        reader.finish(&diagnostics)
        guard let header, let value, header.name(&diagnostics) != nil, value.name(&diagnostics) != nil else {
            return nil
        }
        let fields = ConfiguredHeaders.decode(
            YAMLNode(location: node.location, content: .mapping([YAMLEntry(key: header, value: value)])),
            reserved: RequestSettings.ownHeaders, &diagnostics)
        return fields.first.map { .header(name: $0.name, value: $0.value) }
    }
}
