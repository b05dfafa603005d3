internal import Events
internal import YAML

/// Warns of routes and decisions that are well written but cannot do what they seem to say. Each is looked at by itself.
struct RouteChecks {
    let environment: RuleEnvironment

    func check(_ routes: [Route], _ diagnostics: inout Diagnostics) {
        for route in routes {
            let alternatives = Alternatives(route.wholeCondition).all
            warnOfContradiction(
                "route", route.name, at: route.location, alternatives, Alternatives(route.condition).all, &diagnostics)
            warnOfBareSite(alternatives, &diagnostics)
        }
    }

    func check(_ decisions: [Decision], _ diagnostics: inout Diagnostics) {
        for decision in decisions {
            let alternatives = Alternatives(decision.wholeCondition).all
            let isContradictory = warnOfContradiction(
                "decision", decision.name, at: decision.location, alternatives, Alternatives(decision.condition).all,
                &diagnostics)
            if !isContradictory { warnOfNobodyWaiting(decision, alternatives, &diagnostics) }
            warnOfBareSite(alternatives, &diagnostics)
        }
    }

    // MARK: Contradictions

    /// Why no alternative can be met, told of the first; nil when one may be.
    static func contradiction(in alternatives: [[Demand]]) -> (text: String, demands: [Demand])? {
        var first: [Demand]?
        for demands in alternatives {
            guard let found = Contradiction.find(in: demands) else { return nil }
            first = first ?? found
        }
        guard let first else { return nil }
        let text = first.map(\.phrase).joined(separator: ", and ")
        return ((alternatives.count > 1 ? "in every case, as in " : "") + text, first)
    }

    /// - Parameters:
    ///   - what: `route` or `decision`.
    ///   - own: of its condition without its scope.
    /// - Returns: whether it can never match.
    @discardableResult private func warnOfContradiction(
        _ what: String, _ name: String, at location: SourceLocation, _ alternatives: [[Demand]], _ own: [[Demand]],
        _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard let reason = Self.contradiction(in: alternatives) else { return false }
        diagnostics.warning(
            at: Self.place(of: reason.demands, in: location),
            "the \(what) `\(displayable(name))` can never match"
                + (Self.contradiction(in: own) == nil ? " within its scope" : "")
                + ": \(reason.text); change one of them, or remove the \(what)")
        return true
    }

    /// The last of the demands that the rule asks itself; where others ask them all, the rule.
    private static func place(of demands: [Demand], in rule: SourceLocation) -> SourceLocation {
        let own = demands.map(\.leaf.location).last { place in
            place.file == rule.file && (place.line, place.column) >= (rule.line, rule.column)
        }
        return own ?? rule
    }

    // MARK: Who waits

    private static let decided: [FieldPath] = [
        EventField.decisionOutcome, .decisionReason, .decisionMessage, .decisionNotes,
    ]
    .map { .field($0) }

    /// Decisions are asked of requests that wait, and of nothing else.
    private func warnOfNobodyWaiting(
        _ decision: Decision, _ alternatives: [[Demand]], _ diagnostics: inout Diagnostics
    ) {
        var first: (text: String, demands: [Demand])?
        for demands in alternatives {
            guard let found = reasonNobodyWaits(demands) else { return }
            first = first ?? found
        }
        guard let first else { return }
        diagnostics.warning(
            at: Self.place(of: first.demands, in: decision.location),
            "the decision `\(displayable(decision.name))` takes no visitor: \(first.text)")
    }

    private func reasonNobodyWaits(_ demands: [Demand]) -> (text: String, demands: [Demand])? {
        let tooEarly = demands.filter { Self.decided.contains($0.leaf.path) && !$0.situations.contains(.absent) }
        if !tooEarly.isEmpty {
            return ("it asks what was decided (\(Self.phrase(tooEarly))), which is not known before it", tooEarly)
        }
        guard let waiting = environment.waiting, !waiting.isEmpty else { return nil }
        let asked = demands.filter { [.field(.source), .field(.vendor), .event].contains($0.leaf.path) }
        let isMet = waiting.contains { source in
            Self.meets(asked, .field(.source), source.name) && Self.meets(asked, .field(.vendor), source.vendor)
                && source.types.contains { Self.meets(asked, .event, $0) }
        }
        guard !isMet else { return nil }
        let names = waiting.map(\.name).joined(separator: ", ")
        return (
            "\(Self.phrase(asked)), and no request that waits is that; who waits comes in by \(names), and a sign-in that "
                + "waits is a visitor.signin.requested", asked
        )
    }

    private static func phrase(_ demands: [Demand]) -> String { demands.map(\.phrase).joined(separator: ", and ") }

    /// Whether the field may be asked this when it has that value.
    static func meets(_ demands: [Demand], _ path: FieldPath, _ value: String) -> Bool {
        let key = LiteralKey.text(TextFolding.key(value))
        return demands.filter { $0.leaf.path == path && !$0.isState }.allSatisfy { demand in
            demand.leaf.test.holds(of: key) != demand.isNegated
        }
    }

    // MARK: Site ids

    private static let narrowing: [FieldPath] = [.field(.source), .field(.vendor), .field(.siteKey)]

    /// Ids are each sender's own: the same one may be two places.
    private func warnOfBareSite(_ alternatives: [[Demand]], _ diagnostics: inout Diagnostics) {
        guard !environment.sourcesOfSiteID.isEmpty else { return }
        var told: Set<String> = []
        for demands in alternatives {
            guard !demands.contains(where: { !$0.isNegated && Self.narrowing.contains($0.leaf.path) }) else { continue }
            for demand in demands where !demand.isNegated && demand.leaf.path == .field(.siteID) {
                guard case .equals(let literals, _) = demand.leaf.test else { continue }
                for literal in literals {
                    let sources = environment.sourcesOfSiteID[literal.text] ?? []
                    guard sources.count > 1, told.insert(literal.text).inserted else { continue }
                    diagnostics.warning(
                        at: demand.leaf.location,
                        "the site id \(displayable(literal.text)) is used by \(sources.joined(separator: " and ")); "
                            + "name the source, or write site: {key: …}")
                }
            }
        }
    }
}
