internal import Events
package import YAML

/// The rules of the main files and of every team, at work together.
package struct RuleSets: Sendable {
    /// Of every enabled route; empty when the main files have an error.
    package var plan = RulePlan.empty
    /// Of every enabled decision; nil when nothing is to be decided, or the main files have an error.
    package var decisions: DecisionPlan?
    /// Every route, disabled ones too: the main files' first, then each team's.
    package var routes: [Route] = []
    package var tests: [RouteTest] = []
    /// Equal for main files of the same text.
    package var mainHash = ""
    /// The files that lists were read from, or should have been.
    package var listFiles: [String] = []
    /// In the order of the configuration.
    package var teams: [TeamStanding] = []

    package init() {}
}

/// Where the configuration names the main file of decisions.
package struct DecisionFile: Sendable {
    package var path: String
    package var location: SourceLocation

    package init(path: String, location: SourceLocation) {
        self.path = path
        self.location = location
    }
}

/// Reads the main files and every team's, each by itself: an error of a team's files is that team's, and the last version
/// of them that loaded stays at work.
package struct RuleSetLoader {
    private let environment: RuleEnvironment
    private let teams: [Team]
    private let sets: RuleFileSets
    private let decisions: DecisionFile?
    private let keptVersion: (String) -> TeamVersion?
    private let nowMs: Int64

    /// - Parameters:
    ///   - environment: what the main files may name.
    ///   - decisions: the main file of decisions; nil: nothing is decided.
    ///   - references: paths that a `${…}` stands for, and how they are written: so they are named.
    ///   - keptVersion: the last version of a team's files that was at work.
    ///   - nowMs: milliseconds since 1970.
    package init(
        environment: RuleEnvironment, teams: [Team], decisions: DecisionFile? = nil,
        references: [String: String] = [:], nowMs: Int64, keptVersion: @escaping (String) -> TeamVersion?
    ) {
        let sets = RuleFileSets(teams, decisions: decisions?.path, references: references)
        var environment = environment
        environment.actualPath = { sets.actual($0) }
        self.environment = environment
        self.teams = teams
        self.nowMs = nowMs
        self.keptVersion = keptVersion
        self.sets = sets
        self.decisions = decisions
    }

    /// - Parameters:
    ///   - paths: what `routes:` names.
    ///   - location: where it does.
    ///   - diagnostics: of the configuration and the main files. A team's are in its standing.
    package func load(paths: [String], at location: SourceLocation, _ diagnostics: inout Diagnostics) -> RuleSets {
        var found = Diagnostics()
        sets.checkPaths(main: paths, at: location, &found)
        let texts = sets.mainFiles(paths, at: location, &found)
        let decisionFile = sets.mainDecisionFile(&found)
        let main = RuleLoader.read(texts, environment: environment, decisions: decisionFile)
        found.merge(main.diagnostics)
        refuseLoneDecisions(&found)
        var loaded = teams.indices.map(load)
        var plans: Plans?
        while plans == nil, !found.hasErrors {
            plans = compile(main, &loaded, &found)
        }
        diagnostics.merge(found)

        var result = RuleSets()
        result.plan = plans?.routes ?? .empty
        result.decisions = plans?.decisions
        result.routes = main.routes
        result.tests = main.tests
        result.mainHash =
            TeamVersion(
                files: texts.map { .init(path: $0.file, bytes: $0.bytes) }, lists: main.versionLists,
                decisions: decisionFile.map { .init(path: $0.file, bytes: $0.bytes) }, sinceMs: 0
            ).hash
        result.listFiles = main.lists.map(\.path)
        for team in loaded {
            result.listFiles += team.listFiles
            result.routes += team.files.routes
            result.tests += team.files.tests
            result.teams.append(team.standing)
        }
        return result
    }

    /// A team's decisions alone would leave everybody else to a default that nobody chose.
    private func refuseLoneDecisions(_ diagnostics: inout Diagnostics) {
        guard decisions == nil else { return }
        for team in teams where team.decisionsPath != nil {
            diagnostics.error(
                at: team.location,
                "team \(team.name) has `decisions:`, and the configuration has none; name a file in `decisions:` at "
                    + "the top level, which says what becomes of everybody else")
        }
    }

    // MARK: One team

    private struct LoadedTeam {
        var standing: TeamStanding
        var files: RuleFiles
        /// Those that its files name as they stand.
        var listFiles: [String] = []
    }

    /// The files as they stand, or the version that is kept in their place.
    private func load(_ index: Int) -> LoadedTeam {
        let team = teams[index]
        var diagnostics = Diagnostics()
        let files = sets.files(of: index, &diagnostics)
        let decisions = sets.decisionFile(of: index, &diagnostics)
        let kept = keptVersion(team.name)
        var listFiles: [String] = []
        if !diagnostics.hasErrors {
            let rules = read(files, decisions, team)
            diagnostics.merge(rules.diagnostics)
            listFiles = rules.lists.map(\.path)
            if !diagnostics.hasErrors {
                var version = TeamVersion(files: files, lists: rules.versionLists, decisions: decisions, sinceMs: nowMs)
                if let kept, kept.hash == version.hash { version.sinceMs = kept.sinceMs }
                return LoadedTeam(
                    standing: standing(team, .current, version, rules, diagnostics), files: rules,
                    listFiles: listFiles)
            }
        }
        var fallen = fallBack(team, kept, diagnostics)
        fallen.listFiles = listFiles
        return fallen
    }

    private func fallBack(_ team: Team, _ kept: TeamVersion?, _ problems: Diagnostics) -> LoadedTeam {
        var diagnostics = problems
        if let kept {
            let rules = read(
                kept.files, team.decisionsPath == nil ? nil : kept.decisions, team, lists: kept.lists)
            guard rules.diagnostics.hasErrors else {
                return LoadedTeam(standing: standing(team, .kept, kept, rules, diagnostics), files: rules)
            }
            for misfit in rules.diagnostics.sorted where misfit.severity == .error {
                // The line is of the text that is kept, not of the file.
                diagnostics.error(
                    at: team.location,
                    "the version of team \(team.name)'s files that is kept does not fit the configuration: \(misfit)")
            }
        }
        return LoadedTeam(standing: standing(team, .refused, nil, RuleFiles(), diagnostics), files: RuleFiles())
    }

    private func standing(
        _ team: Team, _ state: TeamStanding.State, _ version: TeamVersion?, _ rules: RuleFiles,
        _ diagnostics: Diagnostics
    ) -> TeamStanding {
        TeamStanding(
            team: team, state: state, version: version, routeCount: rules.routes.count(where: \.isEnabled),
            decisionCount: rules.decisions.count(where: \.isEnabled), diagnostics: diagnostics)
    }

    /// - Parameter lists: those of a version that is kept; nil: those on the disk.
    private func read(
        _ files: [TeamVersion.File], _ decisions: TeamVersion.File?, _ team: Team, lists: [TeamVersion.File]? = nil
    ) -> RuleFiles {
        RuleLoader.read(
            files.map { ($0.path, $0.bytes) }, team: team, environment: environment,
            decisions: decisions.map { ($0.path, $0.bytes) },
            lists: lists.map { Dictionary($0.map { ($0.path, $0.bytes) }) { first, _ in first } })
    }

    // MARK: The plans

    private struct Plans {
        var routes: RulePlan
        var decisions: DecisionPlan?
    }

    /// The plans of all of them. Nil where a team had to give way, or the main files are too much by themselves.
    private func compile(
        _ main: RuleFiles, _ teams: inout [LoadedTeam], _ diagnostics: inout Diagnostics
    ) -> Plans? {
        let count = main.routes.count + teams.reduce(0) { $0 + $1.files.routes.count }
        if count > RuleLoader.mostRoutes, let largest = largest(teams, \.routes.isEmpty, \.routes.count) {
            giveWay(
                largest, &teams, at: teams[largest].standing.team.location,
                "all files together have \(count) routes, more than \(RuleLoader.mostRoutes), and team "
                    + "\(teams[largest].standing.name) has the most of the teams (\(teams[largest].files.routes.count))"
            )
            return nil
        }
        do throws(PlanTooLarge) {
            let routes = try plan(main.routes + teams.flatMap(\.files.routes), main.admissions)
            do throws(PlanTooLarge) {
                return Plans(routes: routes, decisions: try decisionPlan(main, teams))
            } catch {
                shrink("decisions", \.decisions.isEmpty, error, &teams, &diagnostics) { files throws(PlanTooLarge) in
                    try DecisionPlan(files.decisions, fallback: .deny, sourceZones: environment.sourceZones).memory
                }
            }
        } catch {
            shrink("routes", \.routes.isEmpty, error, &teams, &diagnostics) { files throws(PlanTooLarge) in
                try plan(files.routes).memory
            }
        }
        return nil
    }

    private func plan(
        _ routes: [Route], _ admissions: [String: TargetAdmission] = [:]
    ) throws(PlanTooLarge) -> RulePlan {
        try RulePlan(
            routes, sourceZones: environment.sourceZones, admissions: admissions, memoryLimit: RulePlan.memoryLimit)
    }

    /// The decisions of all: the teams' before those of the main file. A team whose files do not load and of which nothing
    /// is kept may have meant to keep somebody out, so what becomes of its visitors is the default.
    private func decisionPlan(_ main: RuleFiles, _ teams: [LoadedTeam]) throws(PlanTooLarge) -> DecisionPlan? {
        guard decisions != nil else { return nil }
        let fallback = main.fallback ?? .deny
        let ofTeams = teams.flatMap { loaded in
            let team = loaded.standing.team
            guard loaded.standing.state == .refused, team.decisionsPath != nil else { return loaded.files.decisions }
            return [Decision(closing: team, fallback)]
        }
        return try DecisionPlan(
            ofTeams + main.decisions, fallback: fallback, sourceZones: environment.sourceZones)
    }

    /// Has the team give way whose files take the most, or reports that the main files are too much by themselves.
    /// - Parameters:
    ///   - what: of which there are too many.
    ///   - memory: what those of one team take by themselves, in bytes.
    private func shrink(
        _ what: String, _ isWithout: (RuleFiles) -> Bool, _ error: PlanTooLarge, _ teams: inout [LoadedTeam],
        _ diagnostics: inout Diagnostics, _ memory: (RuleFiles) throws(PlanTooLarge) -> Int
    ) {
        guard let largest = largest(teams, isWithout, { (try? memory($0)) ?? .max }) else {
            return diagnostics.error(at: error.location, error.description)
        }
        let team = teams[largest]
        let isItsOwn =
            team.files.routes.contains { $0.name == error.route }
            || team.files.decisions.contains { $0.name == error.route }
        giveWay(
            largest, &teams, at: isItsOwn ? error.location : team.standing.team.location,
            "the \(what) of all files together take too much memory, and those of team "
                + "\(team.standing.name) the most of the teams: \(error)")
    }

    /// One team's growth must not cost another one its rules. Nil when no team has any.
    private func largest(
        _ teams: [LoadedTeam], _ isWithout: (RuleFiles) -> Bool, _ size: (RuleFiles) -> Int
    ) -> Int? {
        let sizes = teams.map { isWithout($0.files) ? 0 : size($0.files) }
        return sizes.indices.max { sizes[$0] < sizes[$1] }.flatMap { sizes[$0] > 0 ? $0 : nil }
    }

    /// Takes the team back to the version that is kept, or to none.
    private func giveWay(
        _ index: Int, _ teams: inout [LoadedTeam], at location: SourceLocation, _ reason: String
    ) {
        let team = teams[index].standing.team
        let isCurrent = teams[index].standing.state == .current
        var problems = teams[index].standing.diagnostics
        problems.error(at: location, reason)
        // What is kept may be too much as well; the next time round it is none.
        let listFiles = teams[index].listFiles
        teams[index] = fallBack(team, isCurrent ? keptVersion(team.name) : nil, problems)
        teams[index].listFiles = listFiles
    }
}

/// The files of rules that are to be looked at for changes.
package struct RuleWatch: Sendable {
    private let main: [String]
    private let decisions: String?
    private let teams: [Team]
    private let lists: [String]

    /// - Parameters:
    ///   - main: what `routes:` names.
    ///   - decisions: the main file of decisions.
    ///   - lists: the files of lists.
    package init(main: [String] = [], decisions: String? = nil, teams: [Team] = [], lists: [String] = []) {
        self.main = main
        self.decisions = decisions
        self.teams = teams
        self.lists = lists
    }

    /// Those that are there now.
    package var files: [String] { RuleFileSets(teams, decisions: decisions).watched(main: main) + lists }
}

extension RuleFiles {
    fileprivate var versionLists: [TeamVersion.File] { lists.map { TeamVersion.File(path: $0.path, bytes: $0.bytes) } }
}
