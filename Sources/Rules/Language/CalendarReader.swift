internal import Events
internal import TimeZones
internal import YAML

/// Reads a calendar: `{days, from, to, holidays, zone}`.
enum CalendarReader {
    static let keys = ["days", "from", "to", "holidays", "zone"]
    private static let mostHolidays = 10_000
    private static let minutesOfDay = 24 * 60

    static func read(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RuleCalendar? {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "a calendar", &found) else { return nil }
        var calendar = RuleCalendar(
            name: nil, days: Array(repeating: true, count: 7), hours: nil, holidays: [], zone: nil)
        if let days = reader.optional("days") { calendar.days = self.days(days, &found) }
        calendar.hours = hours(reader.entry("from"), reader.entry("to"), &found)
        if let holidays = reader.optional("holidays") { calendar.holidays = self.holidays(holidays, &found) }
        if let zone = reader.optional("zone") { calendar.zone = self.zone(zone, &found) }
        reader.finish(&found)
        if node.entries?.isEmpty ?? false {
            found.error(at: node.location, "the calendar is empty; write its days, or from and to")
        }
        return found.hasErrors ? nil : calendar
    }

    // MARK: Days

    /// `mon-fri`, `[mon, wed]` or `mon-fri, sun`; seven flags, Monday first.
    private static func days(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [Bool] {
        var days = Array(repeating: false, count: 7)
        let elements = node.list(&diagnostics)
        if elements.isEmpty, node.elements != nil {
            diagnostics.error(at: node.location, "`days:` names no day; remove it for every day")
        }
        for element in elements {
            guard let text = element.name(&diagnostics) else { continue }
            for part in text.split(separator: ",") {
                let words = part.split(separator: "-", omittingEmptySubsequences: false).map { trimmed($0) }
                guard words.count <= 2, let first = day(words[0]), let last = day(words[words.count - 1]) else {
                    reportDays(element, trimmed(part), &diagnostics)
                    continue
                }
                // A range goes on over the end of the week: sat-mon.
                for offset in 0...(last - first + 7) % 7 { days[(first + offset) % 7] = true }
            }
        }
        return days
    }

    private static func day(_ word: String) -> Int? { RuleCalendar.dayNames.firstIndex(of: word) }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func reportDays(_ node: YAMLNode, _ part: String, _ diagnostics: inout Diagnostics) {
        let words = part.split(separator: "-").map { trimmed($0).lowercased() }
        let meant = words.compactMap { word in RuleCalendar.dayNames.first { word.hasPrefix($0) } }
        let isClear = !words.isEmpty && words.count <= 2 && meant.count == words.count
        diagnostics.error(
            at: node.location,
            "days are \(RuleCalendar.dayNames.joined(separator: ", ")), and ranges of them such as mon-fri, not "
                + "`\(displayable(part))`",
            didYouMean: isClear ? meant.joined(separator: "-") : nil)
    }

    // MARK: Times

    private static func hours(
        _ from: YAMLEntry?, _ to: YAMLEntry?, _ diagnostics: inout Diagnostics
    ) -> RuleCalendar.Hours? {
        guard from != nil || to != nil else { return nil }
        let start = from.flatMap { clock($0.value, &diagnostics) }
        let end = to.flatMap { clock($0.value, &diagnostics) }
        guard let from, let to else {
            let (given, missing) = from == nil ? (to, "from") : (from, "to")
            if let given {
                diagnostics.error(
                    at: given.key.location,
                    "`\(given.name):` needs `\(missing):` beside it; a day begins at \"00:00\" and ends at \"24:00\"")
            }
            return nil
        }
        guard let start, let end else { return nil }
        if start == minutesOfDay {
            diagnostics.error(at: from.value.location, "`24:00` can only end a day; write \"00:00\"")
            return nil
        }
        if start == end {
            diagnostics.error(
                at: to.value.location,
                "nothing lies between `from:` and `to:`; for the whole day remove both, or write to: \"24:00\"")
            return nil
        }
        return RuleCalendar.Hours(from: start, to: end)
    }

    /// Minutes after midnight, `00:00` to `24:00`.
    private static func clock(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Int? {
        guard let text = node.name(&diagnostics) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            (1...2).contains(part.utf8.count) && part.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int(part) : nil
        }
        let isTime =
            parts.count == 2 && numbers.count == 2 && numbers[1] < 60
            && numbers[0] * 60 + numbers[1] <= minutesOfDay
        guard isTime, parts.allSatisfy({ $0.utf8.count == 2 }) else {
            diagnostics.error(
                at: node.location, "a time of day is written 08:00, from 00:00 to 24:00, not `\(displayable(text))`",
                didYouMean: isTime ? two(numbers[0]) + ":" + two(numbers[1]) : nil)
            return nil
        }
        return numbers[0] * 60 + numbers[1]
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    // MARK: Holidays and zone

    /// Days since 1970.
    private static func holidays(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Set<Int32> {
        var days: Set<Int32> = []
        let elements = node.list(&diagnostics)
        guard elements.count <= mostHolidays else {
            diagnostics.error(at: node.location, "a calendar has at most \(mostHolidays) holidays")
            return []
        }
        for element in elements {
            guard let text = element.name(&diagnostics) else { continue }
            guard text.utf8.count == 10, let midnight = Timestamp(text + "T00:00:00Z") else {
                diagnostics.error(
                    at: element.location, "a holiday is a date such as 2024-12-25, not `\(displayable(text))`")
                continue
            }
            days.insert(Int32(truncatingIfNeeded: midnight.milliseconds / 86_400_000))
        }
        return days
    }

    /// The name of a time zone, such as Europe/London.
    static func zone(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard !node.isNull else {
            diagnostics.error(
                at: node.location, "`zone:` names no time zone; write one such as Europe/London, or remove it")
            return nil
        }
        guard let name = node.name(&diagnostics) else { return nil }
        guard TimeZoneDatabase.system.zone(name) != nil else {
            diagnostics.error(
                at: node.location, "no time zone is called `\(displayable(name))`; write one such as Europe/London",
                didYouMean: nearest(name, among: TimeZoneDatabase.system.names()))
            return nil
        }
        return name
    }
}
