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
        guard world.mayAct() else { return }
        receiver.receive(sent([outgoing]), isBatch: false) { outcome in
            switch outcome {
            case .all(let outcome): completion(outcome)
            case .each(let outcomes): completion(outcomes[0])
            }
        }
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        guard world.mayAct() else { return }
        guard world.bug == .loseOneOfABatch, batch.count > 1 else {
            return receiver.receive(sent(batch), isBatch: true, answer: completion)
        }
        receiver.receive(sent(batch.dropLast()), isBatch: true) { outcome in
            switch outcome {
            case .all: completion(outcome)
            case .each(let outcomes): completion(.each(outcomes + [.taken]))
            }
        }
    }

    private func sent(_ events: [OutgoingEvent]) -> [OutgoingEvent] {
        guard world.bug == .replayWithoutMark else { return events }
        return events.map { event in
            var event = event
            event.replay = nil
            return event
        }
    }

    func close() {}
}
