package import Targets

/// What is known of one event at one target, as far as it is counted.
package struct KnownState: Sendable, Hashable {
    package var state: DeliveryState
    /// Of a filtered one that a route had taken: why the target did not.
    package var refusal: FilteredReason?

    package init(_ state: DeliveryState, _ refusal: FilteredReason? = nil) {
        self.state = state
        self.refusal = refusal
    }

    package static let pending = KnownState(.pending)
    package static let delivered = KnownState(.delivered)
    package static let filtered = KnownState(.filtered)
    package static let dead = KnownState(.dead)
    package static let discarded = KnownState(.discarded)
    package static let expired = KnownState(.expired)

    package static func refused(_ reason: FilteredReason) -> KnownState { KnownState(.filtered, reason) }
}

extension TargetCounters {
    /// Counts an event that is so; one that is not finished counts nowhere.
    package mutating func count(_ known: KnownState, isSystem: Bool, by amount: Int64 = 1) {
        guard let counter = known.state.counter else { return }
        count(counter, isSystem: isSystem, by: amount)
        if let refusal = known.refusal, !isSystem { refused[refusal] += amount }
    }
}
