internal import Targets

/// What somebody may have to see to. What befalls Gatehouse's own events is none: they never raise alarms about themselves.
package enum DeliveryIncident: Sendable, Hashable {
    /// So many events became dead letters of the target, for one reason.
    case deadLetters(target: String, reason: String, count: Int64)
    /// The target ran, fails now, and is left alone for a while.
    /// - since: the wall clock, milliseconds: the first failure. The same over a restart.
    case breakerOpened(target: String, reason: String, sinceMs: Int64)
    /// The target's own answer switched it off.
    case disabled(target: String, reason: String)
}

/// A target's failures, as far as they tell whether to raise an alarm.
struct FailureStreak {
    /// A target that asks to be left alone is told of when it has done so for as long, in milliseconds.
    static let patienceMs: Int64 = 300_000

    /// Since the last success a sender's event has failed by the target's fault.
    private(set) var concernsSenders = false
    /// A sender's event got the answer that switched the target off, and it was not told of yet.
    var isGone = false
    /// The streak that was told of, by its first failure.
    var toldSinceMs: Int64?

    /// A connection broke that had taken a sender's events.
    mutating func noteLoss() { concernsSenders = true }

    mutating func note(_ outcome: DeliveryOutcome, isSystem: Bool) {
        switch outcome {
        case .delivered:
            concernsSenders = false
            toldSinceMs = nil
        case .failed(let failure):
            guard !isSystem else { return }
            switch failure.blame {
            case .event: break
            case .gone: isGone = true
            case .target: concernsSenders = true
            }
        }
    }
}
