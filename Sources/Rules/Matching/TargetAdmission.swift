package import Events
package import YAML

/// A target's own conditions as they are written: which of the events that routes bring it takes.
package struct TargetConditions: Sendable {
    package var target: String
    /// `only_if:`; nil: it takes them all.
    package var onlyIf: YAMLNode?
    /// `opt_out:`; nil: nobody has opted out.
    package var optOut: YAMLNode?

    package init(target: String, onlyIf: YAMLNode?, optOut: YAMLNode?) {
        self.target = target
        self.onlyIf = onlyIf
        self.optOut = optOut
    }
}

/// A target's own conditions, checked.
package struct TargetAdmission: Sendable {
    package enum Refusal: Sendable, Hashable {
        /// `only_if:` does not hold.
        case notMet
        /// `opt_out:` holds, or nobody can tell whether it does.
        case optedOut
    }

    private let plan: RulePlan
    /// Their places in the plan.
    private let onlyIf: Int?
    private let optOut: Int?

    init(onlyIf: Condition?, optOut: Condition?, at location: SourceLocation, sourceZones: [String: String]) {
        func route(_ name: String, _ condition: Condition) -> Route {
            Route(name: name, description: nil, isEnabled: true, targets: [], location: location, condition: condition)
        }
        let routes = [onlyIf.map { route("only_if", $0) }, optOut.map { route("opt_out", $0) }].compactMap(\.self)
        plan = RulePlan(routes, sourceZones: sourceZones)
        self.onlyIf = onlyIf == nil ? nil : 0
        self.optOut = optOut == nil ? nil : routes.count - 1
    }

    /// Nil for an event that the target takes. What cannot be decided is refused: consent that nobody can make out is none.
    package func refusal(of event: EventView, scratch: inout MatchScratch) -> Refusal? {
        let taken = plan.routes(taking: event, scratch: &scratch)
        if let onlyIf, !taken.contains(onlyIf) { return .notMet }
        if let optOut, taken.contains(optOut) || plan.failedRoutes(scratch).contains(optOut) { return .optedOut }
        return nil
    }

    /// Its meaning as text, lists included.
    var canonicalText: String { plan.routes.map(\.canonicalText).joined() }
}

extension TargetAdmission {
    /// Reads the targets' own conditions, by their names.
    /// - Parameter names: what the main files give names to.
    static func read(
        _ environment: RuleEnvironment, _ names: RuleNames, _ diagnostics: inout Diagnostics
    ) -> [String: TargetAdmission] {
        var admissions: [String: TargetAdmission] = [:]
        for target in environment.targetConditions {
            var isRead = true
            func condition(_ node: YAMLNode?, _ key: String, _ diagnostics: inout Diagnostics) -> Condition? {
                guard let node else { return nil }
                guard node.entries?.isEmpty != true else {
                    diagnostics.error(
                        at: node.location,
                        "`\(key):` is empty; remove it, or write a condition as in `when:` of a route")
                    isRead = false
                    return nil
                }
                let condition = ConditionReader(names: names).when(node, key, &diagnostics)
                if condition == nil { isRead = false }
                return condition
            }
            let onlyIf = condition(target.onlyIf, "only_if", &diagnostics)
            let optOut = condition(target.optOut, "opt_out", &diagnostics)
            guard isRead, let location = (target.onlyIf ?? target.optOut)?.location else { continue }
            admissions[target.target] = TargetAdmission(
                onlyIf: onlyIf, optOut: optOut, at: location, sourceZones: environment.sourceZones)
        }
        return admissions
    }
}
