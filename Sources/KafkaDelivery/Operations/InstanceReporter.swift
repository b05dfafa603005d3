internal import Delivery
internal import KafkaLog
internal import Synchronization

/// Tells the other instances of this one, in the control topic: when something has changed, and from time to time.
final class InstanceReporter: Sendable {
    private struct State {
        /// Of the runs of this instance before.
        var base: (duplicates: Int64, quarantined: Int64)?
        var told: InstanceFacts?
        var toldAtMs: Int64 = 0
    }

    /// An instance that has said nothing for so long is taken for gone, in milliseconds.
    static let lifetimeMs: Int64 = 90_000
    private static let intervalMs: Int64 = 10_000
    private static let heartbeatMs: Int64 = 30_000

    private let name: String
    private let control: ControlTopic
    private let layout: LogLayout
    private let facts: @Sendable () -> InstanceFacts
    private let startedAtMs = Moment.now().wallMs
    private let state = Mutex(State())

    init(_ name: String, _ control: ControlTopic, _ layout: LogLayout, _ facts: @escaping @Sendable () -> InstanceFacts)
    {
        self.name = name
        self.control = control
        self.facts = facts
        self.layout = layout
    }

    /// Tells what has changed, or that nothing has, when it is time.
    func tell(hasEnded: Bool = false) {
        let now = Moment.now()
        let facts = facts()
        let base = state.withLock { state -> (duplicates: Int64, quarantined: Int64)? in
            let age = now.monotonicMs - state.toldAtMs
            let isDue = state.told == nil || age >= (facts == state.told ? Self.heartbeatMs : Self.intervalMs)
            guard isDue || hasEnded else { return nil }
            let before = state.base ?? before()
            state.base = before
            state.told = facts
            state.toldAtMs = now.monotonicMs
            return before
        }
        guard let base else { return }
        var record = InstanceRecord(
            startedAtMs: startedAtMs, atMs: now.wallMs, version: facts.version, spooled: facts.spooled,
            hasEnded: hasEnded)
        record.duplicates = base.duplicates + facts.duplicates
        record.quarantined = base.quarantined + facts.quarantined
        record.targets = facts.targets
        // The next one says it again.
        control.write(.instance(name), record)
    }

    private func before() -> (duplicates: Int64, quarantined: Int64) {
        let known = control.value(.instance(name))?.record(InstanceRecord.self, StateDecoder(layout))
        return (known?.duplicates ?? 0, known?.quarantined ?? 0)
    }
}
