internal import Delivery
internal import Synchronization
internal import Targets

/// What operators ask of all instances, from the moment that Kafka answers.
final class DeferredOperations: DeliveryOperations {
    private let engine: DeliveryEngine
    private let operations = Mutex<(any DeliveryOperations)?>(nil)

    init(_ engine: DeliveryEngine) {
        self.engine = engine
    }

    func begin(_ operations: any DeliveryOperations) {
        self.operations.withLock { $0 = operations }
    }

    private func ready() throws -> any DeliveryOperations {
        guard let operations = operations.withLock({ $0 }) else {
            throw DeliveryStoreError("Kafka has not answered since this instance started")
        }
        return operations
    }

    /// Before that as they stand here, where nothing is sent yet.
    func targets() throws -> [TargetStatus] {
        try operations.withLock { $0 }?.targets() ?? engine.targets()
    }

    func reconcile() throws -> Reconciliation { try ready().reconcile() }
    func pause(_ target: String, by actor: String) throws { try ready().pause(target, by: actor) }
    func resume(_ target: String, by actor: String) throws { try ready().resume(target, by: actor) }
    func forget(_ target: String, by actor: String) throws { try ready().forget(target, by: actor) }

    func test(
        _ target: String, by actor: String, completion: @escaping @Sendable (TargetTestReport) -> Void
    ) throws {
        try ready().test(target, by: actor, completion: completion)
    }

    func carryOut(
        _ action: DeadLetterAction, on filter: DeadLetterFilter, by actor: String,
        where condition: (DeadLetterRow) -> Bool
    ) throws -> DeadLetterDecision {
        try ready().carryOut(action, on: filter, by: actor, where: condition)
    }

    func replay(_ request: ReplayRequest, by actor: String) throws -> ReplayStatus {
        try ready().replay(request, by: actor)
    }

    func cancelReplay(_ number: Int64, by actor: String) throws -> ReplayStatus {
        try ready().cancelReplay(number, by: actor)
    }

    func replays() throws -> [ReplayStatus] { try ready().replays() }

    func rehearse(_ request: ReplayRequest, after cursor: ReplayCursor?, limit: Int) throws -> ReplayRehearsal {
        try ready().rehearse(request, after: cursor, limit: limit)
    }

    func audit(_ entry: AuditEntry) throws { try ready().audit(entry) }
}
