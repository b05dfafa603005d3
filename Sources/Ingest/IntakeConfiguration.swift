package import Addresses

/// What the intake works by: swapped whole on a reload, each request keeps the one it began with.
package struct IntakeConfiguration: Sendable {
    package var sources: [String: SourceConfiguration]
    package var trustedProxies: TrustedProxies
    package var sites: SiteDirectory

    package init(
        sources: [SourceConfiguration], trustedProxies: TrustedProxies = TrustedProxies([]),
        sites: SiteDirectory = SiteDirectory()
    ) {
        self.sources = Dictionary(sources.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.trustedProxies = trustedProxies
        self.sites = sites
    }
}
