internal import Configuration
internal import Cryptography
internal import Events
internal import Ingest
internal import Logging
internal import Metrics
internal import Rules
internal import Synchronization
internal import YAML

/// The teams of a running instance: keeps the versions that are at work, and tells of files that are not.
final class TeamDesk: Sendable {
    private let store: TeamVersionStore
    private let logger: Logger
    private let onRefused: @Sendable (Incident) -> Void
    private let current = Mutex<[TeamStanding]>([])

    private static let mostLines = 20

    init(
        dataFolder: String, metrics: MetricsRegistry, logger: Logger,
        onRefused: @escaping @Sendable (Incident) -> Void
    ) {
        store = TeamVersionStore(dataFolder: dataFolder)
        self.logger = logger
        self.onRefused = onRefused
        metrics.collected("gatehouse_team_refused", "1 while a team's files as they stand are not at work.") {
            [weak self] in
            self?.standings.map { ([("team", $0.name)], $0.state == .current ? 0 : 1) } ?? []
        }
    }

    /// Where the last version of each team's files is kept.
    var versions: TeamVersionStore { store }

    var standings: [TeamStanding] { current.withLock { $0 } }

    /// Takes note of what is at work now.
    func adopt(_ teams: [TeamStanding]) {
        for team in teams where team.state == .current {
            guard let version = team.version else { continue }
            do {
                try store.keep(version, of: team.name)
            } catch {
                logger.error(
                    "team_version_not_kept",
                    "The files of team \(team.name) could not be copied to the data folder: \(error). Should they break, "
                        + "a restart has nothing to fall back on.", ["team": .init(team.name)])
            }
        }
        store.forget(except: teams.map(\.name))
        let before = current.withLock { standings in
            defer { standings = teams.map(\.withoutTexts) }
            return standings
        }
        for team in teams {
            tell(team, before: before.first { $0.name == team.name })
        }
    }

    /// Says what is wrong with a team's files, once for each state of them.
    private func tell(_ team: TeamStanding, before: TeamStanding?) {
        let name = LogValue(team.name)
        guard team.state != .current else {
            if let before, before.state != .current {
                logger.info("team_loaded", "The files of team \(team.name) are at work again.", ["team": name])
            }
            return
        }
        guard before?.state != team.state || before?.diagnostics.all != team.diagnostics.all else { return }
        onRefused(Incident(refused: team))
        let errors = team.diagnostics.sorted.filter { $0.severity == .error }
        for error in errors.prefix(Self.mostLines) {
            logger.error("team_refused", "Team \(team.name): \(team.consequence): \(error.description)", ["team": name])
        }
        if team.errorCount > Self.mostLines {
            logger.error(
                "team_refused",
                "Team \(team.name): \(team.consequence): and \(team.errorCount - Self.mostLines) more errors",
                ["team": name])
        }
    }
}

extension Incident {
    private static let longestReason = 300

    /// The same errors are the same version of the files, also after a restart.
    fileprivate init(refused team: TeamStanding) {
        let errors = team.diagnostics.sorted.filter { $0.severity == .error }.map(\.description)
        let version = Hex.encode(SHA256.hash(Array(errors.joined(separator: "\n").utf8)))
        self.init(
            .systemTeamFileRefused, team: team.name,
            reason: errors.first.map { String($0.prefix(Self.longestReason)) }, count: Int64(team.errorCount),
            occurrence: version)
    }
}
