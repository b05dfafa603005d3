package import YAML

/// The rules of the main files and of every team, at work together.
package struct RuleSets: Sendable {
    /// Of every enabled route; empty when the main files have an error.
    package var plan = RulePlan.empty
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

/// Reads the main files and every team's, each by itself: an error of a team's files is that team's, and the last version
/// of them that loaded stays at work.
package struct RuleSetLoader {
    private let environment: RuleEnvironment
    private let teams: [Team]
    private let sets: RuleFileSets
    private let keptVersion: (String) -> TeamVersion?
    private let nowMs: Int64

    /// - Parameters:
    ///   - environment: what the main files may name.
    ///   - references: paths that a `${…}` stands for, and how they are written: so they are named.
    ///   - keptVersion: the last version of a team's files that was at work.
    ///   - nowMs: milliseconds since 1970.
    package init(
        environment: RuleEnvironment, teams: [Team], references: [String: String] = [:], nowMs: Int64,
        keptVersion: @escaping (String) -> TeamVersion?
    ) {
        let sets = RuleFileSets(teams, references: references)
        var environment = environment
        environment.actualPath = { sets.actual($0) }
        self.environment = environment
        self.teams = teams
        self.nowMs = nowMs
        self.keptVersion = keptVersion
        self.sets = sets
    }

    /// - Parameters:
    ///   - paths: what `routes:` names.
    ///   - location: where it does.
    ///   - diagnostics: of the configuration and the main files. A team's are in its standing.
    package func load(paths: [String], at location: SourceLocation, _ diagnostics: inout Diagnostics) -> RuleSets {
        var found = Diagnostics()
        sets.checkPaths(main: paths, at: location, &found)
        let texts = sets.mainFiles(paths, at: location, &found)
        let main = RuleLoader.read(texts, environment: environment)
        found.merge(main.diagnostics)
        var loaded = teams.indices.map(load)
        var plan: RulePlan?
        while plan == nil, !found.hasErrors {
            plan = compile(main, &loaded, &found)
        }
        diagnostics.merge(found)

        var result = RuleSets()
        result.plan = plan ?? .empty
        result.routes = main.routes
        result.tests = main.tests
        result.mainHash =
            TeamVersion(
                files: texts.map { .init(path: $0.file, bytes: $0.bytes) }, lists: main.versionLists, sinceMs: 0
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
        let kept = keptVersion(team.name)
        var listFiles: [String] = []
        if !diagnostics.hasErrors {
            let rules = read(files, team)
            diagnostics.merge(rules.diagnostics)
            listFiles = rules.lists.map(\.path)
            if !diagnostics.hasErrors {
                var version = TeamVersion(files: files, lists: rules.versionLists, sinceMs: nowMs)
                if let kept, kept.files == version.files, kept.lists == version.lists { version.sinceMs = kept.sinceMs }
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
            let rules = read(kept.files, team, lists: kept.lists)
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
            diagnostics: diagnostics)
    }

    /// - Parameter lists: those of a version that is kept; nil: those on the disk.
    private func read(_ files: [TeamVersion.File], _ team: Team, lists: [TeamVersion.File]? = nil) -> RuleFiles {
        RuleLoader.read(
            files.map { ($0.path, $0.bytes) }, team: team, environment: environment,
            lists: lists.map { Dictionary($0.map { ($0.path, $0.bytes) }) { first, _ in first } })
    }

    // MARK: The plan

    /// The plan of all of them. Nil where a team had to give way, or the main files are too much by themselves.
    private func compile(
        _ main: RuleFiles, _ teams: inout [LoadedTeam], _ diagnostics: inout Diagnostics
    ) -> RulePlan? {
        let count = main.routes.count + teams.reduce(0) { $0 + $1.files.routes.count }
        if count > RuleLoader.mostRoutes, let largest = largest(teams, { $0.files.routes.count }) {
            giveWay(
                largest, &teams, at: teams[largest].standing.team.location,
                "all files together have \(count) routes, more than \(RuleLoader.mostRoutes), and team "
                    + "\(teams[largest].standing.name) has the most of the teams (\(teams[largest].files.routes.count))"
            )
            return nil
        }
        do throws(PlanTooLarge) {
            return try RulePlan(
                main.routes + teams.flatMap(\.files.routes), sourceZones: environment.sourceZones,
                memoryLimit: RulePlan.memoryLimit)
        } catch {
            if let largest = largest(teams, memory) {
                let isItsOwn = teams[largest].files.routes.contains { $0.name == error.route }
                giveWay(
                    largest, &teams, at: isItsOwn ? error.location : teams[largest].standing.team.location,
                    "the routes of all files together take too much memory, and those of team "
                        + "\(teams[largest].standing.name) the most of the teams: \(error)")
            } else {
                diagnostics.error(at: error.location, error.description)
            }
            return nil
        }
    }

    /// What the team's routes take by themselves, in bytes.
    private func memory(_ team: LoadedTeam) -> Int {
        let plan = try? RulePlan(
            team.files.routes, sourceZones: environment.sourceZones, memoryLimit: RulePlan.memoryLimit)
        return plan?.memory ?? Int.max
    }

    /// One team's growth must not cost another one its routes. Nil when no team has any.
    private func largest(_ teams: [LoadedTeam], _ size: (LoadedTeam) -> Int) -> Int? {
        let sizes = teams.map { $0.files.routes.isEmpty ? 0 : size($0) }
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
    private let teams: [Team]
    private let lists: [String]

    /// - Parameters:
    ///   - main: what `routes:` names.
    ///   - lists: the files of lists.
    package init(main: [String] = [], teams: [Team] = [], lists: [String] = []) {
        self.main = main
        self.teams = teams
        self.lists = lists
    }

    /// Those that are there now.
    package var files: [String] { RuleFileSets(teams).watched(main: main) + lists }
}

extension RuleFiles {
    fileprivate var versionLists: [TeamVersion.File] { lists.map { TeamVersion.File(path: $0.path, bytes: $0.bytes) } }
}
