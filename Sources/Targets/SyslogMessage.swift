import Events

/// The fixed part of a target's syslog messages (RFC 5424, section 6).
struct SyslogHeader: Sendable, Hashable {
    /// 0 to 23.
    var facility: Int
    /// Visible ASCII, at most 255 characters; `-` when not known.
    let hostname: String

    init(facility: Int, hostname: String) {
        self.facility = facility
        self.hostname = Self.printable(hostname, limit: 255)
    }

    /// `<PRI>1 TIMESTAMP HOSTNAME gatehouse - MSGID - `, up to the message.
    func append(for event: EventView, to message: inout [UInt8]) {
        let type = event.type
        let priority = facility * 8 + EventDescription(type: type).grade.syslogSeverity
        message.append(contentsOf: "<\(priority)>1 ".utf8)
        if let time = event.time { time.append(to: &message) } else { message.append(UInt8(ascii: "-")) }
        message.append(UInt8(ascii: " "))
        message.append(contentsOf: hostname.utf8)
        message.append(contentsOf: " gatehouse - ".utf8)
        message.append(contentsOf: Self.printable(type, limit: 32).utf8)
        message.append(contentsOf: " - ".utf8)
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

/// How messages are told apart on a stream (RFC 6587, section 3.4).
enum SyslogFraming: String, CaseIterable, Sendable {
    /// `LENGTH SP MESSAGE`; also that of TLS (RFC 5425, section 4.3).
    case octetCounting = "octet-counting"
    /// A line feed after each; formats write one line, so none stands inside.
    case newline

    func frame(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .octetCounting:
            var framed = Array("\(message.count) ".utf8)
            framed.append(contentsOf: message)
            return framed
        case .newline:
            return message + [UInt8(ascii: "\n")]
        }
    }
}

/// Writes events as syslog messages; depends on nothing but its own values.
struct SyslogRenderer: Sendable {
    let header: SyslogHeader
    let format: any EventFormat
    /// Of a whole message, before framing.
    let maximumBytes: Int
    /// Nil for datagrams, which need none.
    let framing: SyslogFraming?

    func render(_ outgoing: OutgoingEvent) throws(RenderingError) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(1024)
        header.append(for: outgoing.event, to: &message)
        let options = RenderingOptions(
            policy: ContentPolicy(includesOriginal: false, includesBiometrics: false), hostname: header.hostname,
            limit: maximumBytes - message.count)
        message.append(contentsOf: try format.render(outgoing, options))
        return framing?.frame(message) ?? message
    }
}
