internal import Events
package import YAML

/// How a team's files stand: which version of them is at work, and what is wrong with them.
package struct TeamStanding: Sendable {
    package enum State: String, Sendable, CaseIterable {
        /// The files as they stand.
        case current
        /// The last version that loaded, in place of the files as they stand.
        case kept
        /// None: the files do not load, and no version that does is kept.
        case refused
    }

    package var team: Team
    package var state: State
    /// What is at work; nil when nothing is.
    package var version: TeamVersion?
    /// Of the routes at work, disabled ones not counted.
    package var routeCount: Int
    /// Of the decisions at work, disabled ones not counted.
    package var decisionCount = 0
    /// What was found in the files as they stand, and why a kept version was not taken.
    package var diagnostics: Diagnostics

    package var name: String { team.name }

    /// The first error in reading order; nil for a team whose files load.
    package var error: Diagnostic? { diagnostics.sorted.first { $0.severity == .error } }

    /// When the version at work first was: milliseconds since 1970.
    package var sinceMs: Int64? { version?.sinceMs }

    /// What the state means, in words.
    package var consequence: String {
        switch state {
        case .current: "its files are at work"
        case .kept: "its routes of \(Timestamp(milliseconds: sinceMs ?? 0).text) are kept"
        case .refused: "it has no routes at work"
        }
    }

    /// For those who only look: the texts of a hundred thousand routes are much memory.
    package var withoutTexts: TeamStanding {
        var standing = self
        standing.version?.files = []
        standing.version?.decisions = nil
        return standing
    }

    package var errorCount: Int { diagnostics.all.count { $0.severity == .error } + diagnostics.suppressed }
}
