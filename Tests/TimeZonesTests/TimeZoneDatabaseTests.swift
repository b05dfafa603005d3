import Foundation
import Testing

@testable import TimeZones

@Suite("The time zone database")
struct TimeZoneDatabaseTests {
    @Test(
        "a name never leads out of the database",
        arguments: [
            "", "/etc/passwd", "../zoneinfo/UTC", "Europe/../UTC", "Europe//London", "Europe/London/", "Europe",
            "Europe/London\0", "zone.tab", "Öst/Berlin", String(repeating: "a", count: 65), "Mars/Olympus",
        ])
    func names(_ name: String) {
        #expect(TimeZoneDatabase.system.zone(name) == nil)
    }

    @Test("every zone it lists can be read")
    func all() {
        let names = TimeZoneDatabase.system.names()
        #expect(names.count > 400)
        for name in names { #expect(TimeZoneDatabase.system.zone(name) != nil, "\(name)") }
    }

    @Test("without a database there is UTC and nothing else")
    func missing() {
        let database = TimeZoneDatabase(folder: "/nonexistent")
        #expect(database.zone("UTC") == .utc)
        #expect(database.zone("Europe/London") == nil)
        #expect(database.names().isEmpty)
    }

    @Test("a damaged file is no zone, however it is cut or changed")
    func damaged() throws {
        let whole = [UInt8](try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/London")))
        #expect(ZoneRules(tzif: whole) != nil)
        for count in 0..<whole.count { #expect(ZoneRules(tzif: Array(whole[..<count])) == nil, "\(count) bytes") }
        for place in 0..<whole.count {
            var changed = whole
            changed[place] ^= 0xFF
            // Some changes give another zone; none may end the process.
            _ = ZoneRules(tzif: changed)?.offset(at: 1_700_000_000)
        }
    }

    @Test("what senders name does not fill the memory, and the zones stay known")
    func bounded() {
        let database = TimeZoneDatabase(folder: "/usr/share/zoneinfo")
        for number in 0..<5000 { #expect(database.zone("Nowhere/N\(number)") == nil) }
        #expect(database.zone("Europe/London") != nil)
    }
}
