/// How many requests may begin in any stretch of time. Pure: moments come in.
///
/// The bucket is small and refills evenly, so that no stretch of `perMs`, wherever it begins, holds more than `amount`: a
/// bucket of the whole amount would let twice as many through after a quiet time.
package struct TokenBucket: Sendable, Hashable {
    package struct Rate: Sendable, Hashable {
        /// Requests.
        package var amount: Int64
        /// Milliseconds.
        package var perMs: Int64

        package init(amount: Int64, perMs: Int64) {
            self.amount = max(1, amount)
            self.perMs = max(1, perMs)
        }
    }

    package let rate: Rate
    /// One token is `perMs` units, so that everything is counted in whole numbers.
    private let capacity: Int64
    private let unitsPerMs: Int64
    private var units: Int64
    private var filledAtMs: Int64

    /// What a late timer may catch up with.
    private static let slackMs: Int64 = 20

    /// Begins full.
    package init(_ rate: Rate, _ now: Moment) {
        self.rate = rate
        let tokens = max(1, min(rate.amount, rate.amount * Self.slackMs / rate.perMs))
        capacity = tokens * rate.perMs
        unitsPerMs = rate.amount - (tokens - 1)
        units = capacity
        filledAtMs = now.monotonicMs
    }

    /// Milliseconds until the next request may begin; 0: now.
    package func waitMs(_ now: Moment) -> Int64 {
        let missing = rate.perMs - filled(now)
        return missing <= 0 ? 0 : (missing + unitsPerMs - 1) / unitsPerMs
    }

    /// One request begins.
    package mutating func take(_ now: Moment) {
        units = filled(now) - rate.perMs
        filledAtMs = max(filledAtMs, now.monotonicMs)
    }

    private func filled(_ now: Moment) -> Int64 {
        // Longer than any bucket takes to fill, and short enough to be multiplied.
        let passed = min(max(0, now.monotonicMs - filledAtMs), capacity)
        return min(capacity, units + passed * unitsPerMs)
    }
}
