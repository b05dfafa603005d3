import Events

/// What the Open Cybersecurity Schema Framework is told of an event. It has no classes for doors yet: a visit is an
/// authentication, an invitation and a face are entities. This table is version 1 of the mapping (`metadata.log_version`).
enum OCSFMapping {
    static let schemaVersion = "1.8.0"
    static let version = "1"

    enum Class: Int, Sendable {
        case base = 0
        case authentication = 3002
        case entityManagement = 3004
        case dhcp = 4004

        var category: Int { rawValue / 1000 }
    }

    /// `status_id`.
    enum Status: Int, Sendable {
        case success = 1
        case failure = 2
        /// Still open.
        case other = 99
    }

    /// Whose the event's device is.
    enum Device: Sendable {
        /// The door's or the desk's.
        case kiosk
        /// The guest's own.
        case client
    }

    struct Row: Sendable {
        let objectClass: Class
        let activity: Int
        let activityName: String
        let status: Status?
        let device: Device
        let entity: String?

        init(
            _ objectClass: Class, _ activity: Int, _ name: String, _ status: Status?, _ device: Device,
            entity: String? = nil
        ) {
            self.objectClass = objectClass
            self.activity = activity
            activityName = name
            self.status = status
            self.device = device
            self.entity = entity
        }

        var type: Int { objectClass.rawValue * 100 + activity }
    }

    /// Class, activity, status.
    static func row(_ type: CanonicalType) -> Row {
        switch type {
        case .visitorSignin: Row(.authentication, 1, "Logon", .success, .kiosk)
        case .visitorSignout: Row(.authentication, 2, "Logoff", .success, .kiosk)
        case .visitorSigninRequested: Row(.authentication, 6, "Preauth", .other, .kiosk)
        case .visitorApprovalPending: Row(.authentication, 6, "Preauth", .other, .kiosk)
        case .visitorRejected: Row(.authentication, 1, "Logon", .failure, .kiosk)
        case .visitorWatchlistReview: Row(.authentication, 6, "Preauth", .other, .kiosk)
        case .visitorWatchlistDenied: Row(.authentication, 1, "Logon", .failure, .kiosk)
        case .invitationCreated: Row(.entityManagement, 1, "Create", .success, .kiosk, entity: "Invitation")
        case .invitationUpdated: Row(.entityManagement, 3, "Update", .success, .kiosk, entity: "Invitation")
        case .invitationDeleted: Row(.entityManagement, 4, "Delete", .success, .kiosk, entity: "Invitation")
        case .invitationSent: Row(.entityManagement, 99, "Send", .success, .kiosk, entity: "Invitation")
        case .invitationInvalid: Row(.entityManagement, 99, "Check", .failure, .kiosk, entity: "Invitation")
        case .faceTemplate: Row(.entityManagement, 6, "Enroll", .success, .kiosk, entity: "Face")
        case .faceQualityFailed: Row(.entityManagement, 6, "Enroll", .failure, .kiosk, entity: "Face")
        case .faceMatched: Row(.authentication, 6, "Preauth", .success, .kiosk)
        case .pinOk: Row(.authentication, 6, "Preauth", .success, .kiosk)
        case .pinFailed: Row(.authentication, 6, "Preauth", .failure, .kiosk)
        case .sessionCreated: Row(.authentication, 1, "Logon", .success, .client)
        case .sessionResumed: Row(.authentication, 1, "Logon", .success, .client)
        case .sessionRequested: Row(.authentication, 6, "Preauth", .other, .client)
        case .sessionApproved: Row(.authentication, 6, "Preauth", .success, .client)
        case .sessionVerified: Row(.authentication, 6, "Preauth", .success, .client)
        case .sessionDenied: Row(.authentication, 1, "Logon", .failure, .client)
        case .sessionRevoked: Row(.authentication, 2, "Logoff", .success, .client)
        case .arenaLogin: Row(.authentication, 1, "Logon", .success, .client)
        case .arenaResumed: Row(.authentication, 1, "Logon", .success, .client)
        case .dhcpGranted: Row(.dhcp, 5, "Ack", .success, .client)
        case .dhcpExpired: Row(.dhcp, 9, "Expire", nil, .client)
        case .configurationAudited: Row(.entityManagement, 3, "Update", .success, .client, entity: "Configuration")
        case .other: Row(.base, 99, "Other", nil, .client)
        case .systemTargetDisabled: Row(.base, 99, "Other", .failure, .client)
        case .systemBreakerOpened: Row(.base, 99, "Other", .failure, .client)
        case .systemDeadLetter: Row(.base, 99, "Other", .failure, .client)
        case .systemTeamFileRefused: Row(.base, 99, "Other", .failure, .client)
        case .systemLogFilling: Row(.base, 99, "Other", nil, .client)
        case .systemSourceSilent: Row(.base, 99, "Other", nil, .client)
        }
    }

    /// What is the same for every class.
    private static func header(_ row: Row, _ description: EventDescription) -> [RecordRule] {
        [
            RecordRule("activity_id", is: .number(row.activity)),
            RecordRule("activity_name", is: .word(row.activityName)),
            RecordRule("category_uid", is: .number(row.objectClass.category)),
            RecordRule("class_uid", is: .number(row.objectClass.rawValue)),
            RecordRule("type_uid", is: .number(row.type)),
            RecordRule("severity_id", is: .number(description.grade.ocsfSeverity)),
            RecordRule("time", is: .timeMilliseconds),
            RecordRule("message", is: .word(description.name)),
            RecordRule("metadata", "version", is: .word(schemaVersion)),
            RecordRule("metadata", "product", "name", is: .word("Gatehouse")),
            RecordRule("metadata", "product", "vendor_name", is: .word("Gatehouse")),
            RecordRule("metadata", "uid", is: .eventID),
            RecordRule("metadata", "event_code", is: .typeName),
            RecordRule("metadata", "log_version", is: .word(version)),
            RecordRule("metadata", "log_name", is: .text(.source)),
            RecordRule("metadata", "log_provider", is: .text(.vendor)),
            RecordRule("metadata", "logged_time", is: .receivedMilliseconds),
            RecordRule("metadata", "correlation_uid", is: .text(.correlationID)),
            RecordRule("metadata", "tenant_uid", is: .text(.organizationID)),
            RecordRule("metadata", "labels", is: .routes),
            RecordRule("metadata", "is_truncated", is: .truncated),
        ]
    }

    private static func status(_ row: Row) -> [RecordRule] {
        let status = row.status.map { [RecordRule("status_id", is: .number($0.rawValue))] } ?? []
        let word = row.status == .other ? [RecordRule("status", is: .word("Pending"))] : []
        return status + word + [
            RecordRule("status_code", is: .text(.decisionOutcome)), RecordRule("status_detail", is: .reason),
        ]
    }

    private static let person: [RecordRule] = [
        RecordRule("uid", is: .text(.visitorID)),
        RecordRule("uid_alt", is: .text(.visitorReturningID)),
        RecordRule("email_addr", is: .email(.visitorEmail)),
        RecordRule("phone_number", is: .text(.visitorPhone)),
        RecordRule("org", "name", is: .text(.visitorCompany)),
    ]

    private static let visitor =
        person + [
            RecordRule("type", is: .text(.groupName)), RecordRule("type_id", is: .number(99), when: [.groupName]),
        ]

    /// Without one of them there is nobody.
    private static let anyOfVisitor: [EventField] = [.visitorName, .visitorEmail, .visitorID, .visitorReturningID]
    private static let visitorsNames: [EventField] = [.visitorEmail, .visitorReturningID, .visitorID]

    private static let actor: [RecordRule] = [
        RecordRule("actor", "user", "name", is: .text(.actorName, or: [.actorEmail])),
        RecordRule("actor", "user", "uid", is: .text(.actorID)),
        RecordRule("actor", "user", "email_addr", is: .email(.actorEmail)),
    ]

    private static let endpoint: [RecordRule] = [
        RecordRule("uid", is: .text(.deviceID)),
        RecordRule("ip", is: .address(.deviceIP)),
        RecordRule("mac", is: .hardwareAddress(.deviceMAC)),
    ]

    /// One of them is a name, without which an endpoint is nothing.
    private static let endpointsNames: [EventField] = [.deviceMAC, .deviceIP, .deviceID]

    private static let end: [RecordRule] = [
        RecordRule("raw_data", is: .original),
        RecordRule("unmapped", is: .rest),
    ]

    private static func authentication(_ row: Row) -> [RecordRule] {
        var rules = [RecordRule("user", "name", is: .required(.visitorName, or: visitorsNames))]
        rules += visitor.map { $0.inside("user") } + actor
        rules += [
            RecordRule("service", "name", is: .required(.vendor)),
            RecordRule("service", "uid", is: .text(.source)),
            RecordRule("session", "uid", is: .text(.sessionID)),
            RecordRule("is_remote", is: .boolean(.visitorRemote)),
        ]
        switch row.device {
        case .kiosk:
            rules += [
                RecordRule("logon_type", is: .word("Physical")),
                RecordRule("logon_type_id", is: .number(99)),
                RecordRule("dst_endpoint", "name", is: .text(.deviceHostname, or: endpointsNames)),
            ]
            rules += endpoint.map { $0.inside("dst_endpoint") }
        case .client:
            rules += [
                RecordRule("logon_type_id", is: .number(3)),
                RecordRule("src_endpoint", "name", is: .text(.deviceHostname, or: endpointsNames)),
            ]
            rules += endpoint.map { $0.inside("src_endpoint") }
        }
        return rules
    }

    private static func entityManagement(_ row: Row) -> [RecordRule] {
        var rules = actor
        rules.append(RecordRule("entity", "type", is: .word(row.entity ?? "")))
        rules.append(RecordRule("entity", "type_id", is: .number(99)))
        if row.entity == "Configuration" {
            rules += [
                RecordRule("entity", "name", is: .required(.changeField)),
                RecordRule("entity", "uid", is: .text(.changeObject)),
                RecordRule("entity", "data", is: .any(.changeBefore)),
                RecordRule("entity_result", "name", is: .required(.changeField), when: [.changeAfter]),
                RecordRule("entity_result", "data", is: .any(.changeAfter), when: [.changeAfter]),
            ]
        } else {
            rules += [
                RecordRule("entity", "name", is: .text(.invitationSubject)),
                RecordRule("entity", "uid", is: .required(.invitationID, or: [.correlationID, .visitorID])),
                RecordRule("entity", "user", "name", is: .text(.visitorName, or: visitorsNames)),
            ]
            rules += person.map { $0.inside("entity", "user", when: anyOfVisitor) }
        }
        rules.append(RecordRule("src_endpoint", "name", is: .text(.deviceHostname, or: endpointsNames)))
        rules += endpoint.map { $0.inside("src_endpoint") }
        return rules
    }

    private static let dhcp: [RecordRule] =
        [RecordRule("src_endpoint", "name", is: .required(.deviceHostname, or: endpointsNames))]
        + endpoint.map { $0.inside("src_endpoint") }
        + [RecordRule("src_endpoint", "owner", "name", is: .text(.visitorName, or: visitorsNames))]
        + person.map { $0.inside("src_endpoint", "owner", when: anyOfVisitor) }

    static func rules(of type: CanonicalType) -> [RecordRule] {
        let row = row(type)
        let own: [RecordRule] =
            switch row.objectClass {
            case .base: []
            case .authentication: authentication(row)
            case .entityManagement: entityManagement(row)
            case .dhcp: dhcp
            }
        return header(row, type.description) + status(row) + own + end
    }

    /// What a record is nothing without.
    static let shape = JSONShortener.Shape(
        listHolder: ["unmapped"],
        untouched: [
            ["activity_id"], ["category_uid"], ["class_uid"], ["type_uid"], ["severity_id"], ["time"], ["status_id"],
            ["metadata", "version"], ["metadata", "product", "name"], ["metadata", "uid"], ["metadata", "event_code"],
            ["metadata", "is_truncated"], ["logon_type_id"], ["entity", "type_id"],
        ],
        needed: [
            ["user", "name"], ["service", "name"], ["entity", "name"], ["entity", "uid"], ["entity_result", "name"],
            ["src_endpoint", "name"], ["dst_endpoint", "name"], ["actor", "user", "name"], ["entity", "user", "name"],
            ["src_endpoint", "owner", "name"],
        ],
        whole: ["email_addr", "ip", "mac"])
}
