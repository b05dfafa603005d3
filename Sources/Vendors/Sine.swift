package import Events
package import HTTPTypes
package import JSON

/// Sine (its page "Webhook Integrations Setup"). Every answer is a 200 with a `code`; anything else aborts a waiting
/// check-in. The names of "Check-in Request with Details" and "Check-in Approval Pending" are not published: a source's
/// `events:` says what they mean.
package struct Sine: Vendor {
    package let name = "sine"
    package let traits = VendorTraits(
        authentication: .apiKey(header: "x-sine-auth"), takesAnySuccess: false,
        sourceAddresses: [
            "13.55.216.196", "52.63.2.142", "3.105.152.200", "13.55.196.118", "13.55.33.1", "3.105.192.233",
            "13.237.31.4", "13.236.199.231",
        ])
    package let sensitiveMembers: [StaticString] = ["fastTrackCode"]
    private let catalogue = EventCatalogue(SineSamples.events)

    package init() {}

    package var events: [VendorEvent] { catalogue.events }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        draft.setEvent(tape, element, tape.member(element, "event"), catalogue, settings)
        draft.setTime(tape, element, tape.member(element, "date"), settings)
        // Invitation events are flat; the others have all but the envelope in `data`.
        let data = tape.member(element, "data") ?? element
        let invitation = tape.member(data, "visitorInfo")
        decodePlace(tape, element, data, &draft)
        decodeVisitor(tape, invitation ?? data, &draft)
        decodePerson(tape, tape.member(data, "host"), &draft)
        if let invitation {
            decodeInvitation(tape, data, invitation, &draft)
        } else {
            decodePass(tape, data, &draft)
        }
        decodeResponses(tape, data, settings, &draft)
        draft.dedupeKey = dedupeKey(tape, element, data, draft.type)
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        .json(#"{"code":"SUCCESS"}"#)
    }

    /// The sender's page names no limit; a check-in that is not answered in time is aborted.
    package var waiting: WaitingTraits? {
        WaitingTraits(limit: .seconds(5), deadline: .milliseconds(4500), isToldByType: true)
    }

    /// There is no review in this dialect: it is a denial that says so.
    package func answer(to reply: DecisionReply) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("code")
        if reply.outcome == .admit {
            writer.string("SUCCESS")
            writer.text(reply.adminNotes, as: "adminNotes")
            writer.text(reply.visitorNotes, as: "visitorNotes")
        } else {
            writer.string("REJECTED")
            writer.text(reply.shownMessage, as: "rejectionMessage")
        }
        writer.endObject()
        return .json(String(decoding: writer.bytes, as: UTF8.self))
    }

    /// A request before the check-in has no id yet: the same bytes are the same request, and a person who tries again
    /// has a new date.
    private func dedupeKey(
        _ tape: JSONTape, _ element: JSONIndex, _ data: JSONIndex, _ type: CanonicalType
    ) -> [UInt8]? {
        guard type != .visitorSigninRequested else { return nil }
        let passID = tape.member(data, "id")
        let id = tape.nonEmptyText(passID) == nil ? tape.member(data, "inviteId") : passID
        guard tape.nonEmptyText(id) != nil else { return nil }
        return tape.dedupeKey([tape.member(element, "event"), id, tape.member(element, "date")])
    }

    private func decodePlace(
        _ tape: JSONTape, _ element: JSONIndex, _ data: JSONIndex, _ draft: inout EventDraft
    ) {
        draft.set(.siteExternalID, tape, tape.member(element, "externalId"))
        draft.set(
            tape, from: tape.member(data, "site"), [(.siteID, "id"), (.siteName, "name"), (.siteTimezone, "timezone")])
        draft.set(tape, from: tape.member(data, "visitorType"), [(.groupID, "id"), (.groupName, "name")])
        draft.set(.invitationID, tape, tape.member(data, "inviteId"))
    }

    private func decodeVisitor(_ tape: JSONTape, _ visitor: JSONIndex, _ draft: inout EventDraft) {
        draft.set(
            tape, from: visitor,
            [
                (.visitorFirstName, "firstName"), (.visitorLastName, "lastName"), (.visitorEmail, "email"),
                (.visitorPhone, "mobile"), (.visitorCompany, "company"), (.visitorPhotoURL, "photoURL"),
                (.visitorEmailVerified, "emailVerified"), (.visitorPhoneVerified, "mobileVerified"),
            ])
        draft.setName(
            .visitorName, tape, first: tape.member(visitor, "firstName"), last: tape.member(visitor, "lastName"))
    }

    private func decodePerson(_ tape: JSONTape, _ host: JSONIndex?, _ draft: inout EventDraft) {
        draft.set(
            tape, from: host,
            [
                (.hostID, "id"), (.hostFirstName, "firstName"), (.hostLastName, "lastName"), (.hostEmail, "email"),
                (.hostPhone, "mobile"), (.hostCompany, "company"), (.hostGroupID, "hostGroup"),
                (.hostGroupName, "hostGroupName"),
            ])
        draft.setName(.hostName, tape, first: tape[host, "firstName"], last: tape[host, "lastName"])
    }

    private func decodePass(_ tape: JSONTape, _ data: JSONIndex, _ draft: inout EventDraft) {
        draft.set(
            tape, from: data,
            [
                (.visitID, "id"), (.visitStatus, "status"), (.visitStartedAt, "startDate"),
                (.visitExpiresAt, "expiresDate"), (.visitAutoExpired, "autoExpired"),
                (.visitReasons, "rejectionReasons"),
            ])
    }

    private func decodeInvitation(
        _ tape: JSONTape, _ data: JSONIndex, _ invitation: JSONIndex, _ draft: inout EventDraft
    ) {
        draft.set(
            tape, from: invitation,
            [
                (.invitationSubject, "subject"), (.invitationStartsAt, "startDate"), (.invitationEndsAt, "endDate"),
                (.invitationValidFrom, "validFrom"), (.invitationValidUntil, "validTo"),
                (.invitationMessage, "guestMessage"),
            ])
        let user = tape.member(data, "user")
        draft.set(tape, from: user, [(.actorID, "id"), (.actorEmail, "email")])
        draft.setName(.actorName, tape, first: tape[user, "firstName"], last: tape[user, "lastName"])
    }

    /// More answers than any form has questions stay in `original` only.
    private static let maximumResponses = 512

    private func decodeResponses(
        _ tape: JSONTape, _ data: JSONIndex, _ settings: DecodeSettings, _ draft: inout EventDraft
    ) {
        let sensitive = SensitiveMembers(of: self)
        for form in [tape.member(data, "formResponses"), tape.member(data, "formResponsesSignOut")] {
            guard let responses = tape[form, "responses"], tape.kind(responses) == .array else { continue }
            draft.begin(.additional)
            for response in tape.elements(responses).prefix(Self.maximumResponses) {
                guard let id = tape.nonEmptyText(tape.member(response, "id")),
                    let value = tape.member(response, "value"), !sensitive.isIn(tape, value)
                else { continue }
                let label = settings.labels[String(decoding: id, as: UTF8.self)]
                draft.add(.additional, key: label.map { Array($0.utf8) } ?? id, tape, value)
            }
        }
    }
}
