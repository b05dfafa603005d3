internal import Synchronization

/// What of a store may be behind what it mirrors.
package enum StorePart: Sendable, Hashable, CaseIterable {
    /// Targets and replays, their places and counters, open events and dead letters.
    case accounts
    /// What happened to events.
    case history
    case audit
}

extension DeliveryStore {
    /// Has a store that mirrors what is kept elsewhere brought up to date before it is asked. What the closure throws is
    /// thrown to whoever asks.
    package func beforeReading(_ refresh: @escaping @Sendable (Set<StorePart>) throws -> Void) {
        refresher.withLock { $0 = refresh }
    }

    func refresh(_ parts: Set<StorePart>) throws {
        try refresher.withLock { $0 }?(parts)
    }
}
