package import Events
package import JSON
package import YAML

/// One element of `tests:`: an event, and where it must go.
package struct RouteTest: Sendable {
    package enum Given: Sendable {
        /// `sample: signinapp/visitor.signin` and `set:`.
        case sample(vendor: String, event: String, changes: [FieldChange])
        /// A sender's own JSON, to be normalised as this source would.
        case payload([UInt8], source: String)
        /// A canonical event's JSON.
        case event([UInt8])
    }

    package var name: String
    /// Only this team's routes are looked at; nil: those of the main files and of every team.
    package var team: String?
    package var given: Given
    /// The targets it must go to, exactly; nil: not asked.
    package var targets: [String]?
    /// The routes that must take it, exactly, with their team; nil: not asked.
    package var routes: [String]?
    /// Of a test of decisions: what must be decided, and with what message where that is asked.
    package var decision: ExpectedDecision?
    package var message: String?
    package var location: SourceLocation
}

/// What a test says is to become of a visitor.
package enum ExpectedDecision: String, Sendable, CaseIterable {
    case admit, review, deny
    /// A target is asked.
    case ask

    package init(_ outcome: DecisionOutcome) {
        switch outcome {
        case .admit: self = .admit
        case .review: self = .review
        case .deny: self = .deny
        }
    }
}

/// One member of `set:`: a field of the event and the JSON value it is given.
package struct FieldChange: Sendable {
    package var field: ChangedField
    /// JSON text; nil removes the field.
    package var json: [UInt8]?
    package var location: SourceLocation
}

/// A field that a test or `--set` changes, in the terms of the rules.
package enum ChangedField: Sendable, Hashable {
    /// The event's canonical type.
    case event
    case time
    case field(EventField)
    /// An entry of `personal` or `additional`.
    case entry(EventField, String)
    /// A place in the sender's own payload.
    case pointer(JSONPointer)
}
