package import Events
internal import YAML

/// Tells why routes take an event, or do not.
package struct Explainer: Sendable {
    private let evaluator: PlainEvaluator
    private let findings: FindingBuilder

    /// - Parameters:
    ///   - sourceZones: the `timezone:` of each source that has one, by the source's name.
    ///   - seenKeys: the names of fields that events had; nil where nobody kept them.
    package init(sourceZones: [String: String] = [:], seenKeys: SeenKeys? = nil) {
        self.init(zones: EventZones(sourceZones), seenKeys: seenKeys)
    }

    init(zones: EventZones, seenKeys: SeenKeys? = nil) {
        evaluator = PlainEvaluator(zones: zones)
        findings = FindingBuilder(evaluator: evaluator, zones: zones, seenKeys: seenKeys)
    }

    /// - Parameters:
    ///   - routes: all there are, disabled ones too: what one takes can depend on the others.
    ///   - wanted: whether a route is to be told of.
    ///   - namesOthers: whether a route that is not told of may be named.
    package func explain(
        _ routes: [Route], _ event: EventView, namesOthers: Bool = true, where wanted: (Route) -> Bool = { _ in true }
    ) -> Explanation {
        let taker = routes.first { $0.isEnabled && !$0.takesUnmatched && evaluator.takes($0, event) == .taken }
        let named = taker.map { namesOthers || wanted($0) ? displayable($0.name) : "another one" }
        return Explanation(routes: routes.filter(wanted).map { explain($0, event, firstTaker: named) })
    }

    /// - Parameter firstTaker: what the first route that takes the event is called; nil where none does.
    private func explain(_ route: Route, _ event: EventView, firstTaker: String?) -> RouteExplanation {
        let scope = route.scope.map { findings.finding($0, event) }
        let condition = findings.finding(route.condition, event)
        let (outcome, reason) = judge(route, event, [scope, condition].compactMap(\.self), firstTaker)
        return RouteExplanation(
            name: route.name, team: route.team, targets: route.targets, location: route.location,
            takesUnmatched: route.takesUnmatched, outcome: outcome, reason: reason, scope: scope, condition: condition)
    }

    private func judge(
        _ route: Route, _ event: EventView, _ parts: [Finding], _ firstTaker: String?
    ) -> (RouteExplanation.Outcome, String) {
        guard route.isEnabled else { return (.disabled, "it is switched off (enabled: false)") }
        if event.isOfOurOwn, !route.wholeCondition.demandsSystemEvent {
            return (.notTaken, "events of Gatehouse itself go only to routes that name their type under `event:`")
        }
        switch evaluator.takes(route, event) {
        case .failed(let reason):
            return (.failed, "it cannot be decided: \(reason.sentence); so it takes nothing")
        case .notTaken:
            return (.notTaken, parts.lazy.compactMap(\.obstacle).first ?? "its condition does not hold")
        case .taken:
            guard route.takesUnmatched, let firstTaker else { return (.taken, "everything it asks is so") }
            return (.notTaken, "it takes what no other route takes, and \(firstTaker) takes this")
        }
    }
}

extension EventView {
    /// `system.*`.
    var isOfOurOwn: Bool { type.hasPrefix("system.") }
}

extension UndecidableReason {
    var sentence: String {
        switch self {
        case .zoneUnknown:
            "no time zone is known for the event: the rule gives no `zone:` this machine knows, the event's site has "
                + "none, and its source has no `timezone:`"
        case .numberTooLarge: "a number of 10^27 or beyond is too large to compare"
        }
    }
}

extension Finding {
    /// The first thing that is not as it is wanted, in words; nil where all is.
    fileprivate var obstacle: String? {
        guard answer == false else { return nil }
        switch part {
        case .all(let parts): return parts.lazy.compactMap(\.obstacle).first
        case .any(let parts):
            return parts.count == 1 ? parts[0].obstacle : "none of \(parts.count) alternatives is so"
        case .not: return "what stands under `not:` is so"
        case .named(let name, let finding):
            return "the condition \(displayable(name)) does not hold" + (finding.obstacle.map { ": \($0)" } ?? "")
        case .question(let question): return "it asks that \(question.expected), and \(question.answerInWords)"
        }
    }
}

extension Question {
    /// What was found, for a sentence: `found "Visitor"`, `the field is absent`.
    package var answerInWords: String {
        let value: String =
            switch state {
            case .absent: "the field is absent"
            case .null: "the field is null"
            case .empty: "the field is empty, \(found ?? "")"
            case .blank: "the field is blank, \(found ?? "")"
            case .present: "found \(found ?? "")"
            }
        return ([value] + notes).joined(separator: "; ")
    }
}
