internal import Console
internal import Events
internal import Rules
internal import Synchronization

/// The routes of a running instance, for those who ask.
final class RouteBoard: Sendable {
    private struct State {
        var listing = RouteListing(RuleSets())
        var mainHash = ""
        var mainSinceMs: Int64 = 0
    }

    private let state = Mutex(State())

    var listing: RouteListing { state.withLock { $0.listing } }

    /// Takes note of what is at work now.
    func adopt(_ rules: RuleSets) {
        var shown = rules
        shown.teams = rules.teams.map(\.withoutTexts)
        let now = Timestamp.now().milliseconds
        state.withLock { state in
            if state.mainHash != rules.mainHash { state.mainSinceMs = now }
            state.mainHash = rules.mainHash
            state.listing = RouteListing(shown, mainSinceMs: state.mainSinceMs)
        }
    }
}
