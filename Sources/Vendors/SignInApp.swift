package import Events
package import HTTPTypes
package import JSON
import Signatures

/// Sign In App (its page "Webhooks"). Any 2xx acknowledges; otherwise it tries three times more. Whether a retry is
/// signed again is not said, hence the wide tolerance: the dedupe key is inside what is signed.
package struct SignInApp: Vendor {
    package let name = "signinapp"
    package let traits = VendorTraits(
        authentication: .signature(.signinapp), toleranceSeconds: 86_400, retryDelaysSeconds: [1, 2, 4])
    private let catalogue = EventCatalogue([
        VendorEvent(
            "visitor.signin", .visitorSignin, identifiers: identifiers, times: ["/event_at", "/pushed_at"],
            sample: sample("visitor.signin")),
        VendorEvent(
            "visitor.signout", .visitorSignout, identifiers: identifiers, times: ["/event_at", "/pushed_at"],
            sample: sample("visitor.signout")),
    ])

    package init() {}

    package var events: [VendorEvent] { catalogue.events }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        draft.setEvent(tape, element, tape.member(element, "event"), catalogue, settings)
        draft.setTime(tape, element, tape.member(element, "event_at"), settings)
        draft.dedupeKey = tape.nonEmptyText(tape.member(element, "idempotency_key"))
        draft.set(
            tape, from: tape.member(element, "site"),
            [(.siteID, "id"), (.siteName, "name"), (.siteType, "type"), (.siteTimezone, "timezone")])

        let visitor = tape.member(element, "visitor")
        draft.set(
            tape, from: visitor,
            [
                (.visitorID, "id"), (.visitorReturningID, "returning_visitor_id"), (.visitorName, "name"),
                (.visitorPhotoURL, "photo_url"), (.visitorBadgeURL, "badge_url"), (.visitorReturning, "is_returning"),
                (.visitorPreRegistered, "is_pre_registered"), (.visitorRemote, "is_remote"),
                (.personal, "personal_fields"), (.additional, "additional"),
            ])
        // The page's example has the host at the top level, outside its own schema.
        draft.set(
            tape, from: tape.member(element, "visiting") ?? tape[visitor, "visiting"],
            [
                (.hostID, "id"), (.hostName, "name"), (.hostEmail, "email"), (.hostPhone, "mobile"),
                (.hostRole, "role"),
            ])
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        HTTPResponse(status: 200)
    }

    private static let identifiers = ["/idempotency_key", "/visitor/id"]

    private static func sample(_ event: String) -> String {
        """
        {"event":"\(event)",
        "event_at":"2020-01-01T12:00:01Z",
        "pushed_at":"2020-01-01T12:00:01Z",
        "idempotency_key":"4EPAoqR4N8jZktby",
        "site":{"id":4567,"type":"standard","name":"Acme Co","timezone":"Europe/London"},
        "visitor":{"id":1234,"name":"John Smith","photo_url":null,"badge_url":null,
        "additional":{"Company":"Acme Ltd","Email Address":"john.smith@example.com"},
        "personal_fields":{"role":"Director","Car Reg":"ABC 123"},
        "is_returning":false,"is_pre_registered":false,"is_remote":false},
        "visiting":{"id":8,"name":"Adele Vance","role":"Retail Manager","email":"adele.vance@example.com","mobile":""}}
        """
    }
}
