internal import Configuration
internal import Console
internal import Rules
internal import Signatures

extension AccessRules {
    /// Who may ask the console what, by the configuration. Of tokens only digests are kept.
    init(_ configuration: Configuration) {
        let settings = configuration.consoleSettings
        self.init(
            tokens: settings.tokens.map { token in
                AccessToken(
                    name: token.name, role: token.role == .operator ? .operator : .viewer, team: token.team,
                    token: token.secret.value)
            },
            isOpen: settings.isOpen, teams: configuration.rules.teams.map { TeamView($0.team) })
    }
}
