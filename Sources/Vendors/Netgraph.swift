package import Events
package import HTTPTypes
package import JSON

/// Netgraph Sign In, a captive portal. Posts lists of up to 20 000 events, or one event; anything but a 200 is tried
/// again after 2, 4, 8, 16 and 32 minutes. The names of its envelope's members are not published: those looked for here
/// are plausible ones, and a source's `map:` names others.
package struct Netgraph: Vendor {
    package let name = "netgraph"
    package let traits = VendorTraits(
        authentication: .headers, maximumBody: 64 << 20, batches: true,
        retryDelaysSeconds: [120, 240, 480, 960, 1920], takesAnySuccess: false)
    private let catalogue = EventCatalogue(NetgraphSamples.events)

    package init() {}

    package var events: [VendorEvent] { catalogue.events }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        func first(_ names: StaticString...) -> JSONIndex? {
            for name in names {
                if let found = tape.member(element, name) { return found }
            }
            return nil
        }
        let event = tape.first(of: settings.map.event, in: element) ?? first("type", "event", "eventType")
        let time = tape.first(of: settings.map.time, in: element) ?? first("timestamp", "time", "date", "createdAt")
        draft.setEvent(tape, element, event, catalogue, settings)
        draft.setTime(tape, element, time, settings)
        draft.dedupeKey = tape.dedupeKey([event, time], hashOf: element)

        draft.set(tape, from: first("organization"), [(.organizationID, "id"), (.organizationName, "name")])
        draft.set(tape, from: first("context"), [(.siteID, "id"), (.siteName, "name")])
        let session = first("session")
        draft.set(.sessionID, tape, tape[session, "id"] ?? first("sessionId"))
        draft.set(.sessionState, tape, tape[session, "state"])
        let device = first("device")
        draft.set(.deviceID, tape, tape[device, "id"])
        draft.set(.deviceMAC, tape, tape[device, "mac"] ?? first("mac", "macAddress"))
        draft.set(.deviceIP, tape, first("ip", "ipAddress") ?? tape[device, "ip"])
        draft.set(.deviceHostname, tape, first("hostname") ?? tape[device, "hostname"])

        if draft.type == .configurationAudited {
            let actor = first("user", "actor")
            draft.set(tape, from: actor, [(.actorID, "id"), (.actorName, "name"), (.actorEmail, "email")])
            draft.set(
                tape, from: element,
                [
                    (.changeObject, "object"), (.changeField, "field"), (.changeBefore, "before"),
                    (.changeAfter, "after"),
                ])
        } else {
            decodeVisitor(tape, first("guest", "user"), &draft)
            decodeHost(tape, first("host"), &draft)
        }
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        HTTPResponse(status: 200)
    }

    private func decodeVisitor(_ tape: JSONTape, _ person: JSONIndex?, _ draft: inout EventDraft) {
        draft.set(
            tape, from: person,
            [
                (.visitorID, "id"), (.visitorName, "name"), (.visitorFirstName, "firstName"),
                (.visitorLastName, "lastName"), (.visitorEmail, "email"), (.visitorPhone, "mobile"),
                (.visitorPhone, "phone"), (.visitorCompany, "company"),
            ])
        if draft.text(.visitorName, in: tape) == nil {
            draft.setName(.visitorName, tape, first: tape[person, "firstName"], last: tape[person, "lastName"])
        }
    }

    private func decodeHost(_ tape: JSONTape, _ person: JSONIndex?, _ draft: inout EventDraft) {
        draft.set(
            tape, from: person,
            [
                (.hostID, "id"), (.hostName, "name"), (.hostFirstName, "firstName"), (.hostLastName, "lastName"),
                (.hostEmail, "email"), (.hostPhone, "mobile"), (.hostPhone, "phone"), (.hostCompany, "company"),
            ])
        if draft.text(.hostName, in: tape) == nil {
            draft.setName(.hostName, tape, first: tape[person, "firstName"], last: tape[person, "lastName"])
        }
    }
}
