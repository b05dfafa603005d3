package import Rules
package import YAML

/// What came of one of `tests:`.
package struct RouteTestResult: Sendable {
    package let test: RouteTest
    /// Where the event went, with the routes that took it there.
    package let found: [Match]
    /// The routes that took the event, in the order of the files.
    package let routes: [String]
    /// Of a test of decisions: what was decided; nil where there is no event.
    package var decided: Decided?
    /// What is not as the test says; empty for a test that holds.
    package let differences: [Difference]

    package struct Match: Sendable, Hashable {
        package var target: String
        package var routes: [String]
    }

    package struct Decided: Sendable, Hashable {
        package var outcome: ExpectedDecision
        /// The decision that took the visitor; nil for the default.
        package var by: RouteName?
        /// As it is shown to the visitor, or to who looks at the visit.
        package var message: String?
        /// The decision could not be decided, so that the default rules.
        package var isUndecided = false
    }

    package enum Difference: Sendable, Hashable {
        /// There is no event to try the routes on.
        case noEvent(RehearsalError)
        case missingTarget(String)
        case unexpectedTarget(String, routes: [RouteName])
        /// - Parameter reason: why it did not take the event, where that can be told.
        case missingRoute(RouteName, reason: String?)
        /// The test names a route that there is not, or that is disabled.
        case unknownRoute(String, nearest: String?)
        case unexpectedRoute(RouteName)
        case otherDecision(Decided)
        /// A decision with the outcome that the test expects.
        /// - Parameter reason: why it did not take the event, where that can be told.
        case missingDecision(RouteName, reason: String?)
        case otherMessage(expected: String, found: String?)
    }

    package struct RouteName: Sendable, Hashable {
        package var name: String
        package var location: SourceLocation
    }

    package var holds: Bool { differences.isEmpty }

    /// The test itself is wrong, not what the routes do.
    package var isBroken: Bool {
        differences.contains { if case .noEvent = $0 { true } else { false } }
    }

    /// What is not as the test says, one thing a line; then what was expected and found.
    package var explanation: [String] {
        var lines = differences.map(\.text)
        guard !isBroken, !holds else { return lines }
        if let expected = test.decision, let decided {
            lines.append("expected decision: \(expected.rawValue); found: \(decided.outcome.rawValue)")
        }
        if let targets = test.targets {
            lines.append("expected targets: \(Self.listed(targets)); found: \(Self.listed(found.map(\.target)))")
        }
        if let expected = test.routes {
            lines.append("expected routes: \(Self.listed(expected)); found: \(Self.listed(routes))")
        }
        return lines
    }

    static func listed(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}

extension RouteTestResult.Difference {
    package var text: String {
        switch self {
        case .noEvent(let error):
            return "no event: \(error)"
        case .missingTarget(let target):
            return "does not go to \(target)"
        case .unexpectedTarget(let target, let routes):
            let by = routes.map { "\($0.name) (\($0.location))" }.joined(separator: ", ")
            return "goes to \(target) too, by \(by)"
        case .missingRoute(let route, let reason):
            return "\(route.name) (\(route.location)) does not take it" + (reason.map { ": \($0)" } ?? "")
        case .unknownRoute(let name, let near):
            return "no enabled route is called \(displayable(name))"
                + (near.map { " (did you mean \(displayable($0))?)" } ?? "")
        case .unexpectedRoute(let route):
            return "\(route.name) (\(route.location)) takes it too"
        case .otherDecision(let decided):
            return "the outcome is \(decided.outcome.rawValue), by \(decided.origin)"
        case .missingDecision(let decision, let reason):
            return "\(decision.name) (\(decision.location)) does not take it" + (reason.map { ": \($0)" } ?? "")
        case .otherMessage(let expected, let found):
            return "the message is not \"\(displayable(expected))\" but "
                + (found.map { "\"\(displayable($0))\"" } ?? "none")
        }
    }
}

extension RouteTestResult.Decided {
    /// What made it so.
    package var origin: String {
        guard let by else { return "the default, as no decision takes the visitor" }
        let decision = "\(by.name) (\(by.location))"
        return isUndecided ? "the default, as \(decision) cannot be decided" : decision
    }
}
