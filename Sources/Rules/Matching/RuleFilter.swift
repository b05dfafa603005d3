package import Events
package import YAML

/// A condition by itself, in the route language: `--where '{site: 4567}'`.
package struct RuleFilter: Sendable {
    let plan: RulePlan

    /// - Parameter environment: nil: names of sources, vendors and sites are not checked.
    /// - Throws: everything that is wrong with the text; places are in a file called `--where`.
    package init(_ text: String, environment: RuleEnvironment? = nil) throws(Diagnostics) {
        var diagnostics = Diagnostics()
        let root = try parseYAML(Array(text.utf8), file: "--where")
        let location = SourceLocation(file: "--where")
        let condition = root.flatMap { ConditionReader(environment: environment).when($0, &diagnostics) }
        if root == nil { diagnostics.error(at: location, "a condition is missing, such as '{site: 4567}'") }
        guard let condition, !diagnostics.hasErrors else { throw diagnostics }
        self.init(condition, at: location)
    }

    init(_ condition: Condition, at location: SourceLocation) {
        plan = RulePlan([
            Route(
                name: "where", description: nil, isEnabled: true, targets: [], location: location, condition: condition)
        ])
    }

    package func takes(_ event: EventView, scratch: inout MatchScratch) -> Bool {
        !plan.routes(taking: event, scratch: &scratch).isEmpty
    }
}
