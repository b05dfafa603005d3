import Events

/// The form of a message's header.
enum SyslogHeaderStyle: String, CaseIterable, Sendable {
    case rfc5424
    /// The one of BSD, for receivers that know no other: without year, zone and structured data.
    case rfc3164
}

/// What stands before the message and its structured data.
struct SyslogHeader: Sendable, Hashable {
    var style = SyslogHeaderStyle.rfc5424
    /// 0 to 23.
    var facility: Int
    /// Visible ASCII, at most 255 characters; `-` when not known.
    let hostname: String

    /// APP-NAME, and the tag of RFC 3164.
    static let application = "gatehouse"

    init(style: SyslogHeaderStyle = .rfc5424, facility: Int, hostname: String) {
        self.style = style
        self.facility = facility
        self.hostname = Self.printable(hostname, limit: 255)
    }

    /// `<PRI>1 TIMESTAMP HOSTNAME gatehouse - MSGID `, or `<PRI>Mmm dd hh:mm:ss HOSTNAME gatehouse: `.
    func append(for event: EventView, to message: inout [UInt8]) {
        let type = event.type
        let priority = facility * 8 + EventDescription(type: type).grade.syslogSeverity
        switch style {
        case .rfc5424:
            message.append(contentsOf: "<\(priority)>1 ".utf8)
            if let time = event.time { time.append(to: &message) } else { message.append(UInt8(ascii: "-")) }
            message.append(UInt8(ascii: " "))
            message.append(contentsOf: hostname.utf8)
            message.append(contentsOf: " \(Self.application) - ".utf8)
            message.append(contentsOf: Self.printable(type, limit: 32).utf8)
            message.append(UInt8(ascii: " "))
        case .rfc3164:
            message.append(contentsOf: "<\(priority)>".utf8)
            message.append(contentsOf: Self.legacyTime(event.time ?? .now()))
            message.append(contentsOf: " \(hostname) \(Self.application): ".utf8)
        }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Mmm dd hh:mm:ss` in UTC, the day with a space in the place of a leading zero (RFC 3164, section 4.1.2).
    private static func legacyTime(_ time: Timestamp) -> [UInt8] {
        let text = Array(time.text.utf8)
        let month = Int(text[5] - 0x30) * 10 + Int(text[6] - 0x30)
        var result = Array("\(months[month - 1]) ".utf8)
        result.append(text[8] == UInt8(ascii: "0") ? UInt8(ascii: " ") : text[8])
        result.append(text[9])
        result.append(UInt8(ascii: " "))
        result.append(contentsOf: text[11..<19])
        return result
    }

    /// PRINTUSASCII: what is not visible ASCII is left out.
    static func printable(_ text: String, limit: Int) -> String {
        let visible = text.utf8.lazy.filter { 0x21...0x7E ~= $0 }.prefix(limit)
        return visible.isEmpty ? "-" : String(decoding: Array(visible), as: UTF8.self)
    }
}

/// RFC 5424, section 6.2.1.
enum SyslogFacility {
    private static let names = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]

    static let local4 = 20
    static let all = names

    /// By name or number.
    static func number(_ text: String) -> Int? {
        names.firstIndex(of: text) ?? names.indices.first { String($0) == text }
    }
}
