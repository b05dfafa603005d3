package import Addresses
package import Rules

/// What the intake works by: swapped whole on a reload, each request keeps the one it began with.
package struct IntakeConfiguration: Sendable {
    package var sources: [String: SourceConfiguration]
    package var trustedProxies: TrustedProxies
    package var sites: SiteDirectory
    /// What becomes of visitors whose senders wait; nil: nothing is decided.
    package var decisions: DecisionPlan?
    /// Asks other systems; nil: there are none, and every question fails.
    package var asker: (any DecisionAsker)?

    package init(
        sources: [SourceConfiguration], trustedProxies: TrustedProxies = TrustedProxies([]),
        sites: SiteDirectory = SiteDirectory(), decisions: DecisionPlan? = nil, asker: (any DecisionAsker)? = nil
    ) {
        self.sources = Dictionary(sources.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.trustedProxies = trustedProxies
        self.sites = sites
        self.decisions = decisions
        self.asker = asker
    }
}
