import Simulation
import Testing

@Suite("The simulation")
struct SimulationTests {
    @Test("keeps every promise under some seeds, through crashes, power cuts and failing calls")
    func promises() {
        var figures = Figures()
        for seed in 1...16 as ClosedRange<UInt64> {
            let outcome = Simulation.run(seed: seed)
            #expect(outcome.violation == nil, "make simulate SEED=\(seed)")
            figures += outcome.figures
        }
        #expect(figures.crashes > 10)
        #expect(figures.powerCuts > 5)
        #expect(figures.faults > 5)
        #expect(figures.attempts > figures.events)
        #expect(figures.reloads > 5)
        #expect(figures.requeued > 0)
        #expect(figures.discarded > 0)
        #expect(figures.replayed > 0)
    }

    /// All of them are run by `make simulate SWEEP=all`.
    @Test("keeps every promise wherever in a small scenario a crash comes")
    func sweep() {
        let points = Simulation.sweep()
        #expect(points.count > 500)
        for index in stride(from: 0, to: points.count, by: 37) {
            let outcome = Simulation.run(crashingAt: points[index])
            #expect(outcome.violation == nil, "make simulate SWEEP=\(index + 1)")
            #expect(outcome.figures.crashes == 1, "make simulate SWEEP=\(index + 1)")
        }
    }

    @Test("runs one seed twice alike", arguments: [5, 8, 13] as [UInt64])
    func repeats(seed: UInt64) {
        func lines() -> [String] {
            var lines: [String] = []
            _ = Simulation.run(seed: seed) { lines.append($0) }
            return lines
        }
        let first = lines()
        #expect(first.count > 20)
        #expect(first == lines())
    }
}
