import Events
import JSON

/// Log Event Extended Format 2.0 (IBM QRadar): `LEEF:2.0|vendor|product|version|event|delimiter|key=value^key=value`.
package struct LEEFFormat: EventFormat {
    package let name = "leef"
    package let lineOpening = LEEFMapping.opening

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let places = EventPlaces(outgoing.event)
        var line = PairLine<LEEFSyntax>(header: LEEFMapping.header(of: places))
        line.add(LEEFMapping.rules, places, outgoing, options)
        guard let limit = options.limit else { return line.bytes }
        return try line.shortened(to: limit)
    }
}

/// What LEEF is told of an event. The keys up to `srcMAC` are LEEF's own, the others ours.
enum LEEFMapping {
    /// Up to the version, which is that of this mapping.
    static let opening = "LEEF:2.0|Gatehouse|Gatehouse|1|"

    static let rules: [PairRule] = [
        PairRule("devTime", .timeWithOffset),
        PairRule("devTimeFormat", .word("yyyy-MM-dd'T'HH:mm:ss.SSSZ")),
        PairRule("cat", .category),
        PairRule("sev", .severity),
        PairRule("usrName", .field(.visitorName, or: .actorName)),
        PairRule("src", .field(.deviceIP)),
        PairRule("srcMAC", .field(.deviceMAC)),
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

    /// The event's id is its type; the delimiter is one that rsyslog does not rewrite, as it does a tab.
    static func header(of places: EventPlaces) -> [UInt8] {
        if places.type != nil { return headers[places.kind.index] }
        return header(eventID: places.typeName.flatMap(places.tape.text) ?? "")
    }

    private static let headers = TypeWords.all.map { header(eventID: $0.type.rawValue) }

    private static func header(eventID: String) -> [UInt8] {
        let isHarmless: (UInt8) -> Bool = { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "|") && $0 != LEEFSyntax.separator }
        return Array(opening.utf8) + eventID.utf8.filter(isHarmless).prefix(64) + Array("|^|".utf8)
    }
}
