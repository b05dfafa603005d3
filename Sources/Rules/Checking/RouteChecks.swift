internal import Events
internal import YAML

/// Warns of routes that are well written but cannot do what they seem to say. Each is looked at by itself.
struct RouteChecks {
    let environment: RuleEnvironment

    func check(_ routes: [Route], _ diagnostics: inout Diagnostics) {
        for route in routes {
            let alternatives = Alternatives(route.wholeCondition).all
            if let reason = Self.contradiction(in: alternatives) {
                let isConfined = Self.contradiction(in: Alternatives(route.condition).all) == nil
                diagnostics.warning(
                    at: Self.place(of: reason.demands, in: route),
                    "the route `\(displayable(route.name))` can never match"
                        + (isConfined ? " within its scope" : "")
                        + ": \(reason.text); change one of them, or remove the route")
            }
            warnOfBareSite(route, alternatives, &diagnostics)
        }
    }

    // MARK: Contradictions

    /// Why no alternative can be met, told of the first; nil when one may be.
    static func contradiction(in alternatives: [[Demand]]) -> (text: String, demands: [Demand])? {
        var first: [Demand]?
        for demands in alternatives {
            guard let found = Contradiction.find(in: demands) else { return nil }
            first = first ?? found
        }
        guard let first else { return nil }
        let text = first.map(\.phrase).joined(separator: ", and ")
        return ((alternatives.count > 1 ? "in every case, as in " : "") + text, first)
    }

    /// The last of the demands that the route asks itself; where others ask them all, the route.
    private static func place(of demands: [Demand], in route: Route) -> SourceLocation {
        let own = demands.map(\.leaf.location).last { place in
            place.file == route.location.file
                && (place.line, place.column) >= (route.location.line, route.location.column)
        }
        return own ?? route.location
    }

    // MARK: Site ids

    private static let narrowing: [FieldPath] = [.field(.source), .field(.vendor), .field(.siteKey)]

    /// Ids are each sender's own: the same one may be two places.
    private func warnOfBareSite(_ route: Route, _ alternatives: [[Demand]], _ diagnostics: inout Diagnostics) {
        guard !environment.sourcesOfSiteID.isEmpty else { return }
        var told: Set<String> = []
        for demands in alternatives {
            guard !demands.contains(where: { !$0.isNegated && Self.narrowing.contains($0.leaf.path) }) else { continue }
            for demand in demands where !demand.isNegated && demand.leaf.path == .field(.siteID) {
                guard case .equals(let literals, _) = demand.leaf.test else { continue }
                for literal in literals {
                    let sources = environment.sourcesOfSiteID[literal.text] ?? []
                    guard sources.count > 1, told.insert(literal.text).inserted else { continue }
                    diagnostics.warning(
                        at: demand.leaf.location,
                        "the site id \(displayable(literal.text)) is used by \(sources.joined(separator: " and ")); "
                            + "name the source, or write site: {key: …}")
                }
            }
        }
    }
}
