package import Events
package import Vendors

/// What a source does with requests that wait for a decision (`mode:`).
package enum SourceMode: String, Sendable, CaseIterable {
    /// It never decides: every request gets the plain success.
    case notify
    case decision
    /// It admits everybody, and records what would have been decided.
    case shadow

    /// Of a source that says nothing: a sender whose waiting requests are told by their type decides, as none but they do.
    package init(defaultOf vendor: any Vendor) {
        self = vendor.waiting?.isToldByType == true ? .decision : .notify
    }
}

extension SourceConfiguration {
    /// What is left, at the least, between the latest answer and the end of the sender's patience: for the way back.
    package static let deadlineMargin = Duration.milliseconds(500)

    /// The earliest `deadline:` there can be.
    package static let shortestDeadline = Duration.milliseconds(300)

    /// The latest `deadline:` there can be; nil for a sender that never waits.
    package static func longestDeadline(_ vendor: any Vendor) -> Duration? {
        vendor.waiting.map { $0.limit - deadlineMargin }
    }

    /// When a waiting request is answered at the latest, counted from its first byte; nil for a source that never decides.
    package var answerWithin: Duration? {
        guard mode != .notify, let waiting = vendor.waiting else { return nil }
        return min(deadline ?? waiting.deadline, waiting.limit - Self.deadlineMargin)
    }

    /// The type of an event whose sender does not tell what it asks from what it reports: the source's mode says it.
    func type(of type: CanonicalType) -> CanonicalType {
        guard type == .visitorSignin, mode != .notify, vendor.waiting?.isToldByType == false else { return type }
        return .visitorSigninRequested
    }

    /// Whether there are waiting requests of this type among its own.
    package func mayWait(_ type: CanonicalType) -> Bool { self.type(of: type) == type && !type.isSystem && waits(type) }

    /// Whether the sender of such an event waits for a decision.
    package func waits(_ type: CanonicalType) -> Bool {
        guard mode != .notify, let waiting = vendor.waiting else { return false }
        if waiting.isToldByType { return type == .visitorSigninRequested }
        switch type {
        // Nobody asks to be let in by these.
        case .visitorSignout, .invitationCreated, .invitationUpdated, .invitationDeleted: return false
        default: return true
        }
    }
}
