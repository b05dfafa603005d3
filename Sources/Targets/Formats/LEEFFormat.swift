import Events

/// Log Event Extended Format 2.0 (IBM QRadar): `LEEF:2.0|vendor|product|version|event|delimiter|key=value^key=value`.
package struct LEEFFormat: EventFormat {
    package let name = "leef"
    package let lineOpening = LEEFMapping.opening

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        try LEEFMapping.render(outgoing, options)
    }
}

/// What LEEF is told of an event. The keys up to `srcMAC` are LEEF's own, the others ours.
enum LEEFMapping: PairMapping {
    typealias Syntax = LEEFSyntax

    static let opening = "LEEF:2.0|Gatehouse|Gatehouse|1|"

    static let rules: [PairRule] = [
        PairRule("devTime", .timeWithOffset),
        PairRule("devTimeFormat", .word("yyyy-MM-dd'T'HH:mm:ss.SSSZ")),
        PairRule("cat", .category),
        PairRule("sev", .severity),
        PairRule("usrName", .field(.visitorName, or: .actorName)),
        PairRule("src", .address(.deviceIP)),
        PairRule("srcMAC", .hardwareAddress(.deviceMAC)),
        PairRule("action", .action),
        PairRule("outcome", .outcome),
        PairRule("reason", .reason),
        PairRule("externalId", .eventID),
        PairRule("msg", .message),
        PairRule("usrId", .field(.visitorID, or: .actorID)),
        PairRule("visitorGroup", .field(.groupName)),
        PairRule("hostName", .field(.hostName)),
        PairRule("hostEmail", .field(.hostEmail)),
        PairRule("siteId", .field(.siteID)),
        PairRule("siteName", .field(.siteName)),
        PairRule("deviceId", .field(.deviceID)),
        PairRule("deviceHostName", .field(.deviceHostname)),
        PairRule("source", .field(.source)),
        PairRule("routes", .routes),
        PairRule("attempts", .attempts),
    ]

    static let headers = headersOfTypes

    /// LEEF's id of an event is its type; the delimiter is one that rsyslog does not rewrite, as it does a tab.
    static func header(_ type: [UInt8], _ description: EventDescription) -> [UInt8] {
        Array(opening.utf8) + type + Array("|^|".utf8)
    }
}
