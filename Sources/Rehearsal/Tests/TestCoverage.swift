internal import Events
internal import Rules

/// Which routes, decisions and named conditions some test exercised: a route or decision that took a test's event, a
/// condition that held.
package struct TestCoverage {
    private let plan: RulePlan
    private let decisions: [Decision]
    private let conditions: NamedConditions
    private var takenBy: Set<Int> = []
    private var decided: Set<Int> = []
    private var held: Set<Int> = []
    private var scratch = MatchScratch()

    init(plan: RulePlan, decisions: [Decision], conditions: NamedConditions) {
        self.plan = plan
        self.decisions = decisions
        self.conditions = conditions
    }

    mutating func note(_ event: EventView, takenBy routes: [Int]) {
        takenBy.formUnion(routes)
        held.formUnion(conditions.holding(for: event, scratch: &scratch))
    }

    mutating func note(_ event: EventView, decidedBy decision: Int?) {
        if let decision { decided.insert(decision) }
        held.formUnion(conditions.holding(for: event, scratch: &scratch))
    }

    package var routeCount: Int { plan.routes.count }
    package var decisionCount: Int { decisions.count }
    package var conditionCount: Int { conditions.all.count }

    /// Enabled routes that took no test's event, in the order of the files.
    package var unusedRoutes: [RouteTestResult.RouteName] {
        plan.routes.enumerated().filter { !takenBy.contains($0.offset) }.map {
            RouteTestResult.RouteName(name: $0.element.name, location: $0.element.location)
        }
    }

    /// Enabled decisions that took no test's visitor, in the order they are asked.
    package var unusedDecisions: [RouteTestResult.RouteName] {
        decisions.enumerated().filter { !decided.contains($0.offset) }.map {
            RouteTestResult.RouteName(name: $0.element.name, location: $0.element.location)
        }
    }

    /// Named conditions that held of no test's event.
    package var unusedConditions: [RouteTestResult.RouteName] {
        conditions.all.enumerated().filter { !held.contains($0.offset) }.map {
            RouteTestResult.RouteName(name: $0.element.name, location: $0.element.location)
        }
    }
}
