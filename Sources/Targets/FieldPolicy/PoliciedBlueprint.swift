import Events
import FieldPolicies
import JSON

/// A target under a field policy: whatever it does, it does with events of which only what the policy leaves is there. This
/// is the one place where the policy of a target is applied.
struct PoliciedBlueprint: TargetBlueprint {
    let inner: any TargetBlueprint
    let policy: FieldPolicy

    var settings: TargetSettings { inner.settings }
    var destination: String { inner.destination }

    func make(_ context: TargetContext) throws -> any Target {
        PoliciedTarget(try inner.make(context), policy)
    }
}

extension PoliciedBlueprint: RenderableBlueprint {
    var signatureHeaders: [String] { (inner as? any RenderableBlueprint)?.signatureHeaders ?? [] }

    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        guard let renderable = inner as? any RenderableBlueprint else {
            throw RenderingError("what it sends cannot be shown")
        }
        let parser = JSONParser()
        var policied: [OutgoingEvent] = []
        for event in events { policied.append(try event.under(policy, parser)) }
        return try renderable.message(policied, hostname: hostname, timestampSeconds: timestampSeconds)
    }
}

extension TargetBlueprint {
    /// The target, whatever is done to its events before.
    var unwrapped: any TargetBlueprint {
        switch self {
        case let policied as PoliciedBlueprint: policied.inner.unwrapped
        case let unresolved as UnresolvedBlueprint: unresolved.known?.unwrapped ?? unresolved
        default: self
        }
    }
}

extension OutgoingEvent {
    /// The same with what the policy leaves of its event.
    func under(_ policy: FieldPolicy, _ parser: JSONParser) throws(RenderingError) -> OutgoingEvent {
        var outgoing = self
        do throws(JSONError) {
            outgoing.event = try policy.view(of: event, with: parser)
        } catch {
            throw RenderingError("it cannot be read under the target's field policy")
        }
        return outgoing
    }
}

/// Hands events on as the policy leaves them.
final class PoliciedTarget: Target {
    private let inner: any Target
    private let policy: FieldPolicy

    init(_ inner: any Target, _ policy: FieldPolicy) {
        self.inner = inner
        self.policy = policy
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        do throws(RenderingError) {
            inner.send(try outgoing.under(policy, JSONParser()), completion: completion)
        } catch {
            completion(.failed(FailureClassification.failure(error)))
        }
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        var policied: [OutgoingEvent] = []
        policied.reserveCapacity(batch.count)
        let parser = JSONParser()
        do throws(RenderingError) {
            for outgoing in batch { policied.append(try outgoing.under(policy, parser)) }
        } catch {
            return completion(.all(.failed(FailureClassification.failure(error))))
        }
        inner.send(batch: policied, completion: completion)
    }

    func close() { inner.close() }

    func watchConnections(_ told: @escaping @Sendable (ConnectionNews) -> Void) { inner.watchConnections(told) }

    func forgetLost(_ connection: Int) { inner.forgetLost(connection) }
}
