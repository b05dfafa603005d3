internal import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let total = Atomic<Int64>(0)

    package func add(_ amount: Int64 = 1) { total.add(amount, ordering: .relaxed) }
    package var value: Int64 { total.load(ordering: .relaxed) }
}

/// A number that is set.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// A distribution of durations in seconds, in fixed buckets.
package final class Histogram: Sendable {
    /// Upper bounds in seconds, ascending.
    package static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private struct State {
        var buckets = [Int64](repeating: 0, count: Histogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    /// - Parameter seconds: one observed duration.
    package func observe(_ seconds: Double) {
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock {
            $0.buckets[bucket] += 1
            $0.sum += seconds
        }
    }

    /// Counts per bucket (the last one is beyond every bound) and the sum of all observations in seconds.
    package var snapshot: (buckets: [Int64], sum: Double) { state.withLock { ($0.buckets, $0.sum) } }
}
