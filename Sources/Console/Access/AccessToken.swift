internal import Cryptography

/// A token of the console, known by its digest alone.
package struct AccessToken: Sendable {
    package let name: String
    let role: APIRole
    /// Nil: every event.
    let team: String?
    let digest: [UInt8]

    package init(name: String, role: APIRole, team: String?, token: String) {
        self.name = name
        self.role = role
        self.team = team
        digest = SHA256.hash(token)
    }
}

/// Who may ask the console what.
package struct AccessRules: Sendable {
    let tokens: [AccessToken]
    /// Whether requests without a token are an operator's.
    let isOpen: Bool
    private let teams: [String: TeamView]

    package init(tokens: [AccessToken] = [], isOpen: Bool = false, teams: [TeamView] = []) {
        self.tokens = tokens
        self.isOpen = isOpen
        self.teams = Dictionary(teams.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The holder of a token; nil when there is none. Takes as long for a token that is nearly right as for any other.
    func caller(digest: [UInt8]) -> APICaller? {
        var found: AccessToken?
        for token in tokens where constantTimeEquals(token.digest, digest) { found = token }
        guard let found else { return nil }
        guard let name = found.team else { return APICaller(name: found.name, role: found.role) }
        // A team that is not there any more sees nothing.
        guard let team = teams[name] else { return nil }
        return APICaller(name: found.name, role: found.role, team: team)
    }
}
