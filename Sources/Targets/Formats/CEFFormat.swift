import Events
import JSON

/// Common Event Format (ArcSight, Implementing CEF): `CEF:0|vendor|product|version|class|name|severity|extension`.
package struct CEFFormat: EventFormat {
    package let name = "cef"
    package let lineOpening = CEFMapping.opening

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let places = EventPlaces(outgoing.event)
        var line = PairLine<CEFSyntax>(header: CEFMapping.header(of: places))
        line.add(CEFMapping.rules, places, outgoing, options)
        guard let limit = options.limit else { return line.bytes }
        return try line.shortened(to: limit)
    }
}

/// What CEF is told of an event.
enum CEFMapping {
    /// Up to the version, which is that of this mapping.
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
        PairRule("src", .field(.deviceIP)),
        PairRule("smac", .field(.deviceMAC)),
        PairRule("shost", .field(.deviceHostname)),
        PairRule("cs1", .field(.groupName), label: "Visitor group"),
        PairRule("cs2", .field(.siteID), label: "Site id"),
        PairRule("cs3", .field(.siteName), label: "Site name"),
        PairRule("cs4", .field(.hostName), label: "Host"),
        PairRule("cs5", .field(.source), label: "Source"),
        PairRule("cs6", .routes, label: "Routes"),
        PairRule("cn1", .attempts, label: "Attempts"),
    ]

    /// Class, name and severity.
    static func header(of places: EventPlaces) -> [UInt8] {
        if places.type != nil { return headers[places.kind.index] }
        return header(classID: places.typeName.flatMap(places.tape.text) ?? "", CanonicalType.other.description)
    }

    private static let headers = TypeWords.all.map { header(classID: $0.type.rawValue, $0.description) }

    private static func header(classID: String, _ description: EventDescription) -> [UInt8] {
        var line = Array(opening.utf8)
        line.append(contentsOf: classID.utf8.filter(isClassByte).prefix(64))
        line.append(UInt8(ascii: "|"))
        CEFText.appendHeader(description.name.utf8, to: &line)
        line.append(contentsOf: "|\(description.grade.cefSeverity)|".utf8)
        return line
    }

    /// What is not a letter, a digit, `.`, `_` or `-` is left out.
    private static func isClassByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
