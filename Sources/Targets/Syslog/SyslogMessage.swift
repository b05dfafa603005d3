import Events

/// Writes events as syslog messages; depends on nothing but its own values.
struct SyslogRenderer: Sendable {
    let header: SyslogHeader
    let structuredData: StructuredData
    let format: any EventFormat
    /// A byte order mark before the message (RFC 5424, section 6.4).
    let hasByteOrderMark: Bool
    /// Of a whole message, before framing.
    let maximumBytes: Int
    /// Nil for datagrams, which need none.
    let framing: SyslogFraming?

    func render(_ outgoing: OutgoingEvent) throws(RenderingError) -> [UInt8] {
        var message = opening(for: outgoing.event)
        let options = RenderingOptions(
            policy: ContentPolicy(includesOriginal: false, includesBiometrics: false), hostname: header.hostname,
            limit: maximumBytes - message.count)
        message.append(contentsOf: try format.render(outgoing, options))
        return framing?.frame(message) ?? message
    }

    /// What stands before the text that the format writes, and counts as the text does.
    func opening(for event: EventView) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(1024)
        header.append(for: event, to: &message)
        if header.style == .rfc5424 {
            // However long its values are, the message itself has room.
            structuredData.append(for: event, limit: maximumBytes / 4, to: &message)
            message.append(UInt8(ascii: " "))
        }
        if hasByteOrderMark { message.append(contentsOf: [0xEF, 0xBB, 0xBF]) }
        return message
    }
}

/// How messages are told apart on a stream (RFC 6587, section 3.4).
enum SyslogFraming: String, CaseIterable, Sendable {
    /// `LENGTH SP MESSAGE`; also that of TLS (RFC 5425, section 4.3).
    case octetCounting = "octet-counting"
    /// A line feed after each.
    case newline

    func frame(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .octetCounting:
            var framed = Array("\(message.count) ".utf8)
            framed.append(contentsOf: message)
            return framed
        case .newline:
            var framed = message
            // Formats write one line; whatever else stands in a message, it must not end it.
            for place in framed.indices where framed[place] == 0x0A || framed[place] == 0x0D { framed[place] = 0x20 }
            framed.append(0x0A)
            return framed
        }
    }
}
