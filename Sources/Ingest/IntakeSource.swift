internal import Glibc
internal import HTTPServer
internal import Metrics

/// A configured source at work: its settings and its counters.
final class IntakeSource: Sendable {
    let configuration: SourceConfiguration
    let accepted: Counter
    let duplicates: Counter
    let quarantined: Counter
    private let duration: Histogram
    /// Nil for a source that decides nothing.
    let decisions: DecisionCounters?

    var name: String { configuration.name }

    init(_ configuration: SourceConfiguration, metrics: MetricsRegistry) {
        self.configuration = configuration
        let labels = [("source", configuration.name)]
        accepted = metrics.counter(
            "gatehouse_events_accepted_total", "Events kept durably and acknowledged.", labels)
        duplicates = metrics.counter(
            "gatehouse_events_duplicate_total", "Events acknowledged that were there already.", labels)
        quarantined = metrics.counter(
            "gatehouse_events_quarantined_total", "Elements of batches that could not be decoded.", labels)
        decisions = configuration.answerWithin.map { _ in DecisionCounters(configuration, metrics) }
        duration = metrics.histogram(
            "gatehouse_intake_duration_seconds", "From a request's head to its acknowledgement.", labels)
    }

    /// Notes how long a request took that is acknowledged now.
    func observe(_ head: HTTPRequestHead, now: UInt64 = MonotonicClock.nanoseconds()) {
        duration.observe(Double(now &- head.receivedAt) / 1_000_000_000)
    }
}

/// The clock that `HTTPRequestHead.receivedAt` is read from.
enum MonotonicClock {
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
