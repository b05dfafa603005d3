package import Events
package import HTTPTypes
internal import Ingest
package import Rules
package import Vendors
internal import YAML

/// What is decided of a visitor, by which decision, and why none before it took them. Nobody is asked.
package struct DecisionExplanation: Sendable {
    /// A decision that was asked and did not take the visitor.
    package struct Refusal: Sendable, Hashable {
        package var decision: RouteTestResult.RouteName
        package var reason: String?
    }

    package enum Outcome: Sendable {
        case reply(DecisionReply)
        case ask(DecisionQuestion)
    }

    package let outcome: Outcome
    /// Nil for the default.
    package let decision: RouteTestResult.RouteName?
    /// Why the decision takes the visitor.
    package let reasons: [String]
    /// The decision could not be decided, so that the default rules.
    package let isUndecided: Bool
    package let before: [Refusal]

    /// - Parameter sourceZones: the time zones of sources, by their names.
    package init(of event: EventView, by plan: DecisionPlan, sourceZones: [String: String] = [:]) {
        var scratch = MatchScratch()
        var ruling: Decision?
        switch plan.ruling(on: event, scratch: &scratch) {
        case .none:
            outcome = .reply(DecisionReply(plan.fallback))
            isUndecided = false
        case .undecided(let decision):
            outcome = .reply(DecisionReply(plan.fallback))
            isUndecided = true
            ruling = decision
        case .decision(let decision):
            isUndecided = false
            ruling = decision
            switch decision.ruling {
            case .answer(let answer): outcome = .reply(DecisionReply(answer, for: event))
            case .ask(let question): outcome = .ask(question)
            }
        }
        decision = ruling.map { .init(name: $0.name, location: $0.location) }
        reasons = ruling.map { plan.reasons($0, event) } ?? []
        let refusal = RouteRefusal(sourceZones: sourceZones)
        let end = plan.decisions.firstIndex { $0.name == ruling?.name } ?? plan.decisions.count
        before = plan.decisions[..<end].map { decision in
            Refusal(
                decision: .init(name: decision.name, location: decision.location),
                reason: refusal.reason(decision, event))
        }
    }

    /// What the event's sender would be answered; nil where somebody is asked first, or the sender is not known.
    package func answer(to event: EventView) -> HTTPResponse? {
        guard case .reply(let reply) = outcome, let vendor = event.text(.vendor).flatMap(Vendors.named) else {
            return nil
        }
        return vendor.answer(to: reply)
    }
}
