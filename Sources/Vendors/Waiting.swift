package import Events
internal import JSON

/// How a sender waits for an answer before it lets a visitor in.
package struct WaitingTraits: Sendable {
    /// How long the sender waits; then it does as it likes.
    package var limit: Duration
    /// When the answer goes out at the latest, counted from the request's first byte, unless the source says otherwise.
    package var deadline: Duration
    /// Whether its waiting requests are told by their type. Otherwise every event of a source that decides waits.
    package var isToldByType: Bool

    package init(limit: Duration, deadline: Duration, isToldByType: Bool) {
        self.limit = limit
        self.deadline = deadline
        self.isToldByType = isToldByType
    }
}

/// What was decided of a visitor, and what people are told. Empty texts count as none.
package struct DecisionReply: Sendable, Hashable {
    /// What a visitor reads who is not let in and is told nothing else.
    package static let standardMessage = "Please see the reception."

    package var outcome: DecisionOutcome
    package var message: String?
    package var adminNotes: String?
    package var visitorNotes: String?

    package init(
        _ outcome: DecisionOutcome, message: String? = nil, adminNotes: String? = nil, visitorNotes: String? = nil
    ) {
        self.outcome = outcome
        self.message = message
        self.adminNotes = adminNotes
        self.visitorNotes = visitorNotes
    }

    /// What is shown as the message; nil for who is admitted.
    package var messageShown: String? { outcome == .admit ? nil : shownMessage }

    /// The message, or the standard one.
    var shownMessage: String { message.flatMap { $0.isEmpty ? nil : $0 } ?? Self.standardMessage }
}

extension JSONWriter {
    /// A member, where there is any text.
    mutating func text(_ text: String?, as name: String) {
        guard let text, !text.isEmpty else { return }
        key(name)
        string(text)
    }
}
