internal import Metrics
internal import Targets

/// What is measured of one target as it happens; its counters and lag are collected from its state.
final class TargetMetrics {
    private let name: String
    private let registry: MetricsRegistry
    /// Nil for replays: what was received days ago says nothing of how fast the target is.
    private let latency: Histogram?
    /// Of events that replays delivered.
    private let replayed: Counter
    private let isReplay: Bool
    private let resent: Counter
    private let duration: Histogram
    private var failures: [String: Counter] = [:]

    init(_ name: String, _ registry: MetricsRegistry, isReplay: Bool = false) {
        self.name = name
        self.registry = registry
        let labels = [("target", name)]
        latency =
            isReplay
            ? nil
            : registry.histogram(
                "gatehouse_target_delivery_latency_seconds", "From an event's receipt to its delivery.", labels)
        replayed = registry.counter(
            "gatehouse_target_replayed_total", "Events that replays delivered once more.", labels)
        self.isReplay = isReplay
        resent = registry.counter(
            "gatehouse_target_resent_total", "Events sent again because the connection that took them broke.", labels)
        duration = registry.histogram(
            "gatehouse_target_attempt_duration_seconds", "How long successful attempts took.", [("target", name)])
    }

    func delivered(_ receipt: DeliveryReceipt, latencySeconds: Double) {
        duration.observe(receipt.duration.seconds)
        latency?.observe(max(0, latencySeconds))
        if isReplay { replayed.add() }
    }

    /// A connection broke that had taken so many events last.
    func resent(_ count: Int) { resent.add(Int64(count)) }

    func failed(_ failure: DeliveryFailure) {
        if let counter = failures[failure.code] { return counter.add() }
        let counter = registry.counter(
            "gatehouse_target_attempts_failed_total", "Attempts that failed, by the reason's code.",
            [("target", name), ("code", failure.code)])
        failures[failure.code] = counter
        counter.add()
    }
}

extension MetricsRegistry {
    /// Series that are read from the targets' states when the page is rendered.
    func collectTargets(_ statuses: @escaping @Sendable () -> [TargetStatus]) {
        func family(
            _ name: String, _ help: String, kind: String, _ value: @escaping @Sendable (TargetStatus) -> Double
        ) {
            collected("gatehouse_target_" + name, help, kind: kind) {
                statuses().map { ([("target", $0.name)], value($0)) }
            }
        }
        family("delivered_total", "Events delivered.", kind: "counter") { Double($0.balance.delivered) }
        family("filtered_total", "Events no route takes, or the target itself does not.", kind: "counter") {
            Double($0.balance.filtered)
        }
        family("dead_total", "Events that became dead letters.", kind: "counter") { Double($0.balance.dead) }
        family("discarded_total", "Events a person removed before they were delivered.", kind: "counter") {
            Double($0.balance.discarded)
        }
        family("expired_total", "Events the log no longer had.", kind: "counter") { Double($0.balance.expired) }
        family("pending_events", "Events that are not finished.", kind: "gauge") { Double($0.balance.pending) }
        family("lag_events", "Events the target's position has not passed.", kind: "gauge") { Double($0.lagEvents) }
        family("lag_seconds", "Age of the oldest event that is not finished.", kind: "gauge") { $0.lagSeconds }
        family("open_events", "Failed events that wait for another try.", kind: "gauge") { Double($0.open) }
        family("in_flight_events", "Events being sent.", kind: "gauge") { Double($0.inFlight) }
        collected(
            "gatehouse_target_refused_total", "Filtered events that a route had taken, by why the target does not.",
            kind: "counter"
        ) {
            statuses().flatMap { status in
                FilteredReason.allCases.map { reason in
                    ([("target", status.name), ("reason", reason.rawValue)], Double(status.balance.refused[reason]))
                }
            }
        }
        collected("gatehouse_target_state", "1 for the state the target is in.") {
            statuses().map { ([("target", $0.name), ("state", $0.standing.name)], 1) }
        }
    }
}
