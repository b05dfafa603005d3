import Glibc
import Simulation

/// Does the work in several processes, tells in its order how far it is, and names what failed.
struct Runner {
    private let work: Work
    private let processes: Int
    private let isTerminal = isatty(1) == 1
    private static let maximumReported = 20

    init(_ arguments: Arguments) {
        work = arguments.work
        processes = min(arguments.processes ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), work.count)
    }

    /// - Returns: whether every promise was kept.
    func run() -> Bool {
        let began = ContinuousClock.now
        var figures = Figures()
        var failed = 0
        var told = began
        let workers = (0..<processes).map { Worker(first: $0, step: processes) }
        for index in 0..<work.count {
            let report = workers[index % processes].next(index)
            figures += report?.figures ?? Figures()
            if let violation = report.map(\.violation) ?? "it ended the process" {
                failed += 1
                if failed <= Self.maximumReported { tell(index, violation) }
            }
            if isTerminal, .now - told > .milliseconds(200) {
                told = .now
                print("\r\(index + 1) of \(work.count) \(work.unit), \(failed) failed", terminator: "")
                fflush(nil)
            }
        }
        for worker in workers { worker.end() }
        conclude(figures, failed, ContinuousClock.now - began)
        return failed == 0
    }

    /// Runs the only one there is, and tells all that happens.
    func trace() -> Bool {
        let outcome = work.run(0) { print($0) }
        if let violation = outcome.violation { print("\(work.name(0)): \(violation)") }
        conclude(outcome.figures, outcome.violation == nil ? 0 : 1, nil)
        return outcome.violation == nil
    }

    private func tell(_ index: Int, _ violation: String) {
        if isTerminal { print("\r\u{1b}[K", terminator: "") }
        print("\(work.name(index)): \(violation)\n  again, with all that happens: \(work.command(index))")
        fflush(nil)
    }

    /// - Parameter duration: nil: nobody asked how long it took, and what is told is the same each time.
    private func conclude(_ figures: Figures, _ failed: Int, _ duration: Duration?) {
        if isTerminal { print("\r\u{1b}[K", terminator: "") }
        var first = "\(work.count) \(work.unit)"
        if let duration {
            let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
            first += " in \(Int(seconds)) s (\(Int(Double(work.count) / max(seconds, 0.001))) a second)"
        }
        print(
            """
            \(first), \(failed) failed
            \(figures.events) events, \(figures.attempts) attempts, \(figures.virtualSeconds / 3600) virtual hours
            \(figures.crashes) crashes (\(figures.powerCuts) of them power cuts) among \(figures.changes) writes, syncs \
            and other points, \(figures.faults) failed calls, \(figures.openings) openings
            \(figures.reloads) reloads, \(figures.requeued) dead letters requeued, \(figures.discarded) discarded, \
            \(figures.deadLetters) left, \(figures.replays) replays of \(figures.replayed) events, \
            \(figures.refusedFull) refusals by a full log
            """)
    }
}
