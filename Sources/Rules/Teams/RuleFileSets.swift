internal import Glibc
internal import YAML

/// Which files of rules are whose: a team's are below the paths the configuration gives it, the main ones below
/// `routes:` and nowhere in a team's. A file of decisions is no file of routes, wherever it stands.
struct RuleFileSets {
    /// Below them every file is a team's.
    private struct Owned {
        var team: Int
        var path: String
        var lexical: String
        var identity: String
        /// It is the team's file of decisions.
        var holdsDecisions = false
    }

    private let teams: [Team]
    private let owned: [Owned]
    /// The main file of decisions.
    private let mainDecisions: Owned?
    /// Paths that a `${…}` stands for, and how they are written.
    private let references: [String: String]

    /// Bytes of all files of one team.
    static let mostTeamBytes = 64 << 20

    /// - Parameter decisions: the path of the main file of decisions.
    init(_ teams: [Team], decisions: String? = nil, references: [String: String] = [:]) {
        self.teams = teams
        self.references = references
        owned = teams.enumerated().flatMap { index, team in
            team.paths.map { Self.place($0, of: index) }
                + (team.decisionsPath.map { [Self.place($0, of: index, holdsDecisions: true)] } ?? [])
        }
        mainDecisions = decisions.map { Self.place($0, of: -1, holdsDecisions: true) }
    }

    private static func place(_ path: String, of team: Int, holdsDecisions: Bool = false) -> Owned {
        Owned(
            team: team, path: path, lexical: RulePaths.lexical(path), identity: RouteFiles.identity(path),
            holdsDecisions: holdsDecisions)
    }

    /// Reports paths that two teams share, and paths of `routes:` that are a team's.
    func checkPaths(main: [String], at location: SourceLocation, _ diagnostics: inout Diagnostics) {
        for (index, one) in owned.enumerated() {
            for other in owned[..<index] where other.team != one.team {
                guard RulePaths.overlap(one.lexical, other.lexical) else { continue }
                diagnostics.error(
                    at: teams[one.team].location,
                    "the files of team \(teams[one.team].name) (\(displayable(one.path))) are files of team "
                        + "\(teams[other.team].name) too (\(displayable(other.path))); give each team a folder of its own"
                )
            }
        }
        for (key, path) in main.map({ ("routes:", $0) }) + (mainDecisions.map { [("decisions:", $0.path)] } ?? []) {
            guard let owner = owned.first(where: { RulePaths.isInside(RulePaths.lexical(path), $0.lexical) }) else {
                continue
            }
            diagnostics.error(
                at: location,
                "\(displayable(path)) belongs to team \(teams[owner.team].name); take it out of `\(key)`")
        }
    }

    /// A file as people are told of it: what a reference stands for is nobody's to know.
    private func shown(_ file: String) -> String {
        for (path, reference) in references where RulePaths.isInside(file, path) {
            let rest = file.dropFirst(path.count)
            return reference + (rest.isEmpty || rest.hasPrefix("/") ? "" : "/") + rest
        }
        return file
    }

    /// The file's own path, by the name that people are told.
    func actual(_ shown: String) -> String {
        for (path, reference) in references where RulePaths.isInside(shown, reference) {
            return path + shown.dropFirst(reference.count)
        }
        return shown
    }

    // MARK: Main files

    /// The files that `routes:` leads to, less those of teams, each once.
    func mainFiles(
        _ paths: [String], at location: SourceLocation, _ diagnostics: inout Diagnostics
    ) -> [(file: String, bytes: [UInt8])] {
        var texts: [(file: String, bytes: [UInt8])] = []
        var known: Set<String> = []
        for path in paths {
            do throws(RouteFiles.Failure) {
                let files = try RouteFiles.below(path, skipping: isOwned)
                if files.isEmpty, !owned.contains(where: { RulePaths.isInside($0.lexical, RulePaths.lexical(path)) }) {
                    diagnostics.warning(at: location, "\(displayable(path)) holds no *.yaml file")
                }
                for file in files where !holdsDecisions(file) && known.insert(RouteFiles.identity(file)).inserted {
                    if let bytes = read(file, &diagnostics) { texts.append((shown(file), bytes)) }
                }
            } catch {
                diagnostics.error(at: location, "cannot read \(displayable(error.path)): \(error.message)")
            }
        }
        return texts
    }

    /// The main file of decisions; nil where there is none, or it cannot be read.
    func mainDecisionFile(_ diagnostics: inout Diagnostics) -> (file: String, bytes: [UInt8])? {
        guard let path = mainDecisions?.path else { return nil }
        return read(path, &diagnostics).map { (shown(path), $0) }
    }

    private func read(_ file: String, _ diagnostics: inout Diagnostics) -> [UInt8]? {
        do throws(FileReadingError) {
            return try readFile(file, maximumBytes: maximumYAMLBytes)
        } catch {
            diagnostics.error(at: SourceLocation(file: shown(file)), "cannot read the file: \(error.message)")
            return nil
        }
    }

    private var decisionPlaces: [Owned] { owned.filter(\.holdsDecisions) + (mainDecisions.map { [$0] } ?? []) }

    /// Whether the file is somebody's file of decisions, by whatever path it is reached.
    private func holdsDecisions(_ file: String) -> Bool {
        let places = decisionPlaces
        guard !places.isEmpty else { return false }
        let (lexical, identity) = (RulePaths.lexical(file), RouteFiles.identity(file))
        return places.contains { $0.lexical == lexical || $0.identity == identity }
    }

    private func isOwned(_ path: String) -> Bool {
        !owned.isEmpty && isOwned(RulePaths.lexical(path), identity: RouteFiles.identity(path))
    }

    private func isOwned(_ lexical: String, identity: String) -> Bool {
        owned.contains { RulePaths.isInside(identity, $0.identity) || RulePaths.isInside(lexical, $0.lexical) }
    }

    // MARK: Watching

    /// Every file of rules that is there now, of the main files and of teams. A path that cannot be read through gives
    /// itself: it is watched for being mended.
    func watched(main paths: [String]) -> [String] {
        var files: [String] = []
        for path in paths {
            // Asked once for all files below, because this is looked at every second.
            let identity = RouteFiles.identity(path)
            let found = try? RouteFiles.below(path) {
                isOwned(
                    RulePaths.lexical($0), identity: RulePaths.lexical(identity + $0.dropFirst(path.count)))
            }
            files += found ?? [path]
        }
        for team in owned where !team.holdsDecisions {
            files += (try? RouteFiles.below(team.path)) ?? [team.path]
        }
        let known = Set(files)
        return files + decisionPlaces.map(\.path).filter { !known.contains($0) }
    }

    // MARK: A team's files

    /// The team's files as they stand. Whatever is wrong with them is the team's, not the configuration's.
    func files(of team: Int, _ diagnostics: inout Diagnostics) -> [TeamVersion.File] {
        let team = (index: team, name: teams[team].name, location: teams[team].location)
        var files: [TeamVersion.File] = []
        var known: Set<String> = []
        var size = 0
        for place in owned where place.team == team.index && !place.holdsDecisions {
            if let other = contender(place) {
                diagnostics.error(
                    at: team.location, "\(displayable(place.path)) leads to files of team \(teams[other.team].name)")
                continue
            }
            for path in paths(place, team.location, &diagnostics) {
                let identity = RouteFiles.identity(path)
                guard owned.contains(where: { $0.team == team.index && RulePaths.isInside(identity, $0.identity) })
                else {
                    diagnostics.error(
                        at: SourceLocation(file: shown(path)), "this leads out of the files of team \(team.name)")
                    continue
                }
                guard !holdsDecisions(path), known.insert(identity).inserted else { continue }
                if let bytes = read(path, &diagnostics) {
                    size += bytes.count
                    files.append(TeamVersion.File(path: shown(path), bytes: bytes))
                }
                guard size <= Self.mostTeamBytes else {
                    diagnostics.error(
                        at: team.location,
                        "the files of team \(team.name) hold more than \(Self.mostTeamBytes >> 20)MiB")
                    return files
                }
            }
        }
        return files
    }

    /// The team's file of decisions as it stands; nil where it has none, or it cannot be read.
    func decisionFile(of team: Int, _ diagnostics: inout Diagnostics) -> TeamVersion.File? {
        guard let place = owned.first(where: { $0.team == team && $0.holdsDecisions }) else { return nil }
        if let other = contender(place) {
            diagnostics.error(
                at: teams[team].location,
                "\(displayable(place.path)) leads to files of team \(teams[other.team].name)")
            return nil
        }
        return read(place.path, &diagnostics).map { TeamVersion.File(path: shown(place.path), bytes: $0) }
    }

    private func paths(
        _ place: Owned, _ location: SourceLocation, _ diagnostics: inout Diagnostics
    ) -> [String] {
        do throws(RouteFiles.Failure) {
            let paths = try RouteFiles.below(place.path)
            if paths.isEmpty {
                diagnostics.warning(at: location, "\(displayable(place.path)) holds no *.yaml file")
            }
            return paths
        } catch {
            diagnostics.error(at: location, "cannot read \(displayable(error.path)): \(error.message)")
            return []
        }
    }

    /// Another team that has these files already: of two paths that lead to one place, the one that is a link yields.
    private func contender(_ place: Owned) -> Owned? {
        owned.first { other in
            other.team != place.team && RulePaths.overlap(place.identity, other.identity)
                && (Self.isLink(place.path) || !Self.isLink(other.path))
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        let plain = path.hasSuffix("/") ? String(path.dropLast()) : path
        return unsafe lstat(plain, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
