/// Exponential back-off with full jitter: the wait is drawn evenly between the floor and a ceiling that doubles with every
/// round, so that many waiting senders never come back in step.
package struct BackOff: Sendable, Hashable {
    package var floorMs: Int64 = 250
    /// The ceiling of the first round.
    package var baseMs: Int64 = 1000
    /// No ceiling is higher.
    package var capMs: Int64 = 300_000

    package init() {}

    /// - Parameter round: counts from 1.
    /// - Returns: milliseconds to wait.
    package func delayMs(round: Int, using random: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(max(round - 1, 0), 30)
        let ceiling = min(capMs, baseMs << Int64(doublings))
        return Int64.random(in: floorMs...max(floorMs, ceiling), using: &random)
    }
}

/// A small seeded generator (SplitMix64): jitter needs no secrecy, and a seed makes a run repeatable.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
