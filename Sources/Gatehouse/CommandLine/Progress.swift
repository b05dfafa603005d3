internal import Glibc
internal import Synchronization

/// Says on a terminal how far long work has come; says nothing elsewhere.
final class Progress: Sendable {
    private struct State {
        var done = 0
        var isShown = false
        var next: ContinuousClock.Instant
    }

    private let total: Int
    private let what: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state: Mutex<State>

    init(of total: Int, _ what: String) {
        self.total = total
        self.what = what
        // What is done within a second needs no progress.
        state = Mutex(State(next: .now + .seconds(1)))
    }

    func add(_ count: Int) {
        guard isTerminal else { return }
        state.withLock { state in
            state.done += count
            guard ContinuousClock.now >= state.next else { return }
            state.next = .now + .milliseconds(200)
            state.isShown = true
            Terminal.write(Array("\r\(state.done) of \(total) \(what)".utf8), to: STDERR_FILENO)
        }
    }

    /// Takes the line away.
    func finish() {
        guard state.withLock({ $0.isShown }) else { return }
        Terminal.write(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO)
    }
}
