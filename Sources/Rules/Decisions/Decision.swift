package import Events
package import YAML

/// One rule of `decisions:`: what becomes of the visitors it takes.
package struct Decision: Sendable {
    package enum Ruling: Sendable {
        case answer(DecisionAnswer)
        /// Another system is asked.
        case ask(DecisionQuestion)
    }

    /// With its team: `london/contractors`.
    package let name: String
    /// Nil for a decision of the main files.
    package let team: String?
    package let description: String?
    package let isEnabled: Bool
    package let ruling: Ruling
    package let location: SourceLocation
    /// What its team confines it to.
    let scope: Condition?
    /// `when:`.
    let condition: Condition

    /// `when:`, confined to the scope.
    var wholeCondition: Condition { .conjunction([scope, condition].compactMap { $0 }) }

    /// By itself, without asking anybody.
    var admits: Bool { if case .answer(let answer) = ruling { answer.outcome == .admit } else { false } }
}

extension Decision {
    /// Gives everybody in the team's scope one outcome.
    init(closing team: Team, _ outcome: DecisionOutcome) {
        self.init(
            name: team.name, team: team.name, description: nil, isEnabled: true,
            ruling: .answer(DecisionAnswer(outcome)), location: team.location, scope: team.scope, condition: .all([]))
    }
}

/// An outcome, and what the people at the door are told. Nil texts are left to the sender's dialect.
package struct DecisionAnswer: Sendable, Hashable {
    package var outcome: DecisionOutcome
    /// Of a review or a denial: shown to the visitor, or to who looks at it.
    package var message: DecisionText?
    package var adminNotes: DecisionText?
    package var visitorNotes: DecisionText?

    package init(
        _ outcome: DecisionOutcome, message: DecisionText? = nil, adminNotes: DecisionText? = nil,
        visitorNotes: DecisionText? = nil
    ) {
        self.outcome = outcome
        self.message = message
        self.adminNotes = adminNotes
        self.visitorNotes = visitorNotes
    }
}

/// `ask:`: a target that is asked instead.
package struct DecisionQuestion: Sendable, Hashable {
    package var target: String
    /// Nil: as long as the sender's deadline leaves.
    package var timeout: Duration?
    /// When it does not answer in time, or not as it should.
    package var failure: DecisionAnswer
}
