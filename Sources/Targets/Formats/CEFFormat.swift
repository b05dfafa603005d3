import Events

/// Common Event Format (ArcSight, Implementing CEF): `CEF:0|vendor|product|version|class|name|severity|extension`.
package struct CEFFormat: EventFormat {
    package let name = "cef"
    package let lineOpening = CEFMapping.opening

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        try CEFMapping.render(outgoing, options)
    }
}

/// What CEF is told of an event.
enum CEFMapping: PairMapping {
    typealias Syntax = CEFSyntax

    static let opening = "CEF:0|Gatehouse|Gatehouse|1|"

    static let rules: [PairRule] = [
        PairRule("rt", .timeMilliseconds),
        PairRule("act", .action),
        PairRule("outcome", .outcome),
        PairRule("reason", .reason),
        PairRule("cat", .category),
        PairRule("externalId", .eventID),
        PairRule("msg", .message),
        PairRule("suser", .field(.visitorName, or: .actorName)),
        PairRule("suid", .field(.visitorID, or: .actorID)),
        PairRule("duser", .field(.hostEmail, or: .hostName)),
        PairRule("dvchost", .hostname),
        PairRule("deviceExternalId", .field(.deviceID)),
        PairRule("src", .ipv4Address(.deviceIP)),
        PairRule("c6a2", .ipv6Address(.deviceIP), label: "Source IPv6 Address"),
        PairRule("smac", .hardwareAddress(.deviceMAC)),
        PairRule("shost", .field(.deviceHostname)),
        PairRule("cs1", .field(.groupName), label: "Visitor group"),
        PairRule("cs2", .field(.siteID), label: "Site id"),
        PairRule("cs3", .field(.siteName), label: "Site name"),
        PairRule("cs4", .field(.hostName), label: "Host"),
        PairRule("cs5", .field(.source), label: "Source"),
        PairRule("cs6", .routes, label: "Routes"),
        PairRule("cn1", .attempts, label: "Attempts"),
    ]

    static let headers = headersOfTypes

    /// Class, name and severity.
    static func header(_ type: [UInt8], _ description: EventDescription) -> [UInt8] {
        var line = Array(opening.utf8) + type
        line.append(UInt8(ascii: "|"))
        CEFText.appendHeader(description.name.utf8, to: &line)
        line.append(contentsOf: "|\(description.grade.cefSeverity)|".utf8)
        return line
    }
}
