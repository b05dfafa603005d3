package import Events
package import Rules
package import Targets

/// Decides which of the events that routes bring a target it takes: by the types it is there for, by `only_if:`, by `key:`
/// and by `opt_out:`, in this order. It sees the event as the routes see it, before the target's field policy.
package struct AdmissionGate: Sendable {
    private let settings: TargetSettings
    private let conditions: TargetAdmission?
    private var scratch = MatchScratch()

    /// Nil for a target that takes whatever routes bring it.
    package init?(_ settings: TargetSettings?, _ plan: RulePlan) {
        guard let settings else { return nil }
        conditions = plan.admissions[settings.name]
        guard conditions != nil || settings.recordKey != nil || settings.events != nil else { return nil }
        self.settings = settings
    }

    /// Nil for an event that the target takes.
    package mutating func refusal(of event: EventView) -> FilteredReason? {
        if let events = settings.events, !events.takes(event.type) { return .notEnabled }
        let refusal = conditions?.refusal(of: event, scratch: &scratch)
        if refusal == .notMet { return .noConsent }
        if let key = settings.recordKey, key.text(of: event) == nil { return .noKey }
        return refusal == .optedOut ? .optedOut : nil
    }
}
