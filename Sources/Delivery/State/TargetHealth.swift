package import EventLog

/// Whether a target takes events at all: when one new event after the other fails by its fault, it waits, then one event
/// at a time probes it, and the first success opens it again. Pure: moments and randomness come in.
package struct TargetHealth: Sendable {
    package enum Mode: Sendable, Hashable {
        case running
        /// Nothing is sent before this moment of the monotonic clock; afterwards one probe.
        case waiting(untilMs: Int64)
        /// One event is on its way to find out.
        case probing(RecordPlace)
    }

    package private(set) var mode = Mode.running
    /// Since when every attempt has failed by the target's fault.
    package private(set) var failingSince: Moment?
    /// The stable code of the last failure by the target's fault, until the next success.
    package private(set) var lastFailure: String?
    /// The request sent last of those that succeeded. An event that failed compares it with its own request: what was
    /// sent before that, and took long, says nothing of a target that has gone since.
    private(set) var newestSuccess: UInt64 = 0
    /// The target named the moment itself (`Retry-After`, 429): another event's success does not shorten the wait.
    private var askedToWait = false
    /// First tries that failed since the last success. The second try of one bad event says nothing about others.
    private var firstFailuresInARow = 0
    private var rounds = 0
    /// First tries and how many of them failed, each weighing less with every later one.
    private var firstTries = 0.0
    private var firstFailures = 0.0

    package init(failingSince: Moment? = nil) {
        self.failingSince = failingSince
    }

    package var isRunning: Bool { mode == .running }
    /// It waits because the target asked for it, not because it failed again and again.
    package var wasAskedToWait: Bool { askedToWait }

    /// Whether an event that failed so often, each time while others got through, can hardly have met the target's own
    /// unreliability: the chance of that, judged by how the first tries of all events go, is below one in a billion.
    package func isConvicted(failedAlone times: Int) -> Bool {
        let failureRate = (firstFailures + 1) / (firstTries + 2)
        var chance = 1.0
        for _ in 0..<min(times, 1000) { chance *= failureRate }
        return chance < 1e-9
    }

    package mutating func probe(_ place: RecordPlace) {
        mode = .probing(place)
    }

    /// - Parameters:
    ///   - request: counts up in the order of sending.
    ///   - isFirst: it was the event's first try.
    mutating func succeeded(_ place: RecordPlace, request: UInt64, isFirst: Bool) {
        noteSuccess(of: request)
        answered(place, isFirst: isFirst)
    }

    /// The target took an event of that request, which need not have been one of these.
    mutating func noteSuccess(of request: UInt64) {
        newestSuccess = max(newestSuccess, request)
    }

    /// The target answered, if only to refuse this event.
    package mutating func answered(_ place: RecordPlace, isFirst: Bool) {
        weigh(isFirst: isFirst, failed: false)
        firstFailuresInARow = 0
        failingSince = nil
        lastFailure = nil
        if case .waiting = mode, askedToWait { return }
        mode = .running
        rounds = 0
        askedToWait = false
    }

    /// The attempt ended before it reached the target, so that it says nothing about it.
    package mutating func learnedNothing(_ place: RecordPlace, _ now: Moment) {
        if mode == .probing(place) { mode = .waiting(untilMs: now.monotonicMs) }
    }

    /// An attempt failed by the target's fault.
    /// - Parameters:
    ///   - pauseMs: how long the target asked to be left alone; 0 when it asked without saying how long.
    ///   - isWhole: several events failed at once.
    package mutating func failed(
        _ place: RecordPlace, code: String, isFirst: Bool, pauseMs: Int64?, isWhole: Bool = false, _ now: Moment,
        _ policy: TargetPolicy, _ random: inout SplitMix64
    ) {
        weigh(isFirst: isFirst, failed: true)
        if isFirst { firstFailuresInARow += 1 }
        lastFailure = code
        if failingSince == nil { failingSince = now }
        switch mode {
        case .running where pauseMs == nil && !isWhole && firstFailuresInARow < policy.failuresBeforeWaiting: return
        case .running, .probing(place): wait(pauseMs, now, policy, &random)
        case .probing: break
        case .waiting(let until):
            // One that was under way before the wait began.
            guard let pauseMs else { return }
            askedToWait = true
            mode = .waiting(untilMs: max(until, now.monotonicMs + pauseMs))
        }
    }

    /// Connections that took events break again and again.
    mutating func broke(_ code: String, untilMs: Int64, _ now: Moment) {
        if case .waiting = mode { return }
        lastFailure = code
        if failingSince == nil { failingSince = now }
        mode = .waiting(untilMs: untilMs)
    }

    private mutating func wait(
        _ pauseMs: Int64?, _ now: Moment, _ policy: TargetPolicy, _ random: inout SplitMix64
    ) {
        rounds += 1
        askedToWait = pauseMs != nil
        let delay = max(policy.retry.delayMs(round: rounds, using: &random), pauseMs ?? 0)
        mode = .waiting(untilMs: now.monotonicMs + delay)
    }

    private mutating func weigh(isFirst: Bool, failed: Bool) {
        guard isFirst else { return }
        let memory = 0.98
        firstTries = firstTries * memory + 1
        firstFailures = firstFailures * memory + (failed ? 1 : 0)
    }
}
