import Events
import Testing
import TimeZones

@testable import Rules

@Suite("Calendars")
struct CalendarTests {
    private func calendar(
        days: [Int] = Array(0..<7), _ from: Int? = nil, _ to: Int? = nil, holidays: [String] = []
    ) throws -> RuleCalendar {
        let free = try holidays.map { day in
            Int32(try #require(Timestamp(day + "T00:00:00Z")).milliseconds / 86_400_000)
        }
        let hours = from.flatMap { from in to.map { RuleCalendar.Hours(from: from * 60, to: $0 * 60) } }
        return RuleCalendar(
            name: nil, days: (0..<7).map { days.contains($0) }, hours: hours, holidays: Set(free), zone: nil)
    }

    private func contains(_ calendar: RuleCalendar, _ time: String, _ zone: String) throws -> Bool {
        let rules = try #require(TimeZoneDatabase.system.zone(zone))
        return calendar.contains(rules.clock(at: try #require(Timestamp(time)).milliseconds))
    }

    @Test(
        "where summer time begins, the missing hour is nobody's",
        arguments: [("00:59:59.999Z", true, false), ("01:00:00Z", false, true), ("01:59:59Z", false, true)])
    func gap(_ time: String, _ before: Bool, _ after: Bool) throws {
        // London, 31 March 2024: 00:59:59 GMT is followed by 02:00:00 BST.
        #expect(try contains(calendar(0, 2), "2024-03-31T\(time)", "Europe/London") == before)
        #expect(try contains(calendar(2, 4), "2024-03-31T\(time)", "Europe/London") == after)
        #expect(try !contains(calendar(1, 2), "2024-03-31T\(time)", "Europe/London"))
    }

    @Test("where summer time ends, the hour that comes twice counts both times")
    func overlap() throws {
        // London, 27 October 2024: 01:00 to 02:00 is shown at 00:00Z and again at 01:00Z.
        for time in ["00:00:00Z", "00:59:59Z", "01:00:00Z", "01:59:59Z"] {
            #expect(try contains(calendar(1, 2), "2024-10-27T\(time)", "Europe/London"), "\(time)")
        }
        #expect(try !contains(calendar(1, 2), "2024-10-26T23:59:59Z", "Europe/London"))
        #expect(try !contains(calendar(1, 2), "2024-10-27T02:00:00Z", "Europe/London"))
        // A night with 25 hours around it is one night.
        for time in ["2024-10-26T21:00:00Z", "2024-10-27T00:30:00Z", "2024-10-27T05:59:59Z"] {
            #expect(try contains(calendar(days: [5], 22, 6), time, "Europe/London"), "\(time)")
        }
        #expect(try !contains(calendar(days: [5], 22, 6), "2024-10-27T06:00:00Z", "Europe/London"))
    }

    @Test("a day that a zone left out is nobody's, and those beside it are whole")
    func missingDay() throws {
        let thursday = try calendar(days: [3])
        let friday = try calendar(days: [4])
        let saturday = try calendar(days: [5])
        #expect(try contains(thursday, "2011-12-30T09:59:59Z", "Pacific/Apia"))
        #expect(try contains(saturday, "2011-12-30T10:00:00Z", "Pacific/Apia"))
        #expect(try !contains(friday, "2011-12-30T09:59:59Z", "Pacific/Apia"))
        #expect(try !contains(friday, "2011-12-30T10:00:00Z", "Pacific/Apia"))
    }

    @Test("a holiday takes away the day it is and the night that begins on it, not the night that ends on it")
    func holidays() throws {
        let days = try calendar(days: [0, 1, 2, 3, 4], holidays: ["2024-12-25"])
        #expect(try !contains(days, "2024-12-25T12:00:00Z", "UTC"))
        #expect(try contains(days, "2024-12-26T12:00:00Z", "UTC"))
        let nights = try calendar(22, 6, holidays: ["2024-12-25"])
        #expect(try contains(nights, "2024-12-25T05:00:00Z", "UTC"))
        #expect(try !contains(nights, "2024-12-25T23:00:00Z", "UTC"))
        #expect(try !contains(nights, "2024-12-26T05:00:00Z", "UTC"))
        #expect(try contains(nights, "2024-12-26T23:00:00Z", "UTC"))
    }

    @Test("a day is that of the zone")
    func dayOfZone() throws {
        let monday = try calendar(days: [0])
        #expect(try contains(monday, "2024-07-28T15:00:00Z", "Asia/Tokyo"))
        #expect(try !contains(monday, "2024-07-28T14:59:59Z", "Asia/Tokyo"))
        #expect(try contains(monday, "2024-07-30T03:59:59Z", "America/New_York"))
    }

    @Test("a zone that is given and not known is never replaced by another")
    func unknownZone() throws {
        let event = try event(#"{"site":{"timezone":"Europe/London"}}"#, time: "2024-07-30T12:00:00Z")
        let zones = EventZones(database: TimeZoneDatabase(folder: "/nonexistent"))
        var calendar = try calendar(days: [1])
        #expect(zones.zone(of: calendar, for: event) == nil)
        calendar.zone = "UTC"
        #expect(zones.zone(of: calendar, for: event) == .utc)
        calendar.zone = "Europe/London"
        #expect(EventZones().zone(of: calendar, for: event) != nil)
        calendar.zone = "Middle/Earth"
        #expect(EventZones().zone(of: calendar, for: event) == nil)
    }
}
