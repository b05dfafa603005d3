package import Events

/// Asks another system what is to become of a visitor (`ask:`).
package protocol DecisionAsker: Sendable {
    /// Asks once: one request, no second try.
    /// - Parameters:
    ///   - target: a configured target's name.
    ///   - event: the visitor's, not decided yet.
    ///   - time: until the whole answer must be there.
    ///   - completion: called once, on any thread, with the body of a 200; one that comes late is not looked at.
    func ask(
        _ target: String, about event: EncodedEvent, within time: Duration,
        completion: @escaping @Sendable (Result<[UInt8], AskFailure>) -> Void)
}

/// Why an asked system decided nothing.
package struct AskFailure: Error, Sendable, Hashable {
    /// Stable, such as `timeout`, `connect` or `answer_malformed`.
    package var code: String
    /// For people; nothing of what the system said.
    package var message: String

    package init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }
}
