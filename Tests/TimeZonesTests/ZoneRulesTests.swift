import Foundation
import Testing

@testable import TimeZones

@Suite("Time zones")
struct ZoneRulesTests {
    private func zone(_ name: String) throws -> ZoneRules { try #require(TimeZoneDatabase.system.zone(name)) }

    private func seconds(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }

    @Test(
        "an offset changes at the second the law says",
        arguments: [
            ("Europe/London", "2024-03-31T00:59:59Z", 0), ("Europe/London", "2024-03-31T01:00:00Z", 3600),
            ("Europe/London", "2024-10-27T00:59:59Z", 3600), ("Europe/London", "2024-10-27T01:00:00Z", 0),
            ("America/New_York", "2024-03-10T06:59:59Z", -18_000),
            ("America/New_York", "2024-03-10T07:00:00Z", -14_400),
            ("Australia/Sydney", "2024-04-06T15:59:59Z", 39_600), ("Australia/Sydney", "2024-04-06T16:00:00Z", 36_000),
            ("Australia/Lord_Howe", "2024-10-05T15:30:00Z", 39_600), ("Asia/Kolkata", "2024-07-01T00:00:00Z", 19_800),
            ("UTC", "2024-07-01T00:00:00Z", 0),
            // Samoa left out a whole day.
            ("Pacific/Apia", "2011-12-30T09:59:59Z", -36_000), ("Pacific/Apia", "2011-12-30T10:00:00Z", 50_400),
            // Beyond the transitions that are listed, the yearly rule goes on.
            ("Europe/London", "2050-07-01T12:00:00Z", 3600), ("Europe/London", "2050-12-01T12:00:00Z", 0),
            ("Australia/Sydney", "2050-12-01T12:00:00Z", 39_600), ("Australia/Sydney", "2050-07-01T12:00:00Z", 36_000),
        ])
    func transitions(_ name: String, _ time: String, _ offset: Int) throws {
        #expect(try zone(name).offset(at: try seconds(time)) == offset)
    }

    @Test(
        "every zone agrees with another reader of the same database, from 1900 to 2100",
        arguments: [
            "Europe/Paris", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "Europe/Dublin",
            "America/Nuuk", "Asia/Gaza", "Antarctica/Troll", "Pacific/Auckland", "America/St_Johns",
        ])
    func agreement(_ name: String) throws {
        let zone = try zone(name)
        let other = try #require(TimeZone(identifier: name))
        // What Foundation says of the far future differs from the database for zones that follow the moon.
        let last =
            name == "Africa/Casablanca" || name == "Asia/Gaza" ? try seconds("2037-01-01T00:00:00Z") : 4_102_444_800
        var moment = try seconds("1970-01-02T00:00:00Z")
        while moment < last {
            let expected = other.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment)))
            #expect(zone.offset(at: moment) == expected, "\(name) at \(moment)")
            moment += 12 * 3600 + 61 * 97
        }
    }

    @Test("a clock shows the local day and minute, also before 1970")
    func clock() throws {
        #expect(ZoneRules.utc.clock(at: -1) == ClockTime(day: -1, minute: 1439))
        #expect(try zone("Asia/Kolkata").clock(at: 0) == ClockTime(day: 0, minute: 330))
        #expect(try zone("America/New_York").clock(at: 0) == ClockTime(day: -1, minute: 19 * 60))
        #expect(ClockTime.weekday(ofDay: 0) == 3)
        #expect(ClockTime.weekday(ofDay: -4) == 6)
    }

    @Test(
        "a yearly rule is read as POSIX writes it",
        arguments: [
            ("<+0330>-3:30", 12_600, 12_600), ("GMT0BST,M3.5.0/1,M10.5.0", 0, 3600),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39_600, 36_000), ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 39_600, 37_800),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3600), ("XXX3<+01>-1,0/0,J365/25", 3600, 3600),
            ("EST5EDT,J60/2,J300/2", -18_000, -14_400), ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600),
        ])
    func yearly(_ text: String, _ january: Int, _ july: Int) throws {
        let rule = try #require(RecurringRule(Array(text.utf8)[...]))
        #expect(rule.offset(at: try seconds("2031-01-15T12:00:00Z")) == january)
        #expect(rule.offset(at: try seconds("2031-07-15T12:00:00Z")) == july)
    }

    @Test(
        "what is no yearly rule is refused",
        arguments: [
            "", "GM0", "GMT", "GMT0BST", "GMT0BST,M3.5.0", "GMT0BST,M13.1.0,M1.1.0", "GMT25", "GMT0 ", "<GMT0",
            "GMT0BST,M3.6.0,M10.5.0", "GMT0BST,J0,J5", "GMT0BST,M3.5.0/168,M10.5.0",
        ])
    func noRule(_ text: String) {
        #expect(RecurringRule(Array(text.utf8)[...]) == nil)
    }
}
