package import YAML

/// Warns of what is odd about all rules together: routes that add nothing, routes that are looked at for every event,
/// targets no route leads to. For `check`; nothing of this keeps a rule from working.
package struct RuleSetChecks {
    private let plan: RulePlan
    private let decisions: [Decision]
    private let asked: Set<String>

    package init(_ plan: RulePlan, decisions: DecisionPlan? = nil) {
        self.plan = plan
        self.decisions = decisions?.decisions ?? []
        asked = decisions?.askedTargets ?? []
    }

    /// - Parameter targets: every configured target, and where.
    package func check(targets: [(name: String, location: SourceLocation)], _ diagnostics: inout Diagnostics) {
        warnOfRedundantRoutes(&diagnostics)
        warnOfResidualRoutes(&diagnostics)
        warnOfUnusedTargets(targets, &diagnostics)
        warnOfUnreachableDecisions(&diagnostics)
    }

    // MARK: Decisions that are never asked

    private func warnOfUnreachableDecisions(_ diagnostics: inout Diagnostics) {
        let unreachable = UnreachableDecisions(decisions)
        for finding in unreachable.findings {
            let (decision, other) = (decisions[finding.decision], decisions[finding.before])
            let admits = other.admits && !decision.admits ? ", and admits them" : ""
            diagnostics.warning(
                at: decision.location,
                "the decision `\(displayable(decision.name))` is never asked: `\(displayable(other.name))` "
                    + "(\(other.location)) before it takes every visitor that it would take\(admits); put it first, or "
                    + "remove it")
        }
        if unreachable.isCut, let first = decisions.first {
            diagnostics.warning(
                at: first.location,
                "there are too many decisions to compare each with each; some that are never asked may not be told of")
        }
    }

    // MARK: Routes that add nothing

    private func warnOfRedundantRoutes(_ diagnostics: inout Diagnostics) {
        let redundant = RedundantRoutes(plan.routes)
        for finding in redundant.findings {
            let route = plan.routes[finding.route]
            let container = plan.routes[finding.container]
            let other = "`\(displayable(container.name))` (\(container.location))"
            diagnostics.warning(
                at: route.location,
                finding.areEqual
                    ? "the route `\(displayable(route.name))` takes the same events as \(other), to targets of that route; "
                        + "remove one of them"
                    : "the route `\(displayable(route.name))` adds nothing: every event it takes goes to its targets by "
                        + "\(other) already; remove it, or narrow the other")
        }
        if redundant.isCut, let first = plan.routes.first {
            diagnostics.warning(
                at: first.location,
                "there are too many routes that are alike to compare each with each; some that add nothing may not be told of"
            )
        }
    }

    // MARK: Routes looked at for every event

    private static let mostNames = 5

    private func warnOfResidualRoutes(_ diagnostics: inout Diagnostics) {
        // A route that takes everything is an answer for every event, not work in vain.
        let routes = plan.residualRoutes.map { plan.routes[$0] }.filter { !$0.wholeCondition.takesEverything }
        guard let first = routes.first else { return }
        let names = routes.prefix(Self.mostNames).map { "`\(displayable($0.name))`" }.joined(separator: ", ")
        let more = routes.count - Self.mostNames
        let what =
            routes.count == 1
            ? "1 route is looked at for every event, as no value it asks for leads to it"
            : "\(routes.count) routes are looked at for every event, as no value they ask for leads to them"
        diagnostics.warning(
            at: first.location,
            "\(what): \(names)" + (more > 0 ? " and \(more) more" : "")
                + "; where you can, name an event, a site or another value")
    }

    // MARK: Targets

    private func warnOfUnusedTargets(
        _ targets: [(name: String, location: SourceLocation)], _ diagnostics: inout Diagnostics
    ) {
        // Where there are no routes at all that is plain to see.
        guard !plan.routes.isEmpty else { return }
        let used = asked.union(plan.routes.flatMap(\.targets))
        for target in targets where !used.contains(target.name) {
            diagnostics.warning(
                at: target.location,
                "no enabled route leads to the target \(displayable(target.name)); it gets no events; name it in a "
                    + "route's `to:`, or remove it")
        }
    }
}

extension Condition {
    /// Asks nothing.
    fileprivate var takesEverything: Bool {
        switch self {
        case .all(let parts): parts.allSatisfy(\.takesEverything)
        case .named(let named): named.condition.takesEverything
        default: false
        }
    }
}
