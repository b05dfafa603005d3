package import Addresses
package import HTTPServer
package import Ingest
package import Rules
package import Signatures
package import Targets
package import YAML

/// How the intake, or one source by itself, listens.
package struct ListenSettings: Sendable {
    package var address: HTTPListenAddress
    package var tls: HTTPServerTLS?
    package var trustedProxies: [IPNetwork] = []
    /// The most connections at once.
    package var connections = 10_000
}

/// How long things are kept, and how much.
package struct RetentionSettings: Sendable, Hashable {
    package var age = Duration.seconds(30 * 86_400)
    /// Bytes.
    package var size = 20 << 30
    package var deadLetters = Duration.seconds(90 * 86_400)
    package var history = Duration.seconds(3 * 86_400)
}

/// What a source's sender was told: used to sign as it would (`send`, `sign`, `demo`).
package struct SourceCredentials: Sendable {
    package var scheme: SignatureScheme?
    package var secrets: [NamedSecret] = []
    package var headers: [(name: String, values: [NamedSecret])] = []

    package init(
        scheme: SignatureScheme? = nil, secrets: [NamedSecret] = [],
        headers: [(name: String, values: [NamedSecret])] = []
    ) {
        self.scheme = scheme
        self.secrets = secrets
        self.headers = headers
    }
}

/// The whole configuration, checked: what `run` works by.
package struct Configuration: Sendable {
    package var file: String
    package var listen: ListenSettings
    package var consoleSettings = ConsoleSettings()
    package var dataFolder: String
    package var log = LogSettings.embedded
    package var retention = RetentionSettings()
    package var dedupe = Duration.seconds(7 * 86_400)
    package var shutdown = Duration.seconds(10)
    /// Enabled ones.
    package var sources: [SourceConfiguration] = []
    /// Sources with a listening address of their own.
    package var sourceListeners: [String: ListenSettings] = [:]
    /// By the source's name.
    package var credentials: [String: SourceCredentials] = [:]
    package var sites: [Site] = []
    package var targets: [any TargetBlueprint] = []
    /// What targets may name.
    package var presets = PresetCatalogue.shipped
    /// Where each entry of `targets:` stands.
    package var targetLocations: [(name: String, location: SourceLocation)] = []
    /// The main files' rules and every team's.
    package var rules = RuleSets()
    /// What the rules may name.
    package var ruleEnvironment: RuleEnvironment
    /// Where files of rules are to be looked for.
    package var ruleWatch = RuleWatch()

    package var console: HTTPListenAddress {
        get { consoleSettings.listen }
        set { consoleSettings.listen = newValue }
    }

    /// Of every enabled route.
    package var routes: RulePlan { rules.plan }

    /// What the intake works by.
    package var intake: IntakeConfiguration {
        IntakeConfiguration(
            sources: sources, trustedProxies: TrustedProxies(listen.trustedProxies), sites: SiteDirectory(sites),
            decisions: rules.decisions)
    }
}
