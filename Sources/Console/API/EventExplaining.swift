/// Tells why the routes at work take an event, or do not.
package protocol EventExplaining: Sendable {
    /// - Parameter event: a canonical event's JSON.
    /// - Returns: one JSON object, as `gatehouse explain --json` prints it.
    /// - Throws: `RecordError` when the event makes no sense, or there is no such route.
    func explain(_ event: [UInt8], _ view: ExplanationView) throws -> [UInt8]
}

/// What of an explanation is asked for, and may be seen.
package struct ExplanationView: Sendable {
    /// Only this route; nil: all.
    package var route: String?
    /// Only this team's routes; nil: everybody's.
    package var team: String?
    /// Without what it tells of people.
    package var isMasked: Bool
}
