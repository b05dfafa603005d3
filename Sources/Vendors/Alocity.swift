package import Events
package import HTTPTypes
package import JSON
import Signatures

/// Alocity Selfie (its page "Webhook Information"). Its sample spells keys in PascalCase, its table in camelCase:
/// either is taken. Faces are biometric data and go no further.
package struct Alocity: Vendor {
    package let name = "alocity"
    package let traits = VendorTraits(
        authentication: .signature(.alocity), toleranceSeconds: 86_400, takesAnySuccess: false)
    package let sensitiveMembers: [StaticString] = ["template", "image"]
    private let catalogue = EventCatalogue([
        event("InviteSent", .invitationSent),
        event("InviteInvalid", .invitationInvalid, payload: #"{"pinAttempts":3}"#),
        event("Template", .faceTemplate, payload: #"{"template":"AAECAwQFBgc=","image":"/9j/4AAQSkZJRg=="}"#),
        event("FaceQualityFailures", .faceQualityFailed, payload: #"{"photoAttempts":2}"#),
        event("PinFailures", .pinFailed, payload: #"{"pinAttempts":1}"#),
        event("PinOk", .pinOk),
        event(
            "FaceMatched", .faceMatched,
            payload: #"{"subjects":["4f7b9b0e-7f52-4a4b-9d0e-5b8f0f1f4c11","c0a3a1de-8d6e-4a57-b2f6-3d1c8e6b7a22"]}"#),
    ])

    package init() {}

    package var events: [VendorEvent] { catalogue.events }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        draft.setEvent(tape, element, tape.member(element, ignoringCase: "EventCode"), catalogue, settings)
        draft.setTime(tape, element, tape.member(element, ignoringCase: "TimeStamp"), settings)
        draft.dedupeKey = tape.nonEmptyText(tape.member(element, ignoringCase: "Id"))
        draft.set(.accountID, tape, tape.member(element, ignoringCase: "AccountId"))
        let organization = tape.member(element, ignoringCase: "OrganizationId")
        draft.set(.organizationID, tape, organization)
        draft.set(.siteID, tape, organization)
        let correlation = tape.member(element, ignoringCase: "CorrelationId")
        draft.set(.correlationID, tape, correlation)
        draft.set(.invitationID, tape, correlation)
        decodePayload(tape, element, settings, &draft)
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        HTTPResponse(status: 200)
    }

    private func decodePayload(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, _ draft: inout EventDraft
    ) {
        guard let (key, payload) = tape.members(element).first(where: { tape.equals($0.key, ignoringCase: "Payload") })
        else { return }
        switch tape.kind(payload) {
        case .object:
            let pin = tape.member(payload, ignoringCase: "pinAttempts")
            let photo = tape.member(payload, ignoringCase: "photoAttempts")
            draft.set(.invitationAttempts, tape, pin ?? photo)
            draft.set(.faceAttempts, tape, photo)
            draft.set(.faceMatches, tape, tape.member(payload, ignoringCase: "subjects"))
            addMembers(tape, payload, &draft)
        case .null:
            break
        default:
            // Not the documented shape, so nobody can say that there is no face in it.
            if !settings.keepsBiometrics { draft.removals.remove(tape, key: key, value: payload) }
        }
    }

    private func addMembers(_ tape: JSONTape, _ payload: JSONIndex, _ draft: inout EventDraft) {
        let sensitive = SensitiveMembers(of: self)
        draft.begin(.additional)
        for (key, value) in tape.members(payload).prefix(Self.maximumMembers)
        where !sensitive.contains(tape, key: key) && !sensitive.isIn(tape, value) {
            var name: [UInt8] = []
            tape.appendText(key, to: &name)
            draft.add(.additional, key: name, tape, value)
        }
    }

    private static let maximumMembers = 512

    private static func event(_ name: String, _ type: CanonicalType, payload: String = "null") -> VendorEvent {
        VendorEvent(
            name, type, identifiers: ["/Id", "/CorrelationId"], times: ["/TimeStamp"],
            sample: """
                {"Id":"124280c5-f218-4c9f-b3c3-b3e85f23889f",
                "AccountId":"08ddbd25-0af3-4732-8920-65ffc95d1426",
                "OrganizationId":"bdfa8ad6-e5ee-4293-a75f-a4fd0df5895b",
                "CorrelationId":"038ba158-f008-4b70-8384-55934359eb69",
                "EventCode":"\(name)","Payload":\(payload),"TimeStamp":1677170830}
                """)
    }
}
