import Events
import Targets

/// A receiver as one run of the program reaches it.
///
/// Unchecked: confined to the one thread of a simulation.
final class SimulatedTarget: Target, @unchecked Sendable {
    private let receiver: SimulatedReceiver
    private let world: World

    init(_ receiver: SimulatedReceiver, _ world: World) {
        self.receiver = receiver
        self.world = world
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard world.mayAct(), let id = outgoing.event.id else { return }
        receiver.receive(id, attempt: outgoing.attempt, answer: completion)
    }

    func close() {}
}

struct SimulatedBlueprint: TargetBlueprint {
    var settings: TargetSettings
    var destination: String { "memory:\(settings.name)" }

    init(_ plan: Scenario.Receiver) {
        settings = TargetSettings(name: plan.name, type: "simulated")
        settings.start = .beginning
        settings.fingerprint = "1"
        settings.concurrency = plan.concurrency
        settings.attempts = SimulatedReceiver.attempts
    }

    func make(_ context: TargetContext) throws -> any Target { throw SimulationError("made by the simulation alone") }
}

struct SimulationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
