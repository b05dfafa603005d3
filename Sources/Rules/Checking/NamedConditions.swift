package import Events
package import YAML

/// The conditions of `conditions:`, to be asked one by one of an event: what a test exercises is told by that.
package struct NamedConditions: Sendable {
    /// One of them, with its team.
    package struct Name: Sendable, Hashable {
        package var name: String
        package var location: SourceLocation
    }

    /// In the order first met.
    package let all: [Name]
    private let plan: RulePlan

    /// Those that the routes and decisions use, one inside another too.
    package init(usedBy routes: [Route], _ decisions: [Decision] = [], sourceZones: [String: String] = [:]) {
        var found: [NamedCondition] = []
        var known: Set<String> = []
        for condition in routes.map(\.wholeCondition) + decisions.map(\.wholeCondition) {
            Self.collect(condition) { named in
                guard known.insert(named.name).inserted else { return false }
                found.append(named)
                return true
            }
        }
        all = found.map { Name(name: $0.name, location: $0.location) }
        plan = RulePlan(
            found.map { named in
                Route(
                    name: named.name, description: nil, isEnabled: true, targets: [], location: named.location,
                    condition: named.condition)
            }, sourceZones: sourceZones)
    }

    /// The places in `all` of those that hold of the event.
    package func holding(for event: EventView, scratch: inout MatchScratch) -> [Int] {
        plan.routes(taking: event, scratch: &scratch)
    }

    /// - Parameter isNew: whether what stands in the condition is to be looked at too.
    private static func collect(_ condition: Condition, _ isNew: (NamedCondition) -> Bool) {
        switch condition {
        case .all(let parts), .any(let parts):
            for part in parts { collect(part, isNew) }
        case .not(let part): collect(part, isNew)
        case .leaf: break
        case .named(let named): if isNew(named) { collect(named.condition, isNew) }
        }
    }
}
