internal import Metrics
internal import Synchronization

/// How often routes could not be decided for an event and so took nothing, by their names, since the program started.
final class RouteErrors: Sendable {
    private let counts = Mutex<[String: Int64]>([:])
    private let total: Counter

    /// Routes beyond this many are counted in the total only.
    private static let mostNames = 100_000

    init(_ registry: MetricsRegistry) {
        total = registry.counter(
            "gatehouse_route_errors_total", "Times a route could not be decided for an event, and took nothing.")
    }

    func count(_ route: String) {
        total.add()
        counts.withLock { counts in
            if counts[route] != nil || counts.count < Self.mostNames { counts[route, default: 0] += 1 }
        }
    }

    var byName: [String: Int64] { counts.withLock { $0 } }
}
