import Glibc
import Simulation

/// Runs seeds, tells how far it is, and names those that failed.
struct Runner {
    private let arguments: Arguments
    private let isTerminal = isatty(1) == 1
    private static let maximumReported = 20

    init(_ arguments: Arguments) {
        self.arguments = arguments
    }

    /// - Returns: whether every promise was kept.
    func run() -> Bool {
        let began = ContinuousClock.now
        var figures = Figures()
        var failed: [UInt64] = []
        var told = began
        for seed in arguments.seeds {
            ProcessSettings.announce(seed)
            let outcome = Simulation.run(
                seed: seed, bug: arguments.bug, tracer: arguments.isTraced ? { print($0) } : nil)
            figures += outcome.figures
            if let violation = outcome.violation {
                failed.append(seed)
                if failed.count <= Self.maximumReported { report(seed, violation) }
            }
            if isTerminal, !arguments.isTraced, .now - told > .milliseconds(200) {
                told = .now
                progress(seed, failed.count)
            }
        }
        conclude(figures, failed, ContinuousClock.now - began)
        return failed.isEmpty
    }

    private func report(_ seed: UInt64, _ violation: Violation) {
        if isTerminal { print("\r\u{1b}[K", terminator: "") }
        print("seed \(seed): \(violation)")
        defer { fflush(nil) }
        if !arguments.isTraced { print("  again, with all that happens: make simulate SEED=\(seed)") }
    }

    private func progress(_ seed: UInt64, _ failed: Int) {
        let done = seed - arguments.seeds.lowerBound + 1
        print("\r\(done) of \(arguments.seeds.count) seeds, \(failed) failed", terminator: "")
        fflush(nil)
    }

    private func conclude(_ figures: Figures, _ failed: [UInt64], _ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        let rate = Double(arguments.seeds.count) / max(seconds, 0.001)
        if isTerminal { print("\r\u{1b}[K", terminator: "") }
        print(
            """
            \(arguments.seeds.count) seeds in \(Int(seconds)) s (\(Int(rate)) a second), \(failed.count) failed
            \(figures.events) events, \(figures.attempts) attempts, \(figures.virtualSeconds / 3600) virtual hours
            \(figures.crashes) crashes (\(figures.powerCuts) of them power cuts) among \(figures.changes) writes, syncs \
            and other points, \(figures.faults) failed calls, \(figures.openings) openings
            """)
    }
}
