/// What a zone does every year: a POSIX TZ string (RFC 9636, section 3.3.1), such as `GMT0BST,M3.5.0/1,M10.5.0`.
struct RecurringRule: Sendable, Hashable {
    /// Seconds east of UTC.
    let standard: Int
    /// Nil: the same all year.
    let daylight: Daylight?

    struct Daylight: Sendable, Hashable {
        /// Seconds east of UTC.
        let offset: Int
        /// In standard time.
        let start: YearlyMoment
        /// In daylight time.
        let end: YearlyMoment
    }

    /// - Parameter seconds: since 1970.
    func offset(at seconds: Int64) -> Int {
        guard let daylight else { return standard }
        let year = CivilYear(containing: floorDivide(seconds + Int64(standard), 86_400).quotient)
        let start = daylight.start.localSeconds(in: year) - Int64(standard)
        let end = daylight.end.localSeconds(in: year) - Int64(daylight.offset)
        let isDaylight = start < end ? start <= seconds && seconds < end : seconds < end || start <= seconds
        return isDaylight ? daylight.offset : standard
    }
}

/// A day of each year, and a time of it.
struct YearlyMoment: Sendable, Hashable {
    enum Day: Sendable, Hashable {
        /// `J60`: 1 to 365, 29 February never counted.
        case withoutLeapDay(Int)
        /// `59`: 0 to 365.
        case ofYear(Int)
        /// `M3.5.0`: the last Sunday of March; weekday 0 is Sunday.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    let day: Day
    /// Seconds after its midnight; also of another day.
    let time: Int

    /// Seconds since 1970 as if the clock showed UTC.
    func localSeconds(in year: CivilYear) -> Int64 { day(in: year) * 86_400 + Int64(time) }

    private func day(in year: CivilYear) -> Int64 {
        switch day {
        case .withoutLeapDay(let number):
            return year.firstDay + Int64(number - 1) + (year.isLeap && number >= 60 ? 1 : 0)
        case .ofYear(let number):
            return year.firstDay + Int64(number)
        case .weekday(let month, let week, let weekday):
            let first = year.firstDay(ofMonth: month)
            // Sundays are 0 here.
            let weekdayOfFirst = (ClockTime.weekday(ofDay: first) + 1) % 7
            var day = first + Int64((weekday - weekdayOfFirst + 7) % 7 + 7 * (week - 1))
            while day >= first + Int64(year.length(ofMonth: month)) { day -= 7 }
            return day
        }
    }
}

/// A year of the Gregorian calendar.
struct CivilYear {
    private static let daysIn400Years: Int64 = 146_097

    /// Days since 1970-01-01 of the first of January.
    let firstDay: Int64
    let isLeap: Bool

    /// - Parameter day: days since 1970-01-01.
    init(containing day: Int64) {
        // Whole years cannot be off by more than one, because a year has 365.2425 days on average.
        var year = 1970 + floorDivide(day * 400, Self.daysIn400Years).quotient
        while Self.firstDay(of: year) > day { year -= 1 }
        while Self.firstDay(of: year + 1) <= day { year += 1 }
        firstDay = Self.firstDay(of: year)
        isLeap = Self.firstDay(of: year + 1) - firstDay == 366
    }

    private static func firstDay(of year: Int64) -> Int64 {
        let before = year - 1
        let leapDays =
            floorDivide(before, 4).quotient - floorDivide(before, 100).quotient
            + floorDivide(before, 400).quotient
        // 477 leap days and 1970 years came before 1970.
        return (year - 1970) * 365 + leapDays - 477
    }

    func length(ofMonth month: Int) -> Int {
        [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    func firstDay(ofMonth month: Int) -> Int64 {
        (1..<month).reduce(firstDay) { $0 + Int64(length(ofMonth: $1)) }
    }
}
