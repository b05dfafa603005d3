internal import Dispatch
package import EventLog
internal import Events
package import Logging
package import Metrics
internal import Synchronization

/// Writes what happens to Gatehouse itself into the log, as events that routes can send on. Nobody who reports something
/// waits for it; what the log cannot take is tried a few times, then counted and told of.
package final class SystemEvents: Sendable {
    /// Tries of one event, with 1, 2, 4, … 32 s in between.
    private static let tries = 10
    /// Events that wait for another try.
    private static let mostWaiting = 256

    /// An event that is not in the log yet.
    private struct Unkept {
        var record: NewRecord
        var tries = 0
        var dueMs: Int64
    }

    private struct State {
        var queue = IncidentQueue()
        var builder: SystemEventBuilder
        var unkept: [Unkept] = []
        /// When the work queue looks next; nil: it does not.
        var wakesAtMs: Int64?
        var isStopped = false
    }

    private let log: any EventLog
    private let logger: Logger
    private let metrics: MetricsRegistry
    private let state: Mutex<State>
    private let work = DispatchQueue(label: "system-events", qos: .utility)

    package init(log: any EventLog, metrics: MetricsRegistry, logger: Logger) {
        self.log = log
        self.metrics = metrics
        self.logger = logger
        state = Mutex(State(builder: SystemEventBuilder(run: .random(in: 0...UInt64.max))))
        for type in CanonicalType.allCases where type.isSystem {
            _ = kept(type.rawValue)
            _ = lost(type.rawValue)
        }
    }

    /// Takes note of an incident. Does not block.
    package func raise(_ incident: Incident) {
        let now = Self.now
        let isTaken = state.withLock { state in
            guard !state.isStopped, state.queue.add(incident, now) else { return false }
            wake(&state, now)
            return true
        }
        if !isTaken { lost(incident.type.rawValue).add() }
    }

    /// Hands everything over to the log. What comes later is lost, and counted as such.
    package func stop() {
        work.sync {
            turn(hurries: true)
            state.withLock { $0.isStopped = true }
        }
    }

    private static var now: Int64 { Int64(MonotonicClock.nanoseconds() / 1_000_000) }

    private func wake(_ state: inout State, _ now: Int64) {
        guard let due = (state.unkept.map(\.dueMs) + [state.queue.dueMs].compactMap(\.self)).min() else { return }
        if let wakes = state.wakesAtMs, wakes <= due { return }
        state.wakesAtMs = due
        work.asyncAfter(deadline: .now() + .milliseconds(Int(max(0, due - now)))) { [weak self] in
            self?.turn()
        }
    }

    private func turn(hurries: Bool = false) {
        let now = Self.now
        let due = state.withLock { state -> [Unkept] in
            guard !state.isStopped else { return [] }
            state.wakesAtMs = nil
            var due = state.unkept.filter { hurries || $0.dueMs <= now }
            state.unkept.removeAll { hurries || $0.dueMs <= now }
            for incident in state.queue.takeDue(now, hurries: hurries) {
                guard let record = state.builder.record(incident, at: .now()) else { continue }
                due.append(Unkept(record: record, dueMs: now))
            }
            wake(&state, now)
            return due
        }
        for event in due { append(event) }
    }

    private func append(_ event: Unkept) {
        log.append(AppendBatch(records: [event.record])) { [weak self] result in
            switch result {
            case .success(let outcomes):
                if case .appended = outcomes.first { self?.kept(event.record.type).add() }
            case .failure(let failure): self?.tryAgain(event, failure)
            }
        }
    }

    private func tryAgain(_ event: Unkept, _ failure: LogFailure) {
        let now = Self.now
        var event = event
        event.tries += 1
        event.dueMs = now + 1000 << Int64(min(event.tries - 1, 5))
        let waits = state.withLock { state in
            guard !state.isStopped, event.tries < Self.tries, state.unkept.count < Self.mostWaiting else {
                return false
            }
            state.unkept.append(event)
            wake(&state, now)
            return true
        }
        guard !waits else { return }
        lost(event.record.type).add()
        logger.error(
            "system_event_lost", "An event of Gatehouse's own could not be kept, and is given up.",
            ["type": .string(event.record.type), "reason": .string(failure.message)])
    }

    private func kept(_ type: String) -> Counter {
        metrics.counter(
            "gatehouse_system_events_total", "Events of Gatehouse's own that were written.", [("type", type)])
    }

    private func lost(_ type: String) -> Counter {
        metrics.counter(
            "gatehouse_system_events_lost_total", "Events of Gatehouse's own that the log could not take.",
            [("type", type)])
    }
}
