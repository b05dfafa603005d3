import Events

/// What the Elastic Common Schema is told of an event. What it has no field for stands under `gatehouse`.
enum ECSMapping {
    static let schemaVersion = "8.11.0"
    /// Of this table (`gatehouse.mapping`).
    static let version = "1"

    enum Observer: String, Sendable {
        case kiosk
        case portal = "captive-portal"
        case gatehouse
    }

    struct Row: Sendable {
        let kind: String
        let categories: [String]
        let types: [String]
        /// `success`, `failure` or `unknown`.
        let outcome: String?
        let observer: Observer

        init(
            kind: String = "event", _ categories: [String], _ types: [String], _ outcome: String?, _ observer: Observer
        ) {
            self.kind = kind
            self.categories = categories
            self.types = types
            self.outcome = outcome
            self.observer = observer
        }
    }

    /// `event.category`, `event.type`, `event.outcome`, `observer.type`.
    static func row(_ type: CanonicalType) -> Row {
        switch type {
        case .visitorSignin: Row(["authentication", "session"], ["start"], "success", .kiosk)
        case .visitorSignout: Row(["authentication", "session"], ["end"], "success", .kiosk)
        case .visitorSigninRequested: Row(["authentication"], ["info"], "unknown", .kiosk)
        case .visitorApprovalPending: Row(["authentication"], ["info"], "unknown", .kiosk)
        case .visitorRejected: Row(["authentication"], ["start"], "failure", .kiosk)
        case .visitorWatchlistReview: Row(kind: "alert", ["authentication"], ["info"], "unknown", .kiosk)
        case .visitorWatchlistDenied: Row(kind: "alert", ["authentication"], ["start"], "failure", .kiosk)
        case .invitationCreated: Row(["iam"], ["user", "creation"], "success", .kiosk)
        case .invitationUpdated: Row(["iam"], ["user", "change"], "success", .kiosk)
        case .invitationDeleted: Row(["iam"], ["user", "deletion"], "success", .kiosk)
        case .invitationSent: Row(["iam"], ["user", "info"], "success", .kiosk)
        case .invitationInvalid: Row(["authentication"], ["info"], "failure", .kiosk)
        case .faceTemplate: Row(["iam"], ["user", "change"], "success", .kiosk)
        case .faceQualityFailed: Row(["iam"], ["user", "change"], "failure", .kiosk)
        case .faceMatched: Row(["authentication"], ["info"], "success", .kiosk)
        case .pinOk: Row(["authentication"], ["info"], "success", .kiosk)
        case .pinFailed: Row(["authentication"], ["info"], "failure", .kiosk)
        case .sessionCreated: Row(["authentication", "session"], ["start"], "success", .portal)
        case .sessionResumed: Row(["session"], ["start"], "success", .portal)
        case .sessionRequested: Row(["authentication"], ["info"], "unknown", .portal)
        case .sessionApproved: Row(["authentication"], ["info"], "success", .portal)
        case .sessionVerified: Row(["authentication"], ["info"], "success", .portal)
        case .sessionDenied: Row(["authentication"], ["start"], "failure", .portal)
        case .sessionRevoked: Row(["session"], ["end"], "success", .portal)
        case .arenaLogin: Row(["authentication", "session"], ["start"], "success", .portal)
        case .arenaResumed: Row(["session"], ["start"], "success", .portal)
        case .dhcpGranted: Row(["network"], ["protocol", "start"], "success", .portal)
        case .dhcpExpired: Row(["network"], ["protocol", "end"], nil, .portal)
        case .configurationAudited: Row(["configuration"], ["change"], "success", .portal)
        case .other: Row([], ["info"], nil, .kiosk)
        case .systemTargetDisabled: Row([], ["error"], "failure", .gatehouse)
        case .systemBreakerOpened: Row([], ["error"], "failure", .gatehouse)
        case .systemDeadLetter: Row([], ["error"], "failure", .gatehouse)
        case .systemTeamFileRefused: Row(["configuration"], ["change"], "failure", .gatehouse)
        case .systemLogFilling: Row([], ["info"], nil, .gatehouse)
        case .systemSourceSilent: Row([], ["info"], nil, .gatehouse)
        }
    }

    /// - Parameter hasActor: whether somebody is told who did it: then that is `user`, and the visitor `user.target`.
    static func rules(of type: CanonicalType, hasActor: Bool) -> [RecordRule] {
        let row = row(type)
        let people = hasActor ? actor + visitor.map { $0.inside("user", "target") } : visitor.map { $0.inside("user") }
        return header + event(row, type.description) + people + device(row) + end
    }

    static let actorFields: [EventField] = [.actorName, .actorEmail, .actorID]

    private static let header: [RecordRule] = [
        RecordRule("@timestamp", is: .timeText),
        RecordRule("ecs", "version", is: .word(schemaVersion)),
    ]

    private static func event(_ row: Row, _ description: EventDescription) -> [RecordRule] {
        var rules = [
            RecordRule("event", "kind", is: .word(row.kind)),
            RecordRule("event", "category", is: .words(row.categories)),
            RecordRule("event", "type", is: .words(row.types)),
        ]
        if let outcome = row.outcome { rules.append(RecordRule("event", "outcome", is: .word(outcome))) }
        return rules + [
            RecordRule("event", "action", is: .typeName),
            RecordRule("event", "id", is: .eventID),
            RecordRule("event", "module", is: .word("gatehouse")),
            RecordRule("event", "dataset", is: .word("gatehouse.events")),
            RecordRule("event", "severity", is: .number(description.grade.cefSeverity)),
            RecordRule("event", "provider", is: .text(.vendor)),
            RecordRule("event", "code", is: .text(.vendorEvent)),
            RecordRule("event", "created", is: .text(.receivedAt)),
            RecordRule("event", "reason", is: .reason),
            RecordRule("event", "original", is: .original),
            RecordRule("message", is: .word(description.name)),
        ]
    }

    private static let actor: [RecordRule] = [
        RecordRule("user", "name", is: .text(.actorName)),
        RecordRule("user", "full_name", is: .text(.actorName)),
        RecordRule("user", "id", is: .text(.actorID)),
        RecordRule("user", "email", is: .text(.actorEmail)),
    ]

    private static let visitor: [RecordRule] = [
        RecordRule("name", is: .text(.visitorName)),
        RecordRule("full_name", is: .text(.visitorName)),
        RecordRule("id", is: .text(.visitorID)),
        RecordRule("email", is: .text(.visitorEmail)),
        RecordRule("group", "id", is: .text(.groupID)),
        RecordRule("group", "name", is: .text(.groupName)),
    ]

    /// What saw it, and the guest's own device, which is not the one that saw it.
    private static func device(_ row: Row) -> [RecordRule] {
        let type = RecordRule("observer", "type", is: .word(row.observer.rawValue))
        let site = [
            RecordRule("observer", "vendor", is: .text(.vendor)),
            RecordRule("observer", "geo", "name", is: .text(.siteName)),
            RecordRule("observer", "geo", "timezone", is: .text(.siteTimezone)),
        ]
        switch row.observer {
        case .gatehouse: return [type]
        case .kiosk: return [type] + site + kiosk
        case .portal:
            let isProtocol = row.types.contains("protocol")
            let network = isProtocol ? [RecordRule("network", "protocol", is: .word("dhcp"))] : []
            return [type] + site + client + network
        }
    }

    private static let kiosk: [RecordRule] = [
        RecordRule("observer", "name", is: .text(.deviceID)),
        RecordRule("observer", "hostname", is: .text(.deviceHostname)),
        RecordRule("observer", "ip", is: .addresses([.deviceIP])),
        RecordRule("observer", "mac", is: .hardwareAddresses([.deviceMAC])),
    ]

    private static let client: [RecordRule] = [
        RecordRule("source", "address", is: .text(.deviceIP)),
        RecordRule("source", "ip", is: .address(.deviceIP)),
        RecordRule("source", "mac", is: .hyphenatedAddress(.deviceMAC)),
        RecordRule("source", "domain", is: .text(.deviceHostname)),
    ]

    private static let end: [RecordRule] = [
        RecordRule("organization", "id", is: .text(.organizationID)),
        RecordRule("organization", "name", is: .text(.organizationName)),
        RecordRule("agent", "type", is: .word("gatehouse")),
        RecordRule("agent", "name", is: .hostname),
        RecordRule(
            "related", "user",
            is: .all([
                .visitorName, .visitorEmail, .visitorID, .actorName, .actorEmail, .actorID, .hostName, .hostEmail,
            ])),
        RecordRule("related", "ip", is: .addresses([.deviceIP])),
        RecordRule("related", "hosts", is: .all([.deviceHostname])),
        RecordRule("gatehouse", "mapping", is: .word(version)),
        RecordRule("gatehouse", "routes", is: .routes),
        RecordRule("gatehouse", is: .rest),
    ]

    /// What a record is nothing without.
    static let shape = JSONShortener.Shape(
        listHolder: ["gatehouse"],
        untouched: [
            ["@timestamp"], ["ecs", "version"], ["event", "kind"], ["event", "category"], ["event", "type"],
            ["event", "outcome"], ["event", "action"], ["event", "id"], ["event", "created"], ["gatehouse", "mapping"],
        ],
        whole: ["ip", "mac"])
}
