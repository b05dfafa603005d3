/// How a field's value is written, and how rules compare it.
package enum FieldKind: String, Sendable {
    /// Text, however it arrived: a number becomes its digits.
    case identifier
    case text
    case boolean
    case number
    /// RFC 3339 in UTC where the sender's text can be read as a time; as received otherwise.
    case timestamp
    /// A list of identifiers.
    case identifiers
    /// A list of `{name, reason}`.
    case reasons
    /// The sender's own keys with values of mixed types.
    case map
    /// The sender's own value of any type.
    case any
}

/// The fields of an event's `data`, in the order they are written. This one table is what rules, formats, the JSON
/// Schema, the documentation and the senders' mappings are derived from.
package enum EventField: UInt8, CaseIterable, Sendable {
    case vendor, vendorEvent, source, receivedAt, timeInferred
    case organizationID, organizationName
    case accountID
    case correlationID
    case siteKey, siteID, siteName, siteType, siteTimezone, siteExternalID
    case groupID, groupName
    case visitorID, visitorReturningID, visitorName, visitorFirstName, visitorLastName, visitorEmail, visitorPhone
    case visitorCompany, visitorPhotoURL, visitorBadgeURL, visitorEmailVerified, visitorPhoneVerified
    case visitorReturning, visitorPreRegistered, visitorRemote
    case hostID, hostName, hostFirstName, hostLastName, hostEmail, hostPhone, hostRole, hostCompany
    case hostGroupID, hostGroupName
    case visitID, visitStatus, visitStartedAt, visitEndedAt, visitExpiresAt, visitAutoExpired, visitInferred
    case visitReasons
    case invitationID, invitationSubject, invitationStartsAt, invitationEndsAt, invitationValidFrom
    case invitationValidUntil, invitationMessage, invitationAttempts
    case deviceID, deviceMAC, deviceIP, deviceHostname
    case sessionID, sessionState
    case faceMatches, faceAttempts
    case actorID, actorName, actorEmail
    case changeObject, changeField, changeBefore, changeAfter
    case decisionOutcome, decisionReason, decisionMessage, decisionNotes
    case personal, additional
    case systemTarget, systemSource, systemTeam, systemReason, systemCount

    /// The dotted path below `data`, such as `visitor.email`.
    package var path: String { definition.path }
    package var kind: FieldKind { definition.kind }
    /// One line for people.
    package var summary: String { definition.summary }
    /// The path, part by part.
    package var components: [StaticString] { definition.components }

    package init?(path: String) {
        guard let field = Self.byPath[path] else { return nil }
        self = field
    }

    /// Whether it is filled in events of Gatehouse's own only.
    package var isSystem: Bool {
        switch self {
        case .systemTarget, .systemSource, .systemTeam, .systemReason, .systemCount: true
        default: false
        }
    }

    /// Those that a sender's event can fill.
    package static let ofSenders = allCases.filter { !$0.isSystem }

    var definition: FieldDefinition { Self.definitions[Int(rawValue)] }

    private static let byPath = Dictionary(uniqueKeysWithValues: allCases.map { ($0.path, $0) })
}

struct FieldDefinition: Sendable {
    let field: EventField
    let components: [StaticString]
    let kind: FieldKind
    let summary: String
    let path: String

    init(_ field: EventField, _ components: [StaticString], _ kind: FieldKind, _ summary: String) {
        self.field = field
        self.components = components
        self.kind = kind
        self.summary = summary
        path = components.map(\.description).joined(separator: ".")
    }
}

/// Where a field is written: flat, so that the encoder walks the table without touching a reference count.
struct FieldLayout: Sendable {
    /// The last part of the path.
    let key: StaticString
    /// The object it stands in, by its place in `EventField.groups`.
    let group: Int
}

/// An object of `data` that holds fields.
struct FieldGroup: Sendable {
    /// `data` itself, which is its own parent.
    static let data = 0

    let name: StaticString
    let parent: Int
}

extension EventField {
    static let groups: [FieldGroup] = layouts.groups
    static let layout: [FieldLayout] = layouts.fields

    private static let layouts: (groups: [FieldGroup], fields: [FieldLayout]) = {
        var groups = [FieldGroup(name: "data", parent: FieldGroup.data)]
        var places = ["": FieldGroup.data]
        let fields = definitions.map { definition in
            var path = ""
            var group = FieldGroup.data
            for component in definition.components.dropLast() {
                path += "/\(component)"
                if places[path] == nil {
                    places[path] = groups.count
                    groups.append(FieldGroup(name: component, parent: group))
                }
                group = places[path] ?? FieldGroup.data
            }
            return FieldLayout(key: definition.components[definition.components.count - 1], group: group)
        }
        return (groups, fields)
    }()
}

extension EventField {
    static let definitions: [FieldDefinition] = [
        .init(.vendor, ["vendor"], .text, "the sender's system, such as signinapp"),
        .init(.vendorEvent, ["vendor_event"], .text, "the sender's own name of the event"),
        .init(.source, ["source"], .text, "the configured source it came in by"),
        .init(.receivedAt, ["received_at"], .timestamp, "when Gatehouse received it"),
        .init(.timeInferred, ["time_inferred"], .boolean, "true when the sender gave no readable time"),
        .init(.organizationID, ["organization", "id"], .identifier, "the sender's id of the organisation"),
        .init(.organizationName, ["organization", "name"], .text, "the organisation's name"),
        .init(.accountID, ["account", "id"], .identifier, "the sender's id of the account"),
        .init(.correlationID, ["correlation_id"], .identifier, "the sender's correlation id"),
        .init(.siteKey, ["site", "key"], .text, "the site's key in sites:"),
        .init(.siteID, ["site", "id"], .identifier, "the sender's id of the site"),
        .init(.siteName, ["site", "name"], .text, "the site's name"),
        .init(.siteType, ["site", "type"], .text, "the site's type, such as standard or remote"),
        .init(.siteTimezone, ["site", "timezone"], .text, "the site's time zone, such as Europe/London"),
        .init(.siteExternalID, ["site", "external_id"], .identifier, "the site's id in an outside system"),
        .init(.groupID, ["group", "id"], .identifier, "the id of the visitor group or visitor type"),
        .init(.groupName, ["group", "name"], .text, "the visitor group or visitor type, such as Contractor"),
        .init(.visitorID, ["visitor", "id"], .identifier, "the sender's id of the visitor"),
        .init(
            .visitorReturningID, ["visitor", "returning_id"], .identifier, "the sender's id of the returning visitor"),
        .init(.visitorName, ["visitor", "name"], .text, "the visitor's full name"),
        .init(.visitorFirstName, ["visitor", "first_name"], .text, "the visitor's first name"),
        .init(.visitorLastName, ["visitor", "last_name"], .text, "the visitor's last name"),
        .init(.visitorEmail, ["visitor", "email"], .text, "the visitor's e-mail address"),
        .init(.visitorPhone, ["visitor", "phone"], .text, "the visitor's telephone number"),
        .init(.visitorCompany, ["visitor", "company"], .text, "the visitor's company"),
        .init(.visitorPhotoURL, ["visitor", "photo_url"], .text, "where the visitor's photo is"),
        .init(.visitorBadgeURL, ["visitor", "badge_url"], .text, "where the visitor's badge is"),
        .init(
            .visitorEmailVerified, ["visitor", "email_verified"], .boolean, "whether the e-mail address is verified"),
        .init(
            .visitorPhoneVerified, ["visitor", "phone_verified"], .boolean, "whether the telephone number is verified"),
        .init(.visitorReturning, ["visitor", "returning"], .boolean, "whether the visitor was here before"),
        .init(
            .visitorPreRegistered, ["visitor", "pre_registered"], .boolean, "whether the visitor was registered before"),
        .init(.visitorRemote, ["visitor", "remote"], .boolean, "whether the visitor is remote"),
        .init(.hostID, ["host", "id"], .identifier, "the sender's id of the host"),
        .init(.hostName, ["host", "name"], .text, "the host's full name"),
        .init(.hostFirstName, ["host", "first_name"], .text, "the host's first name"),
        .init(.hostLastName, ["host", "last_name"], .text, "the host's last name"),
        .init(.hostEmail, ["host", "email"], .text, "the host's e-mail address"),
        .init(.hostPhone, ["host", "phone"], .text, "the host's telephone number"),
        .init(.hostRole, ["host", "role"], .text, "the host's role"),
        .init(.hostCompany, ["host", "company"], .text, "the host's company"),
        .init(.hostGroupID, ["host", "group", "id"], .identifier, "the id of the host's group"),
        .init(.hostGroupName, ["host", "group", "name"], .text, "the host's group"),
        .init(.visitID, ["visit", "id"], .identifier, "the sender's id of this visit or pass"),
        .init(.visitStatus, ["visit", "status"], .text, "the visit's status, in the sender's words"),
        .init(.visitStartedAt, ["visit", "started_at"], .timestamp, "when the visit began"),
        .init(.visitEndedAt, ["visit", "ended_at"], .timestamp, "when the visit ended"),
        .init(.visitExpiresAt, ["visit", "expires_at"], .timestamp, "when the visit expires"),
        .init(.visitAutoExpired, ["visit", "auto_expired"], .boolean, "whether the visit ended by itself"),
        .init(.visitInferred, ["visit", "inferred"], .boolean, "whether the sign-out was inferred, not seen"),
        .init(.visitReasons, ["visit", "reasons"], .reasons, "why the visit was rejected"),
        .init(.invitationID, ["invitation", "id"], .identifier, "the sender's id of the invitation"),
        .init(.invitationSubject, ["invitation", "subject"], .text, "the invitation's subject"),
        .init(.invitationStartsAt, ["invitation", "starts_at"], .timestamp, "when the invited visit begins"),
        .init(.invitationEndsAt, ["invitation", "ends_at"], .timestamp, "when the invited visit ends"),
        .init(.invitationValidFrom, ["invitation", "valid_from"], .timestamp, "from when the invitation is valid"),
        .init(.invitationValidUntil, ["invitation", "valid_until"], .timestamp, "until when the invitation is valid"),
        .init(.invitationMessage, ["invitation", "message"], .text, "the message to the guest"),
        .init(.invitationAttempts, ["invitation", "attempts"], .number, "attempts made with the PIN or photo"),
        .init(.deviceID, ["device", "id"], .identifier, "the sender's id of the device"),
        .init(.deviceMAC, ["device", "mac"], .text, "the device's MAC address"),
        .init(.deviceIP, ["device", "ip"], .text, "the device's IP address"),
        .init(.deviceHostname, ["device", "hostname"], .text, "the device's host name"),
        .init(.sessionID, ["session", "id"], .identifier, "the sender's id of the network session"),
        .init(.sessionState, ["session", "state"], .text, "the session's state"),
        .init(.faceMatches, ["face", "matches"], .identifiers, "the ids of the people the face matched"),
        .init(.faceAttempts, ["face", "attempts"], .number, "photos taken so far"),
        .init(.actorID, ["actor", "id"], .identifier, "the id of who did it"),
        .init(.actorName, ["actor", "name"], .text, "who did it"),
        .init(.actorEmail, ["actor", "email"], .text, "the e-mail address of who did it"),
        .init(.changeObject, ["change", "object"], .any, "what was changed"),
        .init(.changeField, ["change", "field"], .text, "which of its fields"),
        .init(.changeBefore, ["change", "before"], .any, "its value before"),
        .init(.changeAfter, ["change", "after"], .any, "its value after"),
        .init(.decisionOutcome, ["decision", "outcome"], .text, "what was decided: admit, review or deny"),
        .init(.decisionReason, ["decision", "reason"], .text, "why it was decided so"),
        .init(.decisionMessage, ["decision", "message"], .text, "the message shown to the visitor"),
        .init(.decisionNotes, ["decision", "notes"], .text, "the notes given with the decision"),
        .init(.personal, ["personal"], .map, "the personal fields, by the sender's own keys"),
        .init(.additional, ["additional"], .map, "additional fields, form answers and user data"),
        .init(.systemTarget, ["system", "target"], .text, "the target concerned, in events of Gatehouse's own"),
        .init(.systemSource, ["system", "source"], .text, "the source concerned"),
        .init(.systemTeam, ["system", "team"], .text, "the team concerned"),
        .init(.systemReason, ["system", "reason"], .text, "why: a stable code, or the first error of a team's files"),
        .init(.systemCount, ["system", "count"], .number, "how many: events, errors or seconds"),
    ]
}
