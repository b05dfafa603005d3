package import Events

/// How much an event matters to those who watch, in the scales of the outputs.
package enum EventGrade: Sendable, Hashable, CaseIterable {
    case routine
    case notice
    case warning
    /// A watch-list hit.
    case alarm

    /// RFC 5424, section 6.2.1: 0 (emergency) to 7 (debug).
    package var syslogSeverity: Int {
        switch self {
        case .routine: 6
        case .notice: 5
        case .warning: 4
        case .alarm: 2
        }
    }

    /// CEF: 0 (least) to 10.
    package var cefSeverity: Int {
        switch self {
        case .routine: 3
        case .notice: 4
        case .warning: 6
        case .alarm: 9
        }
    }

    /// OCSF's `severity_id`: 1 (informational) to 6 (fatal).
    package var ocsfSeverity: Int {
        switch self {
        case .routine: 1
        case .notice: 2
        case .warning: 3
        case .alarm: 5
        }
    }
}

/// What outputs say of a canonical type.
package struct EventDescription: Sendable {
    /// What happened, in a few words for people.
    package let name: String
    /// What was done, in one word.
    package let action: String
    /// `success` or `failure`; nil where it is still open, or no such question.
    package let outcome: String?
    package let grade: EventGrade

    init(_ name: String, _ action: String, _ outcome: String?, _ grade: EventGrade = .routine) {
        self.name = name
        self.action = action
        self.outcome = outcome
        self.grade = grade
    }

    /// - Parameter type: as the event says it; what is no canonical type is described as `other`.
    package init(type: String) {
        self = (CanonicalType(rawValue: type) ?? .other).description
    }
}

extension CanonicalType {
    package var description: EventDescription {
        switch self {
        case .visitorSignin: .init("Visitor signed in", "signin", "success")
        case .visitorSignout: .init("Visitor signed out", "signout", "success")
        case .visitorSigninRequested: .init("Visitor asks to sign in", "request", nil)
        case .visitorApprovalPending: .init("Visitor waits for approval", "wait", nil)
        case .visitorRejected: .init("Visitor rejected", "reject", "failure", .warning)
        case .visitorWatchlistReview: .init("Visitor on watch list, to be reviewed", "review", nil, .alarm)
        case .visitorWatchlistDenied: .init("Visitor on watch list denied", "deny", "failure", .alarm)
        case .invitationCreated: .init("Invitation created", "create", "success")
        case .invitationUpdated: .init("Invitation updated", "update", "success")
        case .invitationDeleted: .init("Invitation deleted", "delete", "success")
        case .invitationSent: .init("Invitation sent", "send", "success")
        case .invitationInvalid: .init("Invitation invalid", "check", "failure", .warning)
        case .faceTemplate: .init("Face enrolled", "enrol", "success", .notice)
        case .faceQualityFailed: .init("Face photo of too low quality", "enrol", "failure")
        case .faceMatched: .init("Face matched", "match", "success", .notice)
        case .pinOk: .init("PIN accepted", "verify", "success")
        case .pinFailed: .init("PIN refused", "verify", "failure", .warning)
        case .sessionCreated: .init("Network session created", "create", "success")
        case .sessionResumed: .init("Network session resumed", "resume", "success")
        case .sessionRequested: .init("Network access requested", "request", nil)
        case .sessionApproved: .init("Network access approved", "approve", "success")
        case .sessionVerified: .init("Network guest verified", "verify", "success")
        case .sessionDenied: .init("Network access denied", "deny", "failure", .warning)
        case .sessionRevoked: .init("Network access revoked", "revoke", "success", .notice)
        case .arenaLogin: .init("Arena login", "login", "success")
        case .arenaResumed: .init("Arena session resumed", "resume", "success")
        case .dhcpGranted: .init("DHCP lease granted", "grant", "success")
        case .dhcpExpired: .init("DHCP lease expired", "expire", nil)
        case .configurationAudited: .init("Configuration changed", "change", "success", .notice)
        case .other: .init("Other event", "other", nil)
        case .systemTargetDisabled: .init("Target switched off by its own answer", "disable", "failure", .warning)
        case .systemBreakerOpened: .init("Target fails and is left alone for a while", "wait", "failure", .warning)
        case .systemDeadLetter: .init("Events became dead letters", "deliver", "failure", .warning)
        case .systemTeamFileRefused: .init("A team's files were refused", "load", "failure", .warning)
        case .systemLogFilling: .init("The log fills with unfinished events", "fill", nil, .warning)
        case .systemSourceSilent: .init("Source silent for longer than expected", "wait", nil, .warning)
        }
    }
}
