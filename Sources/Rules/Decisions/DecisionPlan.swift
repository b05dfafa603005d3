package import Events

/// All decisions, ready to be asked: the first that takes the event rules.
package struct DecisionPlan: Sendable {
    /// What is to become of a visitor.
    package enum Ruling: Sendable {
        case decision(Decision)
        /// No decision takes the event: the default.
        case none
        /// This one could not be decided, and none before it takes the event: the default.
        case undecided(Decision)
    }

    /// Those that are enabled, in the order they are asked: the teams', then those of the main file.
    package let decisions: [Decision]
    /// Where no decision takes the event.
    package let fallback: DecisionOutcome
    private let plan: RulePlan

    package init(
        _ decisions: [Decision], fallback: DecisionOutcome, sourceZones: [String: String] = [:],
        memoryLimit: Int = RulePlan.memoryLimit
    ) throws(PlanTooLarge) {
        self.decisions = decisions.filter(\.isEnabled)
        self.fallback = fallback
        let routes = self.decisions.map { decision in
            Route(
                name: decision.name, team: decision.team, description: nil, isEnabled: true, targets: [],
                location: decision.location, scope: decision.scope, condition: decision.condition)
        }
        plan = try RulePlan(routes, sourceZones: sourceZones, memoryLimit: memoryLimit)
    }

    /// In bytes.
    package var memory: Int { plan.memory }

    /// - Parameter team: only its decisions and those of the main file are asked; nil: all.
    package func ruling(on event: EventView, team: String? = nil, scratch: inout MatchScratch) -> Ruling {
        let isAsked: (Int) -> Bool = { place in
            team == nil || self.decisions[place].team == nil || self.decisions[place].team == team
        }
        let taking = plan.routes(taking: event, scratch: &scratch).first(where: isAsked) ?? decisions.count
        if let undecided = plan.failedRoutes(scratch).first(where: isAsked), undecided < taking {
            return .undecided(decisions[undecided])
        }
        return taking < decisions.count ? .decision(decisions[taking]) : .none
    }

    /// The targets that are asked, each once.
    package var askedTargets: Set<String> {
        Set(decisions.compactMap { if case .ask(let question) = $0.ruling { question.target } else { nil } })
    }

    /// Why a decision takes an event, as `RulePlan.reasons`.
    package func reasons(_ decision: Decision, _ event: EventView) -> [String] {
        guard let place = decisions.firstIndex(where: { $0.name == decision.name }) else { return [] }
        return plan.reasons(place, event)
    }
}
