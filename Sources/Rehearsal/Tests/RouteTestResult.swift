package import Rules
package import YAML

/// What came of one of `tests:`.
package struct RouteTestResult: Sendable {
    package let test: RouteTest
    /// Where the event went, with the routes that took it there.
    package let found: [Match]
    /// The routes that took the event, in the order of the files.
    package let routes: [String]
    /// What is not as the test says; empty for a test that holds.
    package let differences: [Difference]

    package struct Match: Sendable, Hashable {
        package var target: String
        package var routes: [String]
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
        }
    }
}
