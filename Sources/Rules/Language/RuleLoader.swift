package import Events
package import YAML

/// What was read of the files of routes of one owner: of a team, or the main files.
package struct RuleFiles: Sendable {
    /// Whose they are; nil for the main files.
    package var team: String?
    /// Every route without an error, disabled ones too, in the order of the files.
    package var routes: [Route] = []
    /// Every decision without an error, disabled ones too, in the order they are asked.
    package var decisions: [Decision] = []
    /// `default:`; nil where it is not said.
    package var fallback: DecisionOutcome?
    /// Every test without an error, in the order of the files.
    package var tests: [RouteTest] = []
    /// Every condition that has a name, used or not.
    var conditions: [NamedCondition] = []
    /// The files read, in order.
    package var files: [String] = []
    /// The targets' own conditions, by their names; of the main files only.
    package var admissions: [String: TargetAdmission] = [:]
    /// The files that their lists were read from.
    var lists: [ListSource] = []
    /// What is wrong with these files, and with no others.
    package var diagnostics = Diagnostics()
    /// Of the enabled routes; empty when there was any error, and for what `read` gives.
    package var plan = RulePlan.empty
}

/// Reads and checks files of routes.
package enum RuleLoader {
    /// The most routes taken of one owner.
    package static let mostRoutes = 100_000

    /// Reads the files of one owner. Names of routes, conditions, calendars and lists belong to it alone, and the order of the
    /// files has no meaning. Nothing is planned: a plan is made of the routes of all owners.
    /// - Parameters:
    ///   - texts: the files, as the messages name them, and what they hold.
    ///   - team: whose files they are. Its scope confines every route, its targets are the only ones a route may name,
    ///     and names are told with it (`london/contractors`); nil for the main files.
    ///   - environment: `targets` are all there are, also those that are not the team's; `teams` are needed to tell
    ///     their routes' names from those of the main files.
    ///   - decisions: its file of decisions.
    ///   - lists: files of lists that are read in the place of those on the disk, by their paths.
    package static func read(
        _ texts: [(file: String, bytes: [UInt8])], team: Team? = nil, environment: RuleEnvironment,
        decisions: (file: String, bytes: [UInt8])? = nil, lists: [String: [UInt8]]? = nil
    ) -> RuleFiles {
        var reader = OwnerReader(team: team, environment: environment, lists: lists)
        for (file, bytes) in texts { reader.parse(bytes, file: file) }
        if let decisions { reader.parseDecisions(decisions.bytes, file: decisions.file) }
        return reader.finish()
    }

    /// Reads main files that no team stands beside, and plans them.
    package static func load(
        texts: [(file: String, bytes: [UInt8])], environment: RuleEnvironment, diagnostics: inout Diagnostics
    ) -> RuleFiles {
        var files = read(texts, environment: environment)
        if !files.diagnostics.hasErrors {
            files.plan = RulePlan(files.routes, sourceZones: environment.sourceZones, admissions: files.admissions)
        }
        diagnostics.merge(files.diagnostics)
        return files
    }
}
