import Simulation
import Testing

/// The test of the test: what the simulation must find is planted, and it has to be found soon.
@Suite("A planted bug")
struct PlantedBugTests {
    private static let seeds: ClosedRange<UInt64> = 1...150

    @Test(
        "is found within a bounded number of seeds, while the same seeds hold without it",
        arguments: PlantedBug.allCases)
    func isFound(bug: PlantedBug) throws {
        let found = Self.seeds.lazy.first { Simulation.run(seed: $0, bug: bug).violation != nil }
        let seed = try #require(found, "no seed of \(Self.seeds) finds \(bug)")
        #expect(Simulation.run(seed: seed).violation == nil, "the seed that finds it fails by itself")
    }
}
