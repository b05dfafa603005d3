import Events
import HTTPClient
import HTTPTypes

/// Dates of HTTP header fields (RFC 9110, section 5.6.7), in all three forms a recipient must take.
enum HTTPDate {
    /// Seconds since 1970; nil for anything that is not such a date.
    /// - Parameter now: decides the century of a two-digit year.
    static func seconds(_ text: String, now: Timestamp) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        let parts: (day: String, month: String, year: String, time: String)
        switch words.count {
        case 6 where words[5] == "GMT": parts = (words[1], words[2], words[3], words[4])
        case 5: parts = (words[2], words[1], words[4], words[3])
        default: return nil
        }
        guard let month = months.firstIndex(of: parts.month), parts.day.utf8.count <= 2,
            let day = number(parts.day), let year = year(parts.year, now)
        else { return nil }
        // The two-digit form is the one whose parts are joined by hyphens.
        guard (parts.year.utf8.count == 2) == text.contains("-") else { return nil }
        let date = "\(padded(year, 4))-\(padded(month + 1, 2))-\(padded(day, 2))T\(parts.time)Z"
        return Timestamp(date).map { $0.milliseconds / 1000 }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A two-digit year that seems more than 50 years ahead is of the past century.
    private static func year(_ text: String, _ now: Timestamp) -> Int? {
        guard let value = number(text) else { return nil }
        if text.utf8.count == 4 { return value }
        guard text.utf8.count == 2, let thisYear = Int(now.text.prefix(4)) else { return nil }
        let candidate = thisYear / 100 * 100 + value
        return candidate > thisYear + 50 ? candidate - 100 : candidate
    }

    private static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int(text) : nil
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): how long a receiver asks to be left alone.
enum RetryAfter {
    /// A receiver cannot silence a target for longer.
    static let maximum = Duration.seconds(3600)

    static func delay(_ answer: HTTPClientResponse, now: Timestamp) -> Duration? {
        let headers = answer.headers
        return delay(headers["Retry-After"], date: headers["Date"], now: now)
    }

    /// - Parameters:
    ///   - date: the answer's own `Date`, which a receiver's wrong clock shifts just as much; nil: `now` stands in.
    static func delay(_ value: String?, date: String?, now: Timestamp) -> Duration? {
        guard let value = value?.drop(while: { $0 == " " }), !value.isEmpty else { return nil }
        if value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            return min(Int64(value).map { .seconds($0) } ?? maximum, maximum)
        }
        guard let until = HTTPDate.seconds(String(value), now: now) else { return nil }
        let base = date.flatMap { HTTPDate.seconds($0, now: now) } ?? now.milliseconds / 1000
        return min(max(.seconds(until - base), .zero), maximum)
    }
}
