/// How the events a target is finished with ended. Written in the transaction that moves the cursor past them.
package struct TargetCounters: Sendable, Hashable {
    package var delivered: Int64 = 0
    /// No route took it, or the target itself did not.
    package var filtered: Int64 = 0
    /// Of the filtered ones: those that a route had taken.
    package var refused = RefusedCounts()
    /// Became a dead letter.
    package var dead: Int64 = 0
    /// Removed by a person before it was delivered.
    package var discarded: Int64 = 0
    /// The log itself no longer had it when it was to be delivered.
    package var expired: Int64 = 0
    /// `system.…` events, however they ended: they are in none of the other counters.
    package var system: Int64 = 0
    /// Left out: an event that is none of a replay's business, or the repeat of one before it.
    package var skipped: Int64 = 0

    package init() {}

    /// Everything but `system.…` events.
    package var finished: Int64 { delivered + filtered + dead + discarded + expired + skipped }

    mutating func count(_ ending: WritableKeyPath<TargetCounters, Int64>, isSystem: Bool, by amount: Int64 = 1) {
        if isSystem { system += amount } else { self[keyPath: ending] += amount }
    }

    static func += (one: inout TargetCounters, other: TargetCounters) {
        one.delivered += other.delivered
        one.filtered += other.filtered
        one.refused += other.refused
        one.dead += other.dead
        one.discarded += other.discarded
        one.expired += other.expired
        one.system += other.system
        one.skipped += other.skipped
    }

    static func -= (one: inout TargetCounters, other: TargetCounters) {
        one.delivered -= other.delivered
        one.filtered -= other.filtered
        one.refused -= other.refused
        one.dead -= other.dead
        one.discarded -= other.discarded
        one.expired -= other.expired
        one.system -= other.system
        one.skipped -= other.skipped
    }
}

extension DeliveryState {
    /// Where it is counted; nil for what is not finished.
    var counter: WritableKeyPath<TargetCounters, Int64>? {
        switch self {
        case .pending: nil
        case .delivered: \.delivered
        case .filtered: \.filtered
        case .dead: \.dead
        case .discarded: \.discarded
        case .expired: \.expired
        }
    }
}
