internal import Events
package import JSON

/// Where a replay is in its life.
package enum ReplayState: String, Sendable, Hashable, CaseIterable {
    /// Another replay of the target has its turn.
    case queued
    case running
    /// The target takes nothing now, or takes nothing of this replay.
    case waiting
    /// What is on its way ends first.
    case cancelling
    case finished
    case cancelled

    package var isEnded: Bool { self == .finished || self == .cancelled }
}

/// Where every event of a replay's range is.
package struct ReplayBalance: Sendable, Hashable {
    /// All events of the range, `system.…` events too.
    package var events: Int64
    package var delivered: Int64
    /// Today's routes, `--route`, `--where` or the times do not take it.
    package var filtered: Int64
    /// Of the filtered ones: those that routes would have taken, and the target itself did not.
    package var refused: RefusedCounts
    /// None of the replay's business: still on its way to the target anyhow, of Gatehouse's own, or not readable again.
    package var skipped: Int64
    package var pending: Int64
    package var dead: Int64
    package var discarded: Int64
    package var expired: Int64
    /// Not looked at before it was cancelled.
    package var left: Int64

    package var sum: Int64 { delivered + filtered + skipped + pending + dead + discarded + expired + left }
    package var isBalanced: Bool { sum == events && pending >= 0 }

    /// - Parameter pending: those of the range that are not finished.
    init(_ replay: StoredReplay, _ counters: TargetCounters, pending: Int64) {
        events = replay.events
        delivered = counters.delivered
        filtered = counters.filtered
        refused = counters.refused
        skipped = counters.skipped
        self.pending = pending
        dead = counters.dead
        discarded = counters.discarded
        expired = counters.expired
        left = replay.left
    }

    func appendMembers(to writer: inout JSONWriter) {
        writer.member("events", events)
        writer.member("delivered", delivered)
        writer.member("filtered", filtered)
        writer.member("skipped", skipped)
        writer.member("pending", pending)
        writer.member("dead", dead)
        writer.member("discarded", discarded)
        writer.member("expired", expired)
        writer.member("left", left)
    }
}

/// A replay as it is shown.
package struct ReplayStatus: Sendable, Hashable {
    package var number: Int64
    package var request: ReplayRequest
    /// Who asked for it.
    package var by: String
    package var state: ReplayState
    /// What it waits for, or why it was cancelled.
    package var reason: String?
    /// The wall clock, milliseconds.
    package var createdAtMs: Int64
    package var endedAtMs: Int64?
    package var balance: ReplayBalance

    /// `{replay, target, state, reason, since, until, route, where, team, decode_again, by, created_at, ended_at, events,
    /// delivered, filtered, skipped, pending, dead, discarded, expired, left, filtered_by}`
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("replay", number)
        writer.member("target", request.target)
        writer.member("state", state.rawValue)
        writer.member("reason", reason)
        writer.member("since", Timestamp(milliseconds: request.sinceMs).text)
        writer.member("until", request.untilMs.map { Timestamp(milliseconds: $0).text })
        writer.member("route", request.route)
        writer.member("where", request.condition)
        writer.member("team", request.team)
        writer.key("decode_again")
        writer.bool(request.decodesAgain)
        writer.member("by", by)
        writer.member("created_at", Timestamp(milliseconds: createdAtMs).text)
        writer.member("ended_at", endedAtMs.map { Timestamp(milliseconds: $0).text })
        balance.appendMembers(to: &writer)
        writer.key("filtered_by")
        balance.refused.appendJSON(to: &writer, filtered: balance.filtered)
        writer.endObject()
    }
}
