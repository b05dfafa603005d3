/// What happened, in one vocabulary for all senders. The list is closed, so that no sender can create a topic; it grows
/// by a line here.
package enum CanonicalType: String, CaseIterable, Sendable {
    case visitorSignin = "visitor.signin"
    case visitorSignout = "visitor.signout"
    case visitorSigninRequested = "visitor.signin.requested"
    case visitorApprovalPending = "visitor.approval.pending"
    case visitorRejected = "visitor.rejected"
    case visitorWatchlistReview = "visitor.watchlist.review"
    case visitorWatchlistDenied = "visitor.watchlist.denied"
    case invitationCreated = "invitation.created"
    case invitationUpdated = "invitation.updated"
    case invitationDeleted = "invitation.deleted"
    case invitationSent = "invitation.sent"
    case invitationInvalid = "invitation.invalid"
    case faceTemplate = "face.template"
    case faceQualityFailed = "face.quality_failed"
    case faceMatched = "face.matched"
    case pinOk = "pin.ok"
    case pinFailed = "pin.failed"
    case sessionCreated = "session.created"
    case sessionResumed = "session.resumed"
    case sessionRequested = "session.requested"
    case sessionApproved = "session.approved"
    case sessionVerified = "session.verified"
    case sessionDenied = "session.denied"
    case sessionRevoked = "session.revoked"
    case arenaLogin = "arena.login"
    case arenaResumed = "arena.resumed"
    case dhcpGranted = "dhcp.granted"
    case dhcpExpired = "dhcp.expired"
    case configurationAudited = "configuration.audited"
    /// Everything else, with the vendor's own name in `vendor_event`.
    case other

    // What Gatehouse says of itself; no sender can.
    case systemTargetDisabled = "system.target_disabled"
    case systemBreakerOpened = "system.breaker_opened"
    case systemDeadLetter = "system.dead_letter"
    case systemTeamFileRefused = "system.team_file_refused"
    case systemLogFilling = "system.log_filling"
    case systemSourceSilent = "system.source_silent"

    /// Whether it is an event of Gatehouse's own.
    package var isSystem: Bool { rawValue.hasPrefix("system.") }

    /// Those that a sender's event can be.
    package static let ofSenders = allCases.filter { !$0.isSystem }
}
