package import EventLog
internal import JSON

/// Where every accepted event is, for one target. `system.…` events are not counted.
package struct TargetBalance: Sendable, Hashable {
    /// Accepted before the target's start, and so none of its business.
    package var beforeStart: Int64
    package var delivered: Int64
    package var filtered: Int64
    /// Of the filtered ones: those that a route had taken, and the target itself did not.
    package var refused: RefusedCounts
    package var pending: Int64
    package var dead: Int64
    package var discarded: Int64
    package var expired: Int64
    /// The log holds them twice, because two instances took the same event in: only the first of each was sent.
    package var repeated: Int64

    package var sum: Int64 { beforeStart + delivered + filtered + pending + dead + discarded + expired + repeated }

    /// - Parameters:
    ///   - cursor: the target's state, of the moment of `head`.
    ///   - open: the size of its open set.
    ///   - systemEver: `system.…` events ever appended, at the moment of `head`.
    init(
        _ target: StoredTarget, _ cursor: TargetCursor, open: Int64, log: any LogReader, head: LogPosition,
        systemEver: Int64
    ) {
        let counters = cursor.counters
        let unfinished = log.count(from: cursor.position, to: head) + Int64(cursor.holes.count) + open
        let systemUnfinished = systemEver - target.systemBeforeStart - counters.system
        beforeStart = target.beforeStart
        delivered = counters.delivered
        filtered = counters.filtered
        refused = counters.refused
        pending = unfinished - systemUnfinished
        dead = counters.dead
        discarded = counters.discarded
        expired = counters.expired
        repeated = counters.skipped
    }

    func appendMembers(to writer: inout JSONWriter) {
        writer.member("delivered", delivered)
        writer.member("filtered", filtered)
        writer.member("pending", pending)
        writer.member("dead", dead)
        writer.member("discarded", discarded)
        writer.member("expired", expired)
        writer.member("before_start", beforeStart)
        writer.member("repeated", repeated)
    }

    /// How many were filtered by each reason, `no_route` among them: `filtered_by: {no_route, no_consent, …}`.
    func appendReasons(to writer: inout JSONWriter) {
        writer.key("filtered_by")
        refused.appendJSON(to: &writer, filtered: filtered)
    }
}

/// The proof that nothing was dropped: for every target, what was accepted is the sum of where it went.
package struct Reconciliation: Sendable, Hashable {
    package var accepted: Int64
    package var duplicates: Int64
    package var quarantined: Int64
    /// Acknowledged events that instances keep until the log takes them; they are not among the accepted yet. Nil for a log
    /// that takes every event before it is acknowledged.
    package var spooled: Int64?
    /// In the order the targets came.
    package var targets: [Target]
    /// Beside the targets' own accounts: each replay's.
    package var replays: [ReplayStatus]

    package struct Target: Sendable, Hashable {
        package var name: String
        package var balance: TargetBalance
    }

    package var isBalanced: Bool {
        targets.allSatisfy { $0.balance.sum == accepted && $0.balance.pending >= 0 }
            && replays.allSatisfy(\.balance.isBalanced)
    }

    /// Of an instance that is not running.
    package init(store: DeliveryStore, log: any LogReader, statistics: LogStatistics) throws {
        let head = log.head
        self.init(
            statistics,
            try store.targets().map { target in
                Target(
                    name: target.name,
                    balance: TargetBalance(
                        target, target.cursor, open: target.openCount, log: log, head: head,
                        systemEver: statistics.system))
            }, replays: try ReplayStatus.stopped(store: store, log: log))
    }

    init(_ statistics: LogStatistics, _ targets: [Target], replays: [ReplayStatus]) {
        accepted = statistics.accepted
        duplicates = statistics.duplicates
        quarantined = statistics.quarantined
        self.targets = targets
        self.replays = replays
    }

    /// `{balanced, accepted, duplicates, quarantined, targets: {NAME: {delivered, filtered, pending, dead, discarded,
    /// expired, before_start, repeated}}, replays: {NUMBER: {target, state, events, delivered, filtered, skipped, pending, dead,
    /// discarded, expired, left}}}`, and `spooled` where there may be any.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("balanced")
        writer.bool(isBalanced)
        writer.member("accepted", accepted)
        writer.member("duplicates", duplicates)
        writer.member("quarantined", quarantined)
        if let spooled { writer.member("spooled", spooled) }
        writer.key("targets")
        writer.beginObject()
        for target in targets {
            writer.key(target.name)
            writer.beginObject()
            target.balance.appendMembers(to: &writer)
            writer.endObject()
        }
        writer.endObject()
        writer.key("replays")
        writer.beginObject()
        for replay in replays {
            writer.key("\(replay.number)")
            writer.beginObject()
            writer.member("target", replay.request.target)
            writer.member("state", replay.state.rawValue)
            replay.balance.appendMembers(to: &writer)
            writer.endObject()
        }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}

/// The log's counters and its head of one moment, although other threads append meanwhile.
func snapshot(of log: any EventLog) -> (statistics: LogStatistics, head: LogPosition) {
    var statistics = log.statistics()
    for _ in 0..<1000 {
        let head = log.head
        let again = log.statistics()
        if again.accepted == statistics.accepted, again.system == statistics.system, log.head == head {
            return (again, head)
        }
        statistics = again
    }
    return (statistics, log.head)
}
