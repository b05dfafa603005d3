internal import Events
package import YAML

/// Which sources a rule may take events of, by what it asks of `source`, `vendor` and `event` alone: those it cannot take
/// any of are told for certain, the others are not.
package struct SourceReach: Sendable {
    private let alternatives: [[Demand]]

    package init(_ route: Route) {
        alternatives = Alternatives(route.wholeCondition).all
    }

    package init(_ decision: Decision) {
        alternatives = Alternatives(decision.wholeCondition).all
    }

    package func mayTake(source: String, vendor: String) -> Bool {
        alternatives.contains { demands in
            RouteChecks.meets(demands, .field(.source), source) && RouteChecks.meets(demands, .field(.vendor), vendor)
                && CanonicalType.ofSenders.contains { RouteChecks.meets(demands, .event, $0.rawValue) }
        }
    }

    /// Where the rule first asks the sender's own payload (`json:`); nil: nowhere.
    package var asksOriginal: SourceLocation? {
        for demand in alternatives.joined() {
            if case .pointer = demand.leaf.path { return demand.leaf.location }
        }
        return nil
    }
}
