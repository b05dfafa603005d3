/// The minutes of a week, Monday's midnight first.
struct WeekMinutes: Equatable {
    private static let minutes = 7 * 1440
    private var flags = [Bool](repeating: false, count: WeekMinutes.minutes)

    var isEmpty: Bool { !flags.contains(true) }

    mutating func insert(_ range: Range<Int>) {
        for minute in range { flags[minute % Self.minutes] = true }
    }

    func isDisjoint(with other: WeekMinutes) -> Bool { !zip(flags, other.flags).contains { $0 && $1 } }
    func isSubset(of other: WeekMinutes) -> Bool { !zip(flags, other.flags).contains { $0 && !$1 } }
}

/// What can be told of calendars without any time.
extension RuleCalendar {
    /// When it holds in a week without holidays.
    var week: WeekMinutes {
        var week = WeekMinutes()
        for (day, isOn) in days.enumerated() where isOn {
            let midnight = day * 1440
            guard let hours else {
                week.insert(midnight..<midnight + 1440)
                continue
            }
            let end = hours.from <= hours.to ? hours.to : hours.to + 1440
            week.insert(midnight + hours.from..<midnight + end)
        }
        return week
    }

    /// Whether no time is as both want it.
    func excludes(_ other: RuleCalendar, _ inside: Bool, _ otherInside: Bool) -> Bool {
        guard zone == other.zone else { return false }
        switch (inside, otherInside) {
        // Holidays only ever take time away.
        case (true, true): return week.isDisjoint(with: other.week)
        case (true, false): return isInside(other)
        case (false, true): return other.isInside(self)
        case (false, false): return false
        }
    }

    /// Whether every time that is as this wants it is as the other wants it.
    func implies(_ other: RuleCalendar, _ inside: Bool, _ otherInside: Bool) -> Bool {
        guard zone == other.zone else { return false }
        switch (inside, otherInside) {
        case (true, true): return isInside(other)
        case (true, false): return week.isDisjoint(with: other.week)
        case (false, false): return other.isInside(self)
        case (false, true): return false
        }
    }

    /// Whether all its time is the other's too: of the same zone.
    private func isInside(_ other: RuleCalendar) -> Bool {
        other.holidays.isSubset(of: holidays) && week.isSubset(of: other.week)
            && (other.holidays.isEmpty || hours == other.hours)
    }
}
