import Glibc

/// Time that only goes forward (CLOCK_MONOTONIC), in nanoseconds.
struct MonotonicTime: Sendable, Comparable {
    private let nanoseconds: UInt64

    static func now() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    func elapsed(until later: MonotonicTime = .now()) -> Duration {
        .nanoseconds(Int64(later.nanoseconds) - Int64(nanoseconds))
    }

    func advanced(by duration: Duration) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds + UInt64(max(0, duration.milliseconds)) * 1_000_000)
    }

    /// Rounded up; 0 when `later` has passed.
    func milliseconds(until later: MonotonicTime) -> Int {
        later.nanoseconds <= nanoseconds ? 0 : Int((later.nanoseconds - nanoseconds + 999_999) / 1_000_000)
    }

    static func < (one: MonotonicTime, other: MonotonicTime) -> Bool { one.nanoseconds < other.nanoseconds }
}

extension Duration {
    /// Whole milliseconds, rounded up, within what a C `int` holds.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds.magnitude < 2_000_000 else { return seconds < 0 ? 0 : 2_000_000_000 }
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
