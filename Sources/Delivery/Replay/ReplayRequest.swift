/// What is to be sent to a target once more.
package struct ReplayRequest: Sendable, Hashable {
    package var target: String
    /// Events received then or later, the wall clock, milliseconds.
    package var sinceMs: Int64
    /// Events received before; nil: up to where the target is now.
    package var untilMs: Int64?
    /// Only what this route takes there; nil: any.
    package var route: String?
    /// A condition in the route language that the event meets as well.
    package var condition: String?
    /// Only what this team's routes take there; nil: any.
    package var team: String?
    /// The sender's own text is read again with today's settings of its source, and that is matched and sent.
    package var decodesAgain: Bool

    package init(
        target: String, sinceMs: Int64, untilMs: Int64? = nil, route: String? = nil, condition: String? = nil,
        team: String? = nil, decodesAgain: Bool = false
    ) {
        self.target = target
        self.sinceMs = sinceMs
        self.untilMs = untilMs
        self.route = route
        self.condition = condition
        self.team = team
        self.decodesAgain = decodesAgain
    }
}
