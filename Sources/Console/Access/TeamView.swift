package import Rules

/// What a team may see: the events of its scope, and what becomes of them at its targets.
package struct TeamView: Sendable {
    package let name: String
    let targets: Set<String>
    let scope: RuleFilter

    package init(_ team: Team) {
        name = team.name
        targets = Set(team.targets)
        scope = RuleFilter(scopeOf: team)
    }
}
