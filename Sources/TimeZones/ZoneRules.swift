/// When the clocks of a place show what: its offsets from UTC, past and to come.
package struct ZoneRules: Sendable, Hashable {
    /// Moments, in seconds since 1970 and ascending, from each of which an offset holds.
    let transitions: [Int64]
    /// Seconds east of UTC from the transition of the same place.
    let offsets: [Int32]
    /// Before the first transition.
    let first: Int32
    /// From the last transition on; nil: the last offset stays.
    let recurring: RecurringRule?

    package static let utc = ZoneRules(transitions: [], offsets: [], first: 0, recurring: nil)

    /// Seconds east of UTC.
    /// - Parameter seconds: since 1970.
    package func offset(at seconds: Int64) -> Int {
        guard let last = transitions.last, seconds < last else {
            if let recurring { return recurring.offset(at: seconds) }
            return Int(offsets.last ?? first)
        }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return Int(low == 0 ? first : offsets[low - 1])
    }

    /// What the clocks show.
    /// - Parameter milliseconds: since 1970.
    package func clock(at milliseconds: Int64) -> ClockTime {
        let seconds = floorDivide(milliseconds, 1000).quotient
        return ClockTime(localSeconds: seconds + Int64(offset(at: seconds)))
    }
}

/// What a clock and a calendar on the wall show: a day and the minute of it.
package struct ClockTime: Sendable, Hashable {
    /// Days since 1970-01-01.
    package var day: Int64
    /// 0 to 1439.
    package var minute: Int

    package init(day: Int64, minute: Int) {
        self.day = day
        self.minute = minute
    }

    /// - Parameter localSeconds: seconds since 1970 as if the clock showed UTC.
    init(localSeconds: Int64) {
        let (day, inDay) = floorDivide(localSeconds, 86_400)
        self.init(day: day, minute: Int(inDay / 60))
    }

    /// 0 is Monday.
    package static func weekday(ofDay day: Int64) -> Int { Int(floorDivide(day + 3, 7).remainder) }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let remainder = ((value % divisor) + divisor) % divisor
    return ((value - remainder) / divisor, remainder)
}
