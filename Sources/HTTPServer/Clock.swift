internal import Glibc

/// The monotonic clock (`CLOCK_MONOTONIC`), nanoseconds.
func monotonicNanoseconds() -> UInt64 {
    var moment = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
    return UInt64(moment.tv_sec) * 1_000_000_000 + UInt64(moment.tv_nsec)
}

/// The same clock, microseconds.
func monotonicMicroseconds() -> UInt64 {
    monotonicNanoseconds() / 1000
}

extension Duration {
    /// Whole microseconds, 0 for a negative duration; at most some years.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, min(seconds, 1 << 30) * 1_000_000 + attoseconds / 1_000_000_000_000))
    }
}
