package import Events
internal import JSON
internal import YAML

/// Tells what keeps a route or a decision from taking an event.
package struct RouteRefusal: Sendable {
    private let evaluator: PlainEvaluator

    private static let mostAlternatives = 3

    /// - Parameter sourceZones: the time zones of sources, by their names.
    package init(sourceZones: [String: String] = [:]) {
        evaluator = PlainEvaluator(sourceZones: sourceZones)
    }

    /// The first thing the route asks that is not so, with what was found and where it is asked:
    /// `group is Contractor, found "Visitor" (routes/london.yaml:7:14)`. Nil where it asks nothing that is not so.
    package func reason(_ route: Route, _ event: EventView) -> String? {
        reason(route.wholeCondition, event)
    }

    package func reason(_ decision: Decision, _ event: EventView) -> String? {
        reason(decision.wholeCondition, event)
    }

    private func reason(_ condition: Condition, _ event: EventView) -> String? {
        guard evaluator.verdict(of: condition, event).answer != true else { return nil }
        switch condition {
        case .all(let parts):
            return parts.lazy.compactMap { reason($0, event) }.first
        case .named(let named):
            return reason(named.condition, event).map { "condition \(displayable(named.name)): \($0)" }
        case .any(let parts):
            let more = parts.count - Self.mostAlternatives
            let reasons = parts.prefix(Self.mostAlternatives).compactMap { reason($0, event) }
            return (reasons + (more > 0 ? ["\(more) more"] : [])).joined(separator: "; nor ")
        case .not(.leaf(let leaf)): return describe(leaf, isNegated: true, event)
        case .not: return condition.phrase
        case .leaf(let leaf): return describe(leaf, isNegated: false, event)
        }
    }

    private func describe(_ leaf: Leaf, isNegated: Bool, _ event: EventView) -> String {
        let found =
            switch evaluator.outcome(of: leaf, event) {
            case .undecidable(.zoneUnknown): "but no time zone is known"
            case .undecidable(.numberTooLarge): "but the number is too large to compare"
            default: "found \(value(leaf.path, event))"
            }
        return "\(leaf.phrase(negated: isNegated)), \(found) (\(leaf.location))"
    }

    private func value(_ path: FieldPath, _ event: EventView) -> String {
        guard let place = FieldValues(path, of: event).place else { return "no such field" }
        return displayable(String(decoding: event.tape.bytes[event.tape.span(place)], as: UTF8.self))
    }
}
