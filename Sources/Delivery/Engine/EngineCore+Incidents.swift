internal import EventLog

/// What is told to `onIncident`.
extension EngineCore {
    /// After an attempt: whether the breaker has opened on a target that ran before.
    func watchBreaker(_ runtime: TargetRuntime, _ now: Moment) {
        let runtime = runtime.replayed ?? runtime
        guard let onIncident, !runtime.state.health.isRunning, runtime.failures.concernsSenders else { return }
        let health = runtime.state.health
        guard let since = health.failingSince, runtime.failures.toldSinceMs != since.wallMs else { return }
        if health.wasAskedToWait, now.monotonicMs - since.monotonicMs < FailureStreak.patienceMs { return }
        runtime.failures.toldSinceMs = since.wallMs
        onIncident(
            .breakerOpened(
                target: runtime.name, reason: health.lastFailure ?? "failing", sinceMs: since.wallMs))
    }

    /// What a commit has made known; before the runtime takes it over.
    func tellIncidents(_ change: TargetChange, _ runtime: TargetRuntime) {
        guard let onIncident else { return }
        let name = (runtime.replayed ?? runtime).name
        var letters: [String: Int64] = [:]
        for case .bury(let letter) in change.operations where !LogRecord.isSystem(letter.type) {
            letters[letter.reason, default: 0] += 1
        }
        for (reason, count) in letters.sorted(by: { $0.key < $1.key }) {
            onIncident(.deadLetters(target: name, reason: reason, count: count))
        }
        if runtime.failures.isGone, let reason = change.cursor.disabledReason {
            runtime.failures.isGone = false
            // One that was on its way when an earlier answer switched the target off tells nothing new.
            guard runtime.committedCursor.disabledReason == nil else { return }
            onIncident(.disabled(target: name, reason: reason))
        }
    }
}
