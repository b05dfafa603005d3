package import Events
package import HTTPTypes
package import JSON
import Signatures

/// Envoy: app events `{meta, payload}` and the simpler Webhooks app `{event, payload}`. A waiting hook is admitted by
/// any 200. Entries are JSON:API resources with attributes in kebab-case.
package struct Envoy: Vendor {
    package let name = "envoy"
    package let traits = VendorTraits(
        authentication: .signature(.envoy), retryDelaysSeconds: [20, 40, 80, 160, 300])
    package let sensitiveMembers: [StaticString] = ["private-notes"]
    private let catalogue = EventCatalogue(EnvoySamples.events)

    package init() {}

    package var events: [VendorEvent] { catalogue.events }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        let meta = tape.member(element, "meta")
        let payload = tape.member(element, "payload")
        let attributes = tape[payload, "attributes"] ?? payload
        let event = tape[meta, "event"] ?? tape.member(element, "event")
        draft.setEvent(tape, element, event, catalogue, settings)
        draft.setTime(tape, element, time(tape, attributes, draft.type), settings)
        decodePlace(tape, meta, payload, &draft)
        decodeEntry(tape, payload, attributes, &draft)
        decodeAnswers(tape, attributes, &draft)

        let job = tape[tape[meta, "job"], "id"]
        draft.dedupeKey =
            tape.nonEmptyText(job) ?? tape.dedupeKey([event, tape[payload, "id"]], hashOf: element)
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        .json("{}")
    }

    /// After 30 s without an answer the visitor is let in.
    package var waiting: WaitingTraits? {
        WaitingTraits(limit: .seconds(30), deadline: .seconds(25), isToldByType: false)
    }

    /// 412 is the only answer that keeps a visitor out: it sends them to manual review with the message.
    package func answer(to reply: DecisionReply) -> HTTPResponse {
        guard reply.outcome != .admit else { return .json("{}") }
        var writer = JSONWriter()
        writer.beginObject()
        writer.text(reply.shownMessage, as: "message")
        writer.endObject()
        return .json(String(decoding: writer.bytes, as: UTF8.self), status: 412)
    }

    /// The object would be merged into the app's configuration.
    package var validationAnswer: HTTPResponse? { .json("{}") }

    package func installation(_ tape: JSONTape, _ element: JSONIndex) -> String? {
        tape.nonEmptyText(tape[tape.member(element, "meta"), "install_id"]).map { String(decoding: $0, as: UTF8.self) }
    }

    private func time(_ tape: JSONTape, _ attributes: JSONIndex?, _ type: CanonicalType) -> JSONIndex? {
        tape[attributes, type == .visitorSignout ? "signed-out-at" : "signed-in-at"]
    }

    private func decodePlace(
        _ tape: JSONTape, _ meta: JSONIndex?, _ payload: JSONIndex?, _ draft: inout EventDraft
    ) {
        setResource(tape, tape[meta, "company"], id: .organizationID, name: .organizationName, &draft)
        let location = tape[meta, "location"]
        setResource(tape, location, id: .siteID, name: .siteName, &draft)
        draft.set(.siteTimezone, tape, tape[tape[location, "attributes"], "timezone"])
        if draft.text(.siteID, in: tape) == nil {
            draft.set(.siteID, tape, related("location", tape, payload))
        }
    }

    /// An id by itself, or a resource that has one.
    private func setResource(
        _ tape: JSONTape, _ resource: JSONIndex?, id: EventField, name: EventField, _ draft: inout EventDraft
    ) {
        guard let resource else { return }
        guard tape.kind(resource) == .object else {
            draft.set(id, tape, resource)
            return
        }
        draft.set(id, tape, tape.member(resource, "id"))
        draft.set(name, tape, tape[tape.member(resource, "attributes"), "name"] ?? tape.member(resource, "name"))
    }

    private func related(_ name: StaticString, _ tape: JSONTape, _ payload: JSONIndex?) -> JSONIndex? {
        tape[tape[tape[tape[payload, "relationships"], name], "data"], "id"]
    }

    private func decodeEntry(
        _ tape: JSONTape, _ payload: JSONIndex?, _ attributes: JSONIndex?, _ draft: inout EventDraft
    ) {
        draft.set(
            tape, from: attributes,
            [
                (.groupName, "flow-name"), (.visitorName, "full-name"), (.visitorEmail, "email"),
                (.visitorPhone, "phone-number"), (.hostName, "host"), (.hostEmail, "host-email"),
            ])
        draft.set(.invitationID, tape, related("invite", tape, payload))
        draft.set(.deviceID, tape, related("device", tape, payload))
        switch resource(tape, payload, draft.type) {
        case .invitation:
            draft.set(.invitationID, tape, tape[payload, "id"])
        case .entry:
            draft.set(.visitID, tape, tape[payload, "id"])
            draft.set(tape, from: attributes, [(.visitStartedAt, "signed-in-at"), (.visitEndedAt, "signed-out-at")])
            draft.set(.visitStatus, tape, tape[tape[attributes, "approval-status"], "status"])
        case .other:
            break
        }
    }

    private enum Resource {
        case entry, invitation, other
    }

    /// What `payload.id` is the id of.
    private func resource(_ tape: JSONTape, _ payload: JSONIndex?, _ type: CanonicalType) -> Resource {
        switch type {
        case .invitationCreated, .invitationUpdated, .invitationDeleted: return .invitation
        default: break
        }
        guard let kind = tape[payload, "type"] else { return .entry }
        if tape.equals(kind, "invites") { return .invitation }
        return tape.equals(kind, "entries") ? .entry : .other
    }

    private static let maximumAnswers = 512

    private func decodeAnswers(_ tape: JSONTape, _ attributes: JSONIndex?, _ draft: inout EventDraft) {
        guard let answers = tape[attributes, "user-data"], tape.kind(answers) == .array else { return }
        draft.begin(.additional)
        let sensitive = SensitiveMembers(of: self)
        for answer in tape.elements(answers).prefix(Self.maximumAnswers) {
            guard let field = tape.nonEmptyText(tape.member(answer, "field")), let value = tape.member(answer, "value"),
                !sensitive.isIn(tape, value)
            else { continue }
            draft.add(.additional, key: field, tape, value)
        }
    }
}
