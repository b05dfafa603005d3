package import Events
package import Rules

/// Where two sets of rules send the same events.
package struct PlanComparison {
    /// Whether a target takes an event that routes bring it, by its own conditions.
    package typealias Admission = (_ target: String, _ event: EventView) -> Bool

    /// What changes for one event.
    package struct Difference: Sendable, Hashable {
        /// Targets it goes to under the new rules only, with the routes that take it there.
        package var gained: [Change]
        /// Targets it went to under the old rules only, with the routes that took it there.
        package var lost: [Change]
    }

    package struct Change: Sendable, Hashable {
        package var target: String
        package var routes: [String]
    }

    /// Events gained and lost.
    package struct Count: Sendable, Hashable {
        package var gained = 0
        package var lost = 0
    }

    private var old: Side
    private var new: Side

    package private(set) var events = 0
    package private(set) var changed = 0
    package private(set) var targets: [String: Count] = [:]
    /// By the route's name: one of the new rules that brings events to a target, or of the old that brought them.
    package private(set) var routes: [String: Count] = [:]

    package init(
        old: RulePlan, new: RulePlan, oldAdmission: @escaping Admission = { _, _ in true },
        newAdmission: @escaping Admission = { _, _ in true }
    ) {
        self.old = Side(plan: old, admits: oldAdmission)
        self.new = Side(plan: new, admits: newAdmission)
    }

    /// Nil for an event that goes where it went.
    package mutating func compare(_ event: EventView) -> Difference? {
        events += 1
        let before = old.destinations(of: event)
        let after = new.destinations(of: event)
        let gained = after.filter { change in !before.contains { $0.target == change.target } }
        let lost = before.filter { change in !after.contains { $0.target == change.target } }
        guard !gained.isEmpty || !lost.isEmpty else { return nil }
        changed += 1
        count(gained, \.gained)
        count(lost, \.lost)
        return Difference(gained: gained, lost: lost)
    }

    private mutating func count(_ changes: [Change], _ side: WritableKeyPath<Count, Int>) {
        var seen: Set<String> = []
        for change in changes {
            targets[change.target, default: Count()][keyPath: side] += 1
            for route in change.routes where seen.insert(route).inserted {
                routes[route, default: Count()][keyPath: side] += 1
            }
        }
    }

    private struct Side {
        let plan: RulePlan
        let admits: Admission
        var scratch = MatchScratch()

        mutating func destinations(of event: EventView) -> [Change] {
            plan.match(event, scratch: &scratch).filter { admits($0.target, event) }.map { match in
                Change(target: match.target, routes: match.routes.map { plan.routes[$0].name })
            }
        }
    }
}
