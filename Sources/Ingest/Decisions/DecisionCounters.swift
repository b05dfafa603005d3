internal import Events
internal import Metrics
internal import Vendors

/// What is counted of one source's decisions.
final class DecisionCounters: Sendable {
    let unkept: Counter
    let overdue: Counter
    private let duration: Histogram
    private let source: SourceConfiguration
    private let metrics: MetricsRegistry

    init(_ source: SourceConfiguration, _ metrics: MetricsRegistry) {
        self.source = source
        self.metrics = metrics
        let labels = [("source", source.name)]
        unkept = metrics.counter(
            "gatehouse_decisions_unkept_total", "Decisions whose event could not be kept.", labels)
        overdue = metrics.counter(
            "gatehouse_decisions_overdue_total", "Waiting requests that the deadline answered.", labels)
        duration = metrics.histogram(
            "gatehouse_decision_duration_seconds", "From a waiting request's first line to its answer.", labels)
        // A series that begins at its first event hides that event from rates.
        for outcome in DecisionOutcome.allCases { _ = counter(outcome, "rule") }
    }

    /// - Parameter verdict: what is decided, or would have been where the rules are only tried.
    func count(_ verdict: Verdict) {
        counter(verdict.reply.outcome, verdict.reason.code).add()
    }

    private func counter(_ outcome: DecisionOutcome, _ reason: String) -> Counter {
        metrics.counter(
            "gatehouse_decisions_total", "Waiting requests, by what was decided and by what it was.",
            [
                ("source", source.name), ("mode", source.mode.rawValue), ("outcome", outcome.rawValue),
                ("reason", reason),
            ])
    }

    /// Notes how long a request waited that is answered now.
    func observe(startedAt: UInt64) {
        duration.observe(Double(MonotonicClock.nanoseconds() &- startedAt) / 1_000_000_000)
    }
}
