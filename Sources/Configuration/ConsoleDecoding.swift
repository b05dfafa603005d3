internal import Addresses
package import HTTPServer
internal import Rules
package import Signatures
internal import YAML

/// Who may ask the console what.
package struct ConsoleToken: Sendable {
    package enum Role: String, Sendable, CaseIterable {
        case viewer
        case `operator`
    }

    package var name: String
    package var role: Role
    /// Sees this team's part alone; nil: everything.
    package var team: String?
    package var secret: NamedSecret
}

/// Where the console listens, and who may ask it what.
package struct ConsoleSettings: Sendable {
    package var listen = HTTPListenAddress.tcp(host: "127.0.0.1", port: 8081)
    package var tokens: [ConsoleToken] = []
    /// Whether requests without a token are an operator's.
    package var isOpen = false
}

extension ConsoleSettings {
    private static let mostTokens = 1000
    /// Bytes: shorter ones can be guessed.
    private static let shortestToken = 16

    /// An address, or `{listen, tokens, open}`.
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> ConsoleSettings {
        var settings = ConsoleSettings()
        guard node.entries != nil else {
            if let address = HTTPListenAddress.decode(node, &diagnostics) { settings.listen = address }
            return settings
        }
        guard var reader = MappingReader(node, "console", &diagnostics) else { return settings }
        if let address = reader.optional("listen").flatMap({ HTTPListenAddress.decode($0, &diagnostics) }) {
            settings.listen = address
        }
        let tokens = reader.optional("tokens")
        let open = reader.optional("open")
        reader.finish(&diagnostics)
        settings.tokens = tokens.map { Self.tokens($0, &diagnostics) } ?? []
        settings.isOpen = open?.boolean(&diagnostics) ?? false
        if settings.isOpen, let open, !settings.listen.isLoopback {
            diagnostics.error(
                at: open.location,
                "`open: true` lets everybody who reaches \(settings.listen) read and act without a token; listen on "
                    + "127.0.0.1 or [::1], or give tokens")
        }
        return settings
    }

    private static func tokens(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [ConsoleToken] {
        var tokens: [ConsoleToken] = []
        let elements = node.list(&diagnostics)
        if elements.count > mostTokens {
            diagnostics.error(at: node.location, "more than \(mostTokens) tokens")
            return []
        }
        for element in elements {
            guard let token = token(element, &diagnostics) else { continue }
            if tokens.contains(where: { $0.name == token.name }) {
                diagnostics.error(at: element.location, "two tokens are called \(token.name)")
            } else if let other = tokens.first(where: { $0.secret.value == token.secret.value }) {
                diagnostics.error(
                    at: element.location, "the tokens \(other.name) and \(token.name) are the same; give each its own")
            } else {
                tokens.append(token)
            }
        }
        return tokens
    }

    private static func token(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> ConsoleToken? {
        guard var reader = MappingReader(node, "a token", &diagnostics) else { return nil }
        let name = reader.required("name", &diagnostics).flatMap { tokenName($0, &diagnostics) }
        let role = reader.required("role", &diagnostics)?.choice(
            of: ConsoleToken.Role.allCases.map(\.rawValue), &diagnostics)
        let team = reader.optional("team")?.name(&diagnostics)
        let secret = reader.required("token", &diagnostics).flatMap { tokenSecret($0, name ?? "token", &diagnostics) }
        reader.finish(&diagnostics)
        guard let name, let role = role.flatMap(ConsoleToken.Role.init), let secret else { return nil }
        return ConsoleToken(name: name, role: role, team: team, secret: secret)
    }

    /// A name stands in the audit log.
    private static func tokenName(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let name = node.name(&diagnostics), node.scalar?.isResolved ?? false else { return nil }
        return Names.check(YAMLEntry(key: node, value: node), "a token's name", &diagnostics) ? name : nil
    }

    /// Nil where it has no value here: nobody can then present it.
    private static func tokenSecret(_ node: YAMLNode, _ name: String, _ diagnostics: inout Diagnostics) -> NamedSecret?
    {
        guard let value = node.name(&diagnostics), node.scalar?.isResolved ?? false else { return nil }
        // RFC 9110, section 5.5: what can stand in a header, without white space.
        guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            diagnostics.error(
                at: node.location, "the token \(name) has white space or characters that a header cannot hold")
            return nil
        }
        if value.utf8.count < shortestToken {
            diagnostics.warning(
                at: node.location,
                "the token \(name) is shorter than \(shortestToken) characters and can be guessed; `openssl rand -hex "
                    + "24` makes a good one")
        }
        return NamedSecret(name: name, value: value)
    }
}

extension HTTPListenAddress {
    fileprivate var isLoopback: Bool {
        switch self {
        case .tcp(let host, _): IPAddress(host)?.isLoopback ?? false
        case .unix: true
        }
    }
}

extension Configuration {
    /// Reports tokens whose team is none.
    func checkConsole(_ node: YAMLNode?, _ diagnostics: inout Diagnostics) {
        let known = rules.teams.map(\.name)
        for element in node?["tokens"]?.elements ?? [] {
            guard let team = element["team"], let scalar = team.scalar, scalar.isResolved, !known.contains(scalar.text)
            else { continue }
            diagnostics.error(
                at: team.location, "no team is called `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? nearest(scalar.text, among: known) : nil)
        }
    }
}
