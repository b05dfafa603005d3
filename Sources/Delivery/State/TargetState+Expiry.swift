package import EventLog

/// Which unfinished events have waited too long.
package struct Expiry: Sendable, Hashable {
    static let tooOld = "too_old"
    static let gaveUp = "gave_up"

    /// The wall clock, milliseconds: events received before are older than the log keeps them.
    package var tooOldBeforeMs: Int64
    /// Events received before have been waiting for a failing target for longer than its `give_up_after`.
    package var gaveUpBeforeMs: Int64?
    /// No event at or after this position is concerned.
    package var end: LogPosition

    package init(tooOldBeforeMs: Int64, gaveUpBeforeMs: Int64? = nil, end: LogPosition) {
        self.tooOldBeforeMs = tooOldBeforeMs
        self.gaveUpBeforeMs = gaveUpBeforeMs
        self.end = end
    }

    /// The reason of the dead letter; nil when the event may still wait.
    func reason(receivedAtMs: Int64) -> String? {
        if receivedAtMs < tooOldBeforeMs { return Self.tooOld }
        if let gaveUpBeforeMs, receivedAtMs < gaveUpBeforeMs { return Self.gaveUp }
        return nil
    }

    /// Whether events of the log at or after `position` are concerned.
    func reaches(beyond position: LogPosition) -> Bool {
        !position.isAtEnd(of: end)
    }
}

extension TargetState {
    /// How long every attempt has failed by the target's fault, in milliseconds; nil when the last one did not.
    package func failingForMs(_ now: Moment) -> Int64? {
        health.failingSince.map { now.monotonicMs - $0.monotonicMs }
    }

    /// Makes dead letters of unfinished events that have waited too long; `room` then asks for those that were not even
    /// read, whatever state the target is in. In-flight ones are judged when they end.
    package mutating func expire(_ expiry: Expiry?, _ now: Moment) {
        self.expiry = expiry
        guard let expiry else { return }
        for (place, reason) in tooLate(expiry, now) {
            guard !isUncommittedFull else { return }
            if let entry = open[place] { bury(entry, reason: reason, failure: nil, now) }
        }
        let candidates = returned
        returned = []
        for tried in candidates {
            if !isUncommittedFull, let reason = expiry.reason(receivedAtMs: tried.event.receivedAtMs) {
                bury(tried, reason: reason, failure: nil, now)
            } else {
                returned.append(tried)
            }
        }
        guard !isUncommittedFull else { return }
        let parked = lanes.removeParked(where: { expiry.reason(receivedAtMs: $0.event.receivedAtMs) != nil })
        for tried in parked.sorted(by: { Self.isBefore($0.event.place, $1.event.place) }) {
            bury(
                tried, reason: expiry.reason(receivedAtMs: tried.event.receivedAtMs) ?? Expiry.tooOld, failure: nil, now
            )
        }
        settle(now)
    }

    /// The open events that have waited too long, each with the reason, in the order of the log.
    private func tooLate(_ expiry: Expiry, _ now: Moment) -> [(RecordPlace, String)] {
        var found: [(RecordPlace, String)] = []
        for (place, entry) in open.entries where !entry.isInFlight && !entry.isSent {
            let reason =
                expiry.reason(receivedAtMs: entry.waitsSinceMs) ?? (isGivenUp(entry, now) ? Expiry.gaveUp : nil)
            if let reason { found.append((place, reason)) }
        }
        return found.sorted { Self.isBefore($0.0, $1.0) }
    }

    private func isGivenUp(_ entry: OpenEntry, _ now: Moment) -> Bool {
        guard let limit = policy.giveUpAfterMs, failingForMs(now) != nil else { return false }
        return now.monotonicMs - entry.firstTried.monotonicMs >= limit
    }
}
