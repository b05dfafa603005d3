import SimulatedDisk

/// One seed, from its first event to its proof.
package enum Simulation {
    package struct Outcome: Sendable {
        package var seed: UInt64
        /// Nil when everything held.
        package var violation: Violation?
        package var figures: Figures
    }

    /// - Parameter tracer: told, line by line, what happens.
    package static func run(
        seed: UInt64, bug: PlantedBug? = nil, tracer: ((String) -> Void)? = nil
    ) -> Outcome {
        do {
            let world = try World(seed: seed, bug: bug, tracer: tracer)
            world.run()
            return Outcome(seed: seed, violation: world.violation, figures: world.figures)
        } catch {
            return Outcome(seed: seed, violation: Violation("it could not be set up: \(error)"), figures: Figures())
        }
    }
}
