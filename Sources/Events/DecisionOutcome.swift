/// What a sender that waits is told of a visitor.
package enum DecisionOutcome: String, CaseIterable, Sendable {
    case admit
    /// A person is to look at it.
    case review
    case deny
}
