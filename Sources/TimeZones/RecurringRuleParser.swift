extension RecurringRule {
    /// Nil for what is no such text.
    init?(_ text: ArraySlice<UInt8>) {
        var parser = RecurringRuleParser(rest: text)
        guard parser.name(), let west = parser.time(most: 24) else { return nil }
        standard = -west
        guard !parser.isAtEnd else {
            daylight = nil
            return
        }
        guard parser.name() else { return nil }
        var offset = standard + 3600
        if parser.next != UInt8(ascii: ",") {
            guard let west = parser.time(most: 24) else { return nil }
            offset = -west
        }
        guard parser.take(","), let start = parser.moment(), parser.take(","), let end = parser.moment(), parser.isAtEnd
        else { return nil }
        daylight = Daylight(offset: offset, start: start, end: end)
    }
}

private struct RecurringRuleParser {
    var rest: ArraySlice<UInt8>

    var next: UInt8? { rest.first }
    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// `GMT`, `<+0330>`.
    mutating func name() -> Bool {
        if take("<") {
            let name = rest.prefix { $0 != UInt8(ascii: ">") }
            rest = rest.dropFirst(name.count)
            return name.count >= 3 && take(">")
        }
        let name = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(most hours: Int) -> Int? {
        let sign = take("-") ? -1 : 1
        if sign == 1 { _ = take("+") }
        guard var seconds = number(0...hours).map({ $0 * 3600 }) else { return nil }
        for scale in [60, 1] where take(":") {
            guard let part = number(0...59) else { return nil }
            seconds += part * scale
        }
        return sign * seconds
    }

    mutating func moment() -> YearlyMoment? {
        guard let day = day() else { return nil }
        guard take("/") else { return YearlyMoment(day: day, time: 2 * 3600) }
        return time(most: 167).map { YearlyMoment(day: day, time: $0) }
    }

    private mutating func day() -> YearlyMoment.Day? {
        if take("J") { return number(1...365).map { .withoutLeapDay($0) } }
        guard take("M") else { return number(0...365).map { .ofYear($0) } }
        guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...3).contains(digits.count), let value = Int(String(decoding: digits, as: UTF8.self)),
            range.contains(value)
        else { return nil }
        rest = rest.dropFirst(digits.count)
        return value
    }
}
