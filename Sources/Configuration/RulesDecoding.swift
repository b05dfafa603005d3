internal import Events
internal import Rules
internal import Targets
internal import YAML

extension ConfigurationDecoder {
    /// Reads the files that `routes:`, `decisions:` and `teams:` name.
    func decodeRules(
        routes: YAMLNode?, decisions: YAMLNode?, teams: YAMLNode?, _ configuration: inout Configuration,
        _ diagnostics: inout Diagnostics
    ) {
        var references: [String: String] = [:]
        let paths = routes?.paths(&references, &diagnostics) ?? []
        let decisionPath = decisions?.onePath(&references, &diagnostics)
        if let decisions, configuration.ruleEnvironment.waiting?.isEmpty == true {
            diagnostics.warning(
                at: decisions.location,
                "nobody waits for these decisions: no enabled source is of sine without `mode: notify`, or of envoy with "
                    + "`mode: decision`")
        }
        let teams = Team.decode(
            teams, environment: configuration.ruleEnvironment, references: &references, &diagnostics)
        configuration.ruleEnvironment.teams = teams.map(\.name)
        let versions = versions ?? TeamVersionStore(dataFolder: configuration.dataFolder)
        let loader = RuleSetLoader(
            environment: configuration.ruleEnvironment, teams: teams,
            decisions: decisionPath.flatMap { path in
                decisions.map { DecisionFile(path: path, location: $0.location) }
            }, references: references,
            nowMs: Timestamp.now().milliseconds, keptVersion: versions.version)
        var found = Diagnostics()
        var rules = loader.load(paths: paths, at: routes?.location ?? SourceLocation(file: file), &found)
        if !references.isEmpty {
            found = found.naming(references)
            for index in rules.teams.indices {
                rules.teams[index].diagnostics = rules.teams[index].diagnostics.naming(references)
                rules.teams[index].team.paths = teams[index].paths.map { references[$0] ?? $0 }
            }
        }
        diagnostics.merge(found)
        configuration.rules = rules
        configuration.ruleWatch = RuleWatch(
            main: paths, decisions: decisionPath, teams: teams, lists: rules.listFiles + configuration.presets.files)
    }
}

extension Diagnostics {
    /// With paths that a `${…}` stands for named by it.
    /// - Parameter references: as written, by their paths.
    fileprivate func naming(_ references: [String: String]) -> Diagnostics {
        func named(_ text: String) -> String {
            references.reduce(text) { text, entry in
                text.replacing(entry.key, with: entry.value).replacing(displayable(entry.key), with: entry.value)
            }
        }
        var result = Diagnostics()
        for diagnostic in all {
            var diagnostic = diagnostic
            diagnostic.location.file = named(diagnostic.location.file)
            diagnostic.message = named(diagnostic.message)
            result.add(diagnostic)
        }
        return result
    }
}
