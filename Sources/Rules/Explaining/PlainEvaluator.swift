internal import Addresses
internal import Events
internal import TimeZones

/// Whether a leaf holds for an event.
enum LeafOutcome: Hashable, Sendable {
    case holds
    case fails
    case undecidable(UndecidableReason)
}

/// Why a question has no answer.
enum UndecidableReason: String, Hashable, Sendable {
    case zoneUnknown = "zone_unknown"
    case numberTooLarge = "number_too_large"
}

/// What a route does with an event.
enum RouteOutcome: Hashable, Sendable {
    case taken
    case notTaken
    /// It would have depended on a question that has no answer.
    case failed(UndecidableReason)
}

/// Asks conditions of an event one question after another, as they are written: no plan, no index, nothing kept.
struct PlainEvaluator: Sendable {
    private let zones: EventZones

    /// - Parameter sourceZones: the `timezone:` of each source that has one, by the source's name.
    init(sourceZones: [String: String] = [:]) {
        self.init(zones: EventZones(sourceZones))
    }

    init(zones: EventZones) {
        self.zones = zones
    }

    // MARK: Routes

    /// What the route's own condition and scope say; whether it is enabled, and what other routes do, is not asked. An
    /// event of our own (`system.*`) is taken only by routes that name such a type.
    func takes(_ route: Route, _ event: EventView) -> RouteOutcome {
        if event.isOfOurOwn, !route.wholeCondition.demandsSystemEvent { return .notTaken }
        return takes(route.wholeCondition, event)
    }

    /// A condition with a question that has no answer is never met, wherever that question stands.
    func takes(_ condition: Condition, _ event: EventView) -> RouteOutcome {
        let verdict = verdict(of: condition, event)
        if let reason = verdict.undecidable { return verdict.answer == false ? .notTaken : .failed(reason) }
        return verdict.answer == true ? .taken : .notTaken
    }

    /// What a condition says of an event.
    struct Verdict: Hashable, Sendable {
        /// Nil: it depends on a question that has no answer.
        var answer: Bool?
        /// Of the first question without an answer, whether or not the condition depends on it.
        var undecidable: UndecidableReason?
    }

    /// In three values (S. C. Kleene): one false is enough for all to be false, one true for any to be true.
    func verdict(of condition: Condition, _ event: EventView) -> Verdict {
        switch condition {
        case .leaf(let leaf):
            switch outcome(of: leaf, event) {
            case .holds: return Verdict(answer: true)
            case .fails: return Verdict(answer: false)
            case .undecidable(let reason): return Verdict(answer: nil, undecidable: reason)
            }
        case .not(let part):
            let verdict = verdict(of: part, event)
            return Verdict(answer: verdict.answer.map { !$0 }, undecidable: verdict.undecidable)
        case .named(let named): return verdict(of: named.condition, event)
        case .all(let parts): return joined(parts, deciding: false, event)
        case .any(let parts): return joined(parts, deciding: true, event)
        }
    }

    private func joined(_ parts: [Condition], deciding: Bool, _ event: EventView) -> Verdict {
        var joined = Verdict(answer: !deciding)
        for part in parts {
            let verdict = verdict(of: part, event)
            joined.undecidable = joined.undecidable ?? verdict.undecidable
            if joined.answer != deciding, verdict.answer != !deciding { joined.answer = verdict.answer }
        }
        return joined
    }

    // MARK: Questions

    func outcome(of leaf: Leaf, _ event: EventView) -> LeafOutcome {
        outcome(of: leaf.test, FieldValues(leaf.path, of: event), event)
    }

    private func outcome(of test: Leaf.Test, _ values: FieldValues, _ event: EventView) -> LeafOutcome {
        switch test {
        case .equals(let literals, let exactly):
            let keys = values.keys(exactly: exactly)
            return outcome(literals.contains { $0.keys.contains { keys.contains($0) } })
        case .state(let states):
            return outcome(states.contains { $0.situations.contains(values.situation) })
        case .text(let relation, let patterns):
            return outcome(values.foldedTexts.contains { text in patterns.contains { relation.holds($0, of: text) } })
        case .matches(let expressions):
            return outcome(values.texts.contains { text in expressions.contains { $0.matches(text) } })
        case .listed(let lists):
            return outcome(values.foldedTexts.contains { text in lists.contains { $0.contains(text) } })
        case .number(let range):
            guard let numbers = values.numbers else { return .undecidable(.numberTooLarge) }
            return outcome(numbers.contains { range.contains($0) })
        case .moment(let range):
            let now = event.time?.milliseconds
            return outcome(values.moments.contains { range.contains($0, now: now) })
        case .network(let networks):
            return outcome(values.addresses.contains { address in networks.contains { $0.contains(address) } })
        case .calendar(let calendar, let isInside):
            guard let time = values.moments.first else { return .fails }
            guard let zone = zones.zone(of: calendar, for: event) else { return .undecidable(.zoneUnknown) }
            return outcome(calendar.contains(zone.clock(at: time)) == isInside)
        }
    }

    private func outcome(_ holds: Bool) -> LeafOutcome { holds ? .holds : .fails }
}
