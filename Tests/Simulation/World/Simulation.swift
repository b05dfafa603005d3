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
        outcome(seed) { try World(seed: seed, bug: bug, tracer: tracer) }
    }

    private static func outcome(_ number: UInt64, _ make: () throws -> World) -> Outcome {
        do {
            let world = try make()
            world.run()
            return Outcome(seed: number, violation: world.violation, figures: world.figures)
        } catch {
            return Outcome(seed: number, violation: Violation("it could not be set up: \(error)"), figures: Figures())
        }
    }

    // MARK: Sweeping

    /// The runs of a sweep: a small scenario, again and again, with a crash at one place after the other.
    package static func sweep() -> [CrashPoint] {
        let clean = outcome(0) { try World(swept: nil, tracer: nil) }.figures
        return CrashPoint.all(changes: clean.changes, actions: clean.actions)
    }

    package static func run(crashingAt point: CrashPoint, tracer: ((String) -> Void)? = nil) -> Outcome {
        outcome(0) { try World(swept: point, tracer: tracer) }
    }
}
