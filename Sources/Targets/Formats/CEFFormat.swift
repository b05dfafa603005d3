import Events
import JSON

/// Common Event Format (ArcSight, Implementing CEF): `CEF:0|vendor|product|version|class|name|severity|extension`.
///
/// The version is that of this mapping.
package struct CEFFormat: EventFormat {
    package let name = "cef"
    package let lineOpening = "CEF:0|Gatehouse|Gatehouse|1|"

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let type = outgoing.event.type
        let description = EventDescription(type: type)
        var line = Array(lineOpening.utf8)
        line.append(contentsOf: Self.classID(type).utf8)
        line.append(UInt8(ascii: "|"))
        CEFText.appendHeader(description.name, to: &line)
        line.append(contentsOf: "|\(description.grade.cefSeverity)|".utf8)

        var fields = Self.fields(outgoing, description, options)
        if let limit = options.limit { try fields.shorten(to: limit - line.count) }
        fields.append(to: &line)
        return line
    }

    private static func fields(
        _ outgoing: OutgoingEvent, _ description: EventDescription, _ options: RenderingOptions
    ) -> CEFFields {
        let event = outgoing.event
        var fields = CEFFields()
        fields.add("rt", event.time.map { String($0.milliseconds) })
        fields.add("act", description.action)
        fields.add("outcome", event.text(.decisionOutcome) ?? description.outcome)
        fields.add("reason", event.text(.decisionReason) ?? rejectionReasons(event) ?? event.text(.systemReason))
        fields.add("cat", event.type.prefix { $0 != "." })
        fields.add("externalId", event.attribute("id"))
        fields.add("msg", event.text(.decisionMessage) ?? concerned(event) ?? vendorsName(event))
        fields.add("suser", event.text(.visitorName) ?? event.text(.actorName))
        fields.add("suid", event.text(.visitorID) ?? event.text(.actorID))
        fields.add("duser", event.text(.hostEmail) ?? event.text(.hostName))
        fields.add("dvchost", options.hostname)
        fields.add("deviceExternalId", event.text(.deviceID))
        fields.add("src", event.text(.deviceIP))
        fields.add("smac", event.text(.deviceMAC))
        fields.add("shost", event.text(.deviceHostname))
        fields.add("cs1", event.text(.groupName), label: "Visitor group")
        fields.add("cs2", event.text(.siteID), label: "Site id")
        fields.add("cs3", event.text(.siteName), label: "Site name")
        fields.add("cs4", event.text(.hostName), label: "Host")
        fields.add("cs5", event.text(.source), label: "Source")
        fields.add("cs6", outgoing.routes.joined(separator: ","), label: "Routes")
        fields.add("cn1", number(event), label: "Attempts")
        return fields
    }

    /// The class id: what is not a letter, a digit, `.`, `_` or `-` is left out.
    private static func classID(_ type: String) -> String {
        String(decoding: type.utf8.filter(isClassByte).prefix(64), as: UTF8.self)
    }

    private static func isClassByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// What the sender itself calls the event, which is all there is to know of one of type `other`.
    private static func vendorsName(_ event: EventView) -> String? {
        guard let name = event.text(.vendorEvent) else { return nil }
        return event.text(.vendor).map { "\($0) \(name)" } ?? name
    }

    /// What an event of Gatehouse's own is about.
    private static func concerned(_ event: EventView) -> String? {
        if let target = event.text(.systemTarget) { return "target \(target)" }
        if let source = event.text(.systemSource) { return "source \(source)" }
        return event.text(.systemTeam).map { "team \($0)" }
    }

    private static func rejectionReasons(_ event: EventView) -> String? {
        guard let reasons = event.value(.visitReasons) else { return nil }
        let texts = event.tape.elements(reasons).compactMap { entry in
            (event.tape.member(entry, "reason") ?? event.tape.member(entry, "name")).flatMap(event.tape.scalarText)
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }

    /// CEF's custom numbers are whole and signed, 64 bits wide.
    private static func number(_ event: EventView) -> String? {
        guard let place = event.value(.invitationAttempts) ?? event.value(.faceAttempts) else { return nil }
        return event.tape.integer(place).map { String($0) }
    }
}
