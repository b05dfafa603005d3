package import Events
package import Targets

/// What happens in delivery as it happens, for people who watch. An event that is read again is told again.
package enum DeliveryObservation: Sendable {
    /// Routes took the event for a target.
    /// - reasons: for each route, why.
    case taken(LoggedEvent, target: String, routes: [String], reasons: [[String]])
    /// No route took the event for any of the targets that read it now.
    case filtered(LoggedEvent)
    /// Routes took the event for a target, and the target itself does not.
    case refused(LoggedEvent, target: String, routes: [String], FilteredReason)
    case delivered(EventID, target: String, attempt: Int, DeliveryReceipt)
    case failed(EventID, target: String, attempt: Int, DeliveryFailure)
    case buried(EventID, target: String, reason: String)
}
