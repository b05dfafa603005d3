internal import Events
package import Rules
internal import YAML

/// Runs `tests:` one after another, and keeps what they exercised.
package struct RouteTestRun {
    private let plan: RulePlan
    private let decisions: DecisionTestRun?
    private let events: EventBuilder
    private let refusal: RouteRefusal
    private var scratch = MatchScratch()
    private var places: [String: Int] = [:]
    package private(set) var coverage: TestCoverage

    /// - Parameters:
    ///   - plan: all enabled routes; a team's test looks at its own.
    ///   - decisions: all decisions; a team's test looks at its own and those of the main file.
    ///   - sourceZones: the time zones of sources, by their names.
    package init(
        plan: RulePlan, decisions: DecisionPlan? = nil, events: EventBuilder, sourceZones: [String: String] = [:]
    ) {
        self.plan = plan
        self.events = events
        let refusal = RouteRefusal(sourceZones: sourceZones)
        self.refusal = refusal
        self.decisions = decisions.map { DecisionTestRun(plan: $0, refusal: refusal) }
        coverage = TestCoverage(
            plan: plan, decisions: decisions?.decisions ?? [],
            conditions: NamedConditions(
                usedBy: plan.routes, decisions?.decisions ?? [], sourceZones: sourceZones))
        for (index, route) in plan.routes.enumerated() { places[route.name] = index }
    }

    package mutating func run(_ test: RouteTest) -> RouteTestResult {
        let event: EventView
        do {
            event = try events.event(of: test)
        } catch {
            return RouteTestResult(test: test, found: [], routes: [], differences: [.noEvent(error)])
        }
        if test.decision != nil, let decisions {
            let (result, place) = decisions.run(test, event, &scratch)
            coverage.note(event, decidedBy: place)
            return result
        }
        let taking = plan.routes(taking: event, scratch: &scratch).filter { sees(test, plan.routes[$0]) }
        coverage.note(event, takenBy: taking)
        return result(test, event, taking)
    }

    private func sees(_ test: RouteTest, _ route: Route) -> Bool {
        test.team == nil || test.team == route.team
    }

    private func result(_ test: RouteTest, _ event: EventView, _ taking: [Int]) -> RouteTestResult {
        var found: [RouteTestResult.Match] = []
        for index in taking {
            let route = plan.routes[index]
            for target in route.targets {
                if let place = found.firstIndex(where: { $0.target == target }) {
                    found[place].routes.append(route.name)
                } else {
                    found.append(.init(target: target, routes: [route.name]))
                }
            }
        }
        return RouteTestResult(
            test: test, found: found, routes: taking.map { plan.routes[$0].name },
            differences: differences(test, event, taking, found))
    }

    // MARK: differences

    private func differences(
        _ test: RouteTest, _ event: EventView, _ taking: [Int], _ found: [RouteTestResult.Match]
    ) -> [RouteTestResult.Difference] {
        var differences: [RouteTestResult.Difference] = []
        if let targets = test.targets {
            for target in targets where !found.contains(where: { $0.target == target }) {
                differences.append(.missingTarget(target))
                differences += candidates(for: target, test, event)
            }
            for match in found where !targets.contains(match.target) {
                differences.append(.unexpectedTarget(match.target, routes: match.routes.compactMap(name)))
            }
        }
        if let routes = test.routes {
            for route in routes where !taking.contains(where: { plan.routes[$0].name == route }) {
                let missing = missing(route, test, event)
                if !differences.contains(missing) { differences.append(missing) }
            }
            for index in taking where !routes.contains(plan.routes[index].name) {
                differences.append(.unexpectedRoute(name(of: plan.routes[index])))
            }
        }
        return differences
    }

    /// The routes that might have been meant to take the event to a target: the only ones that lead there.
    private func candidates(
        for target: String, _ test: RouteTest, _ event: EventView
    ) -> [RouteTestResult.Difference] {
        let most = 3
        let leading = plan.routes.filter { sees(test, $0) && $0.targets.contains(target) }
        guard leading.count <= most else { return [] }
        return leading.map { .missingRoute(name(of: $0), reason: refusal.reason($0, event)) }
    }

    private func missing(_ route: String, _ test: RouteTest, _ event: EventView) -> RouteTestResult.Difference {
        guard let index = places[route], sees(test, plan.routes[index]) else {
            let names = plan.routes.lazy.filter { sees(test, $0) }.map(\.name)
            return .unknownRoute(route, nearest: nearest(route, among: names))
        }
        return .missingRoute(name(of: plan.routes[index]), reason: refusal.reason(plan.routes[index], event))
    }

    private func name(_ name: String) -> RouteTestResult.RouteName? {
        places[name].map { self.name(of: plan.routes[$0]) }
    }

    private func name(of route: Route) -> RouteTestResult.RouteName {
        .init(name: route.name, location: route.location)
    }
}
