internal import Events
internal import TimeZones

/// The time zones in which calendars are read.
struct EventZones: Sendable {
    private let zonesOfSources: [String: ZoneRules]
    private let database: TimeZoneDatabase

    /// - Parameter sourceZones: the `timezone:` of each source that has one, by the source's name.
    init(_ sourceZones: [String: String] = [:], database: TimeZoneDatabase = .system) {
        self.database = database
        zonesOfSources = sourceZones.compactMapValues { database.zone($0) }
    }

    /// Nil where this machine's database has no such zone.
    func zone(named name: String) -> ZoneRules? { database.zone(name) }

    /// The site's, where the database knows it, else the source's; nil: not known, so that no calendar can be asked.
    func zone(of event: EventView) -> ZoneRules? {
        if let name = event.text(.siteTimezone), let zone = database.zone(name) { return zone }
        return event.text(.source).flatMap { zonesOfSources[$0] }
    }

    /// The calendar's own, else the event's.
    func zone(of calendar: RuleCalendar, for event: EventView) -> ZoneRules? {
        calendar.zone.map { database.zone($0) } ?? zone(of: event)
    }
}
