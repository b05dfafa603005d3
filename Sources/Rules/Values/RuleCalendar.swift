internal import TimeZones

/// Days and times of `within:` and `outside:`, named or written in place.
struct RuleCalendar: Hashable, Sendable {
    /// With its team: `london/office-hours`; nil for one written in place.
    var name: String?
    /// Monday first: seven flags.
    var days: [Bool]
    /// Minutes after midnight, half-open; `to` at most 1440. `from` later than `to` crosses midnight and belongs to
    /// the day it began on; nil is the whole day.
    var hours: Hours?
    /// Days that do not count, as days since 1970.
    var holidays: Set<Int32>
    /// The zone it is read in; nil: the event's own.
    var zone: String?

    struct Hours: Hashable, Sendable {
        var from: Int
        var to: Int
    }

    /// Whether it is in the calendar's time when the clocks of its zone show this. Where summer time ends, the clocks
    /// show an hour twice, and both times count alike.
    func contains(_ clock: ClockTime) -> Bool {
        guard let hours else { return counts(clock.day) }
        if hours.from <= hours.to {
            return hours.from <= clock.minute && clock.minute < hours.to && counts(clock.day)
        }
        return clock.minute >= hours.from && counts(clock.day) || clock.minute < hours.to && counts(clock.day - 1)
    }

    private func counts(_ day: Int64) -> Bool {
        days[ClockTime.weekday(ofDay: day)] && !(Int32(exactly: day).map(holidays.contains) ?? false)
    }
}
