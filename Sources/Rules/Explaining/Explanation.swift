package import YAML

/// Why routes took an event, or did not.
package struct Explanation: Sendable {
    /// In the order of the files.
    package var routes: [RouteExplanation]

    /// The targets the event goes to, in the order first met, and the routes that took it.
    package var targets: [(target: String, routes: [String])] {
        var found: [(target: String, routes: [String])] = []
        for route in routes where route.outcome == .taken {
            for target in route.targets {
                if let place = found.firstIndex(where: { $0.target == target }) {
                    found[place].routes.append(route.name)
                } else {
                    found.append((target, [route.name]))
                }
            }
        }
        return found
    }
}

/// What one route made of an event.
package struct RouteExplanation: Sendable {
    package enum Outcome: String, Sendable, Hashable {
        case taken
        case notTaken = "not_taken"
        /// It depends on a question that has no answer.
        case failed
        /// `enabled: false`: it takes nothing.
        case disabled
    }

    /// With its team.
    package var name: String
    package var team: String?
    package var targets: [String]
    package var location: SourceLocation
    package var takesUnmatched: Bool
    package var outcome: Outcome
    /// What decided it, in one sentence.
    package var reason: String
    /// What its team and its file confine it to; nil where they do not.
    package var scope: Finding?
    /// `when:`.
    package var condition: Finding
}

/// What a part of a condition says of an event.
package struct Finding: Sendable {
    package indirect enum Part: Sendable {
        case all([Finding])
        case any([Finding])
        case not(Finding)
        /// One of `conditions:`, by its name.
        case named(String, Finding)
        case question(Question)
    }

    package var part: Part
    /// Nil: it depends on a question that has no answer.
    package var answer: Bool?
}

/// One question about one field, and what the event has there.
package struct Question: Sendable {
    /// As the rule names it: `visitor.email`.
    package var field: String
    /// Whether it tells of people: a personal field, or the sender's own payload.
    package var isPersonal: Bool
    /// The rule's own words: `visitor.email is not in the domain acme.com`.
    package var expected: String
    /// The event's value as JSON, shortened and harmless for a terminal; nil when absent.
    package var found: String?
    package var state: State
    /// What else helps to see why: a value of another type, a name that is nearly this one, a time zone that is not known.
    package var notes: [String]
    package var location: SourceLocation

    /// What a field holds, as `is:` asks it.
    package enum State: String, Sendable, Hashable {
        case absent, null, empty, blank, present
    }
}
