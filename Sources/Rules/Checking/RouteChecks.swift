internal import Events
internal import YAML

/// Warns of routes that are well written but cannot do what they seem to say.
struct RouteChecks {
    let environment: RuleEnvironment

    func check(_ routes: [Route], _ diagnostics: inout Diagnostics) {
        for route in routes {
            let leaves = Self.demands(of: route.condition)
            if let reason = Self.contradiction(in: leaves) {
                diagnostics.warning(
                    at: route.location, "the route `\(displayable(route.name))` can never match: \(reason)")
            }
            warnOfBareSite(route, leaves, &diagnostics)
        }
    }

    /// A leaf that must hold, or must not hold, whatever else does.
    struct Demand {
        var leaf: Leaf
        var negated: Bool
    }

    static func demands(of condition: Condition) -> [Demand] {
        switch condition {
        case .all(let parts): parts.flatMap(demands)
        case .any(let parts): parts.count == 1 ? demands(of: parts[0]) : []
        case .not(.leaf(let leaf)): [Demand(leaf: leaf, negated: true)]
        case .not(.not(let part)): demands(of: part)
        case .not(.any(let parts)): parts.flatMap { demands(of: .not($0)) }
        case .not: []
        case .leaf(let leaf): [Demand(leaf: leaf, negated: false)]
        }
    }

    /// Why not all of them can hold of one event; nil when that is not plain to see.
    static func contradiction(in demands: [Demand]) -> String? {
        var byPath: [FieldPath: [Demand]] = [:]
        for demand in demands { byPath[demand.leaf.path, default: []].append(demand) }
        // In the order written, so that the message does not change from run to run.
        for first in demands {
            guard let group = byPath.removeValue(forKey: first.leaf.path), group.count > 1 else { continue }
            if !holdTogether(group, on: first.leaf.path) {
                return group.map { $0.leaf.phrase(negated: $0.negated) }.joined(separator: ", and ")
            }
        }
        return nil
    }

    private static func holdTogether(_ group: [Demand], on path: FieldPath) -> Bool {
        var situations = Situations.all
        var values: Set<LiteralKey>?
        var excluded: Set<LiteralKey> = []
        for demand in group {
            situations.formIntersection(Self.situations(of: demand))
            guard case .equals(let literals, exactly: false) = demand.leaf.test else { continue }
            let keys = Set(literals.flatMap(\.keys))
            if demand.negated {
                excluded.formUnion(keys)
            } else {
                values = values?.intersection(keys) ?? keys
            }
        }
        guard !situations.isEmpty else { return false }
        // A list may hold one value and another.
        guard let values, !path.holdsLists || group.count == 1 else { return true }
        return !values.subtracting(excluded).isEmpty
    }

    /// The situations in which the demand may be met.
    private static func situations(of demand: Demand) -> Situations {
        switch demand.leaf.test {
        case .state(let states):
            let held = states.reduce(into: Situations()) { $0.formUnion($1.situations) }
            return demand.negated ? Situations.all.subtracting(held) : held
        case .equals(let literals, let exactly):
            guard !demand.negated else { return .all }
            let hasBlank = exactly || literals.contains { TextFolding.key($0.text).isEmpty }
            return hasBlank ? [.empty, .white, .other] : .other
        }
    }

    /// Ids are each sender's own: the same one may be two places.
    private func warnOfBareSite(_ route: Route, _ demands: [Demand], _ diagnostics: inout Diagnostics) {
        let narrowing: [FieldPath] = [.field(.source), .field(.vendor), .field(.siteKey)]
        guard !demands.contains(where: { !$0.negated && narrowing.contains($0.leaf.path) }) else { return }
        for demand in demands where !demand.negated && demand.leaf.path == .field(.siteID) {
            guard case .equals(let literals, _) = demand.leaf.test else { continue }
            for literal in literals {
                let sources = environment.sourcesOfSiteID[literal.text] ?? []
                guard sources.count > 1 else { continue }
                diagnostics.warning(
                    at: route.location,
                    "the site id \(displayable(literal.text)) is used by \(sources.joined(separator: " and ")); "
                        + "name the source, or write site: {key: …}")
            }
        }
    }
}
