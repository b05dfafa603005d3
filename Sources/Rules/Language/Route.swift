internal import Events
package import YAML

/// One rule: which events go to which targets.
package struct Route: Sendable {
    /// With its team: `london/contractors`.
    package let name: String
    /// Nil for a route of the main files.
    package var team: String?
    package let description: String?
    package let isEnabled: Bool
    /// `unmatched: true`: takes what no other route took.
    package var takesUnmatched = false
    /// In the order written, each once.
    package let targets: [String]
    package let location: SourceLocation
    /// What its team and its file confine it to.
    var scope: Condition?
    /// `when:`.
    let condition: Condition

    /// What an event must meet for the route to take it.
    var wholeCondition: Condition { scope.map { .conjunction([$0, condition]) } ?? condition }

    /// Its meaning as text: two routes of the same text take the same events to the same targets.
    var canonicalText: String {
        "\(name.utf8.count):\(name)\(takesUnmatched ? " unmatched" : "") when \(wholeCondition.canonicalText) to "
            + targets.joined(separator: ",") + "\n"
    }
}
