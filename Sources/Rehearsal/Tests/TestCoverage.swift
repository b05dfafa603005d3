internal import Events
internal import Rules

/// Which routes and named conditions some test exercised: a route that took a test's event, a condition that held.
package struct TestCoverage {
    private let plan: RulePlan
    private let conditions: NamedConditions
    private var takenBy: Set<Int> = []
    private var held: Set<Int> = []
    private var scratch = MatchScratch()

    init(plan: RulePlan, conditions: NamedConditions) {
        self.plan = plan
        self.conditions = conditions
    }

    mutating func note(_ event: EventView, takenBy routes: [Int]) {
        takenBy.formUnion(routes)
        held.formUnion(conditions.holding(for: event, scratch: &scratch))
    }

    package var routeCount: Int { plan.routes.count }
    package var conditionCount: Int { conditions.all.count }

    /// Enabled routes that took no test's event, in the order of the files.
    package var unusedRoutes: [RouteTestResult.RouteName] {
        plan.routes.enumerated().filter { !takenBy.contains($0.offset) }.map {
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
