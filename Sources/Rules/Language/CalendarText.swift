internal import YAML

extension RuleCalendar {
    /// One text for calendars that mean the same; the name is no part of it.
    var canonicalText: String {
        let flags = days.map { $0 ? "1" : "0" }.joined()
        let time = hours.map { "\($0.from)-\($0.to)" } ?? "whole"
        let free = holidays.sorted().map { "\($0)" }.joined(separator: ",")
        return "{\(flags) \(time) [\(free)] \(zone ?? "site")}"
    }

    /// `office-hours`, `mon-fri 08:00 to 18:00`, with the zone where the rule gives one.
    var phrase: String {
        var text = name.map { displayable($0) } ?? spelled
        if let zone { text += " in \(displayable(zone))" }
        return text
    }

    private var spelled: String {
        var parts: [String] = []
        if !days.allSatisfy({ $0 }) || hours == nil { parts.append(dayText) }
        if let hours { parts.append("\(Self.clock(hours.from)) to \(Self.clock(hours.to))") }
        let text = parts.joined(separator: " ")
        return holidays.isEmpty ? text : "\(text) (\(holidays.count) holiday\(holidays.count == 1 ? "" : "s") left out)"
    }

    /// The days as ranges: `mon-fri`, `mon, wed`.
    private var dayText: String {
        if days.allSatisfy({ $0 }) { return "every day" }
        var runs: [String] = []
        var day = 0
        while day < days.count {
            guard days[day] else {
                day += 1
                continue
            }
            let first = day
            while day + 1 < days.count, days[day + 1] { day += 1 }
            let names = RuleCalendar.dayNames
            runs.append(
                day == first
                    ? names[first]
                    : day == first + 1 ? "\(names[first]), \(names[day])" : "\(names[first])-\(names[day])")
            day += 1
        }
        return runs.joined(separator: ", ")
    }

    /// As the rules write them, Monday first.
    static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private static func clock(_ minutes: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
