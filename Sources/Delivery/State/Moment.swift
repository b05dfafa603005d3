internal import Glibc

/// A moment as both clocks tell it, in milliseconds. Timers count on the monotonic clock, so that a jump of the wall
/// clock moves none of them; ages, history and whatever outlives the process use the wall clock (since 1970, UTC).
package struct Moment: Sendable, Hashable {
    package var monotonicMs: Int64
    package var wallMs: Int64

    package init(monotonicMs: Int64, wallMs: Int64) {
        self.monotonicMs = monotonicMs
        self.wallMs = wallMs
    }

    /// The system's clocks.
    package static func now() -> Moment {
        Moment(monotonicMs: milliseconds(of: CLOCK_MONOTONIC), wallMs: milliseconds(of: CLOCK_REALTIME))
    }

    /// The moment that was `wallMs` on the wall clock, seen from this one; what lies in the future is taken as now.
    package func past(wallMs past: Int64) -> Moment {
        Moment(monotonicMs: monotonicMs - max(0, wallMs - past), wallMs: past)
    }

    package func advanced(byMs milliseconds: Int64) -> Moment {
        Moment(monotonicMs: monotonicMs + milliseconds, wallMs: wallMs + milliseconds)
    }

    private static func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that a short wait is never none at all.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds.magnitude < 1 << 50 else { return seconds > 0 ? Int64.max / 4 : 0 }
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
