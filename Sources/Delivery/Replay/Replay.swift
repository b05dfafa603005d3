internal import EventLog

/// A replay at work: a second, temporary cursor of a target, with its own range, counters and open set. Confined to the
/// engine's lock.
final class Replay {
    var stored: StoredReplay
    /// Where it sends to.
    let target: TargetRuntime
    /// Its own place, counters and open set.
    let runtime: TargetRuntime
    var selection: ReplaySelection
    /// What it left out and people should know of, by why; the first time each is told.
    var told: Set<String> = []

    /// What the target has on its way on other instances.
    var elsewhere: Set<RecordPlace> = []

    /// Reasons that are told of one replay.
    static let mostTold = 16

    init(_ stored: StoredReplay, target: TargetRuntime, runtime: TargetRuntime) throws(DeliveryStoreError) {
        self.stored = stored
        self.target = target
        self.runtime = runtime
        selection = try ReplaySelection(stored.request)
    }

    var number: Int64 { stored.number }
    var range: ReplayRange { ReplayRange(start: stored.state.start, end: stored.end) }
    var isEnding: Bool { stored.phase == .ending }

    /// Every event of the range is finished.
    var isDone: Bool {
        range.isAtEnd(runtime.state.position) && runtime.state.unfinishedBeforePosition == 0
    }

    /// Nothing of it is on its way.
    var isStill: Bool { runtime.state.inFlightCount == 0 }

    /// What a replay keeps to at a target: a small part of what the target may do at once.
    static func policy(of target: TargetPolicy) -> TargetPolicy {
        var policy = target
        policy.concurrency = max(1, target.concurrency / 4)
        // The target's own bucket counts.
        policy.rate = nil
        policy.window = 256
        policy.windowBytes = min(target.windowBytes, 256 << 10)
        return policy
    }
}
