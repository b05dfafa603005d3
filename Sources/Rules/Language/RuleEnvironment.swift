internal import Events
internal import YAML

/// What the configuration has, for rules to name.
package struct RuleEnvironment: Sendable {
    package var sources: [String]
    package var vendors: [String]
    /// The keys of `sites:`.
    package var siteKeys: [String]
    package var targets: [String]
    /// For an id of `sites:`, the sources that use it.
    package var sourcesOfSiteID: [String: [String]]

    package init(
        sources: [String], vendors: [String], siteKeys: [String], targets: [String],
        sourcesOfSiteID: [String: [String]] = [:]
    ) {
        self.sources = sources
        self.vendors = vendors
        self.siteKeys = siteKeys
        self.targets = targets
        self.sourcesOfSiteID = sourcesOfSiteID
    }
}

/// The values a field can have, where there are no others.
struct ClosedValues {
    let values: [String]
    /// Of what the values are, in the words of a message.
    let what: String

    /// Nil for a field that may have any value.
    init?(_ path: FieldPath, _ environment: RuleEnvironment?) {
        switch path {
        case .event:
            values = CanonicalType.allCases.map(\.rawValue)
            what = "event"
        case .field(.vendor):
            guard let environment else { return nil }
            values = environment.vendors
            what = "vendor"
        case .field(.source):
            guard let environment else { return nil }
            values = environment.sources
            what = "source"
        case .field(.siteKey):
            guard let environment else { return nil }
            values = environment.siteKeys
            what = "site key"
        default:
            return nil
        }
    }

    /// `visitor.`, `invitation.`, … for the form `visitor.*` of event types.
    static let eventPrefixes: [String] = {
        var prefixes: [String] = []
        for type in CanonicalType.allCases {
            guard let dot = type.rawValue.firstIndex(of: ".") else { continue }
            let prefix = String(type.rawValue[...dot])
            if !prefixes.contains(prefix) { prefixes.append(prefix) }
        }
        return prefixes
    }()
}
