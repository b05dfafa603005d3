internal import Events
internal import Rules
internal import Vendors
internal import YAML

/// Runs tests of decisions.
struct DecisionTestRun {
    let plan: DecisionPlan
    let refusal: RouteRefusal

    /// - Returns: the result, and the place of the decision that took the visitor.
    func run(
        _ test: RouteTest, _ event: EventView, _ scratch: inout MatchScratch
    ) -> (result: RouteTestResult, place: Int?) {
        let ruling = plan.ruling(on: event, team: test.team, scratch: &scratch)
        let decided = decided(ruling, event)
        let place: Int? = if case .decision(let decision) = ruling { self.place(of: decision) } else { nil }
        let result = RouteTestResult(
            test: test, found: [], routes: [], decided: decided,
            differences: differences(test, event, decided, upTo: place ?? plan.decisions.count))
        return (result, place)
    }

    private func place(of decision: Decision) -> Int? {
        plan.decisions.firstIndex { $0.name == decision.name }
    }

    private func decided(_ ruling: DecisionPlan.Ruling, _ event: EventView) -> RouteTestResult.Decided {
        switch ruling {
        case .none: return fallback
        case .undecided(let decision):
            var decided = fallback
            decided.by = Self.name(of: decision)
            decided.isUndecided = true
            return decided
        case .decision(let decision):
            switch decision.ruling {
            case .ask: return .init(outcome: .ask, by: Self.name(of: decision))
            case .answer(let answer):
                let reply = DecisionReply(answer.outcome, message: answer.message?.text(for: event))
                return .init(
                    outcome: ExpectedDecision(answer.outcome), by: Self.name(of: decision),
                    message: reply.messageShown)
            }
        }
    }

    private var fallback: RouteTestResult.Decided {
        .init(outcome: ExpectedDecision(plan.fallback), message: DecisionReply(plan.fallback).messageShown)
    }

    private static func name(of decision: Decision) -> RouteTestResult.RouteName {
        .init(name: decision.name, location: decision.location)
    }

    // MARK: differences

    /// - Parameter end: the decisions before it did not take the visitor.
    private func differences(
        _ test: RouteTest, _ event: EventView, _ decided: RouteTestResult.Decided, upTo end: Int
    ) -> [RouteTestResult.Difference] {
        if decided.outcome != test.decision {
            return [.otherDecision(decided)] + candidates(test, event, upTo: end)
        }
        if let message = test.message, message != decided.message {
            return [.otherMessage(expected: message, found: decided.message)]
        }
        return []
    }

    /// The decisions that might have been meant to take the visitor: those asked before that have the outcome.
    private func candidates(
        _ test: RouteTest, _ event: EventView, upTo end: Int
    ) -> [RouteTestResult.Difference] {
        let most = 3
        let meant = plan.decisions[..<end].filter { decision in
            (test.team == nil || decision.team == nil || decision.team == test.team)
                && Self.outcome(of: decision) == test.decision
        }
        guard meant.count <= most else { return [] }
        return meant.map { .missingDecision(Self.name(of: $0), reason: refusal.reason($0, event)) }
    }

    private static func outcome(of decision: Decision) -> ExpectedDecision {
        switch decision.ruling {
        case .ask: .ask
        case .answer(let answer): ExpectedDecision(answer.outcome)
        }
    }
}
