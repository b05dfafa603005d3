extension EventField {
    /// Whether it tells about a person: who they are, how to reach them, what they or somebody else wrote. Ids are
    /// pseudonyms and are not: without them nobody could follow an event. Every field is named, so that a new one cannot
    /// be forgotten.
    package var isPersonal: Bool {
        switch self {
        case .vendor, .vendorEvent, .source, .receivedAt, .timeInferred, .organizationID, .organizationName, .accountID,
            .correlationID, .siteKey, .siteID, .siteName, .siteType, .siteTimezone, .siteExternalID, .groupID,
            .groupName:
            false
        case .visitorID, .visitorReturningID, .visitorEmailVerified, .visitorPhoneVerified, .visitorReturning,
            .visitorPreRegistered, .visitorRemote:
            false
        case .visitorName, .visitorFirstName, .visitorLastName, .visitorEmail, .visitorPhone, .visitorCompany,
            .visitorPhotoURL, .visitorBadgeURL:
            true
        case .hostID, .hostGroupID, .hostGroupName: false
        case .hostName, .hostFirstName, .hostLastName, .hostEmail, .hostPhone, .hostRole, .hostCompany: true
        case .visitID, .visitStatus, .visitStartedAt, .visitEndedAt, .visitExpiresAt, .visitAutoExpired, .visitInferred:
            false
        case .visitReasons: true
        case .invitationID, .invitationStartsAt, .invitationEndsAt, .invitationValidFrom, .invitationValidUntil,
            .invitationAttempts:
            false
        case .invitationSubject, .invitationMessage: true
        case .deviceID: false
        case .deviceMAC, .deviceIP, .deviceHostname: true
        case .sessionID, .sessionState: false
        case .faceMatches: true
        case .faceAttempts: false
        case .actorID: false
        case .actorName, .actorEmail: true
        case .changeObject, .changeBefore, .changeAfter: true
        case .changeField: false
        case .decisionOutcome, .decisionReason: false
        case .decisionMessage, .decisionNotes: true
        case .personal, .additional: true
        case .systemTarget, .systemSource, .systemTeam, .systemReason, .systemCount: false
        }
    }
}
