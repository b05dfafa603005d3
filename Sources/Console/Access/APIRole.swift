/// What somebody may do.
package enum APIRole: String, Sendable, CaseIterable, Comparable {
    /// May look, with personal fields masked.
    case viewer
    /// May look at everything, and act.
    case `operator`

    package static func < (one: APIRole, other: APIRole) -> Bool { one == .viewer && other == .operator }
}

/// Who asks.
struct APICaller: Sendable {
    /// The token's, or `open` for a console that takes requests without one.
    var name: String
    var role: APIRole
    /// Nil: every event.
    var team: TeamView?
}
