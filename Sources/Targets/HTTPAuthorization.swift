import YAML

/// `token:` and `auth:` of an http target.
enum HTTPAuthorization {
    /// The value of `Authorization`; nil where nothing is configured.
    static func decode(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) -> String? {
        let token = reader.optional("token").flatMap { bearerValue($0, &diagnostics) }
        guard let node = reader.optional("auth") else { return token }
        guard var auth = MappingReader(node, "auth", &diagnostics) else { return nil }
        let bearer = auth.optional("bearer").flatMap { bearerValue($0, &diagnostics) }
        let basic = auth.optional("basic").flatMap { basicValue($0, &diagnostics) }
        let count = [auth["bearer"], auth["basic"], reader["token"]].count { $0 != nil }
        auth.finish(&diagnostics)
        if count != 1 {
            diagnostics.error(
                at: node.location,
                count == 0
                    ? "`auth:` takes `bearer: TOKEN` or `basic: {user: …, password: …}`"
                    : "keep one of `token:`, `bearer:` and `basic:`")
            return nil
        }
        return bearer ?? basic
    }

    /// RFC 6750.
    private static func bearerValue(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let token = ConfiguredHeaders.value(node, "Authorization", &diagnostics) else { return nil }
        guard !token.isEmpty, token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            diagnostics.error(at: node.location, "a bearer token is a text of visible ASCII characters without spaces")
            return nil
        }
        return "Bearer \(token)"
    }

    /// RFC 7617: the user's name has no colon.
    private static func basicValue(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
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
        return RequestSettings.basic(Endpoint.Credentials(user: user, password: password))
    }
}
