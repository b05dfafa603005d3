package import Targets

/// What operators ask for: of the engine itself where it keeps everything, of all instances where several share the work.
package protocol DeliveryOperations: AnyObject, Sendable {
    /// Every target as it stands now, on all instances.
    func targets() throws -> [TargetStatus]
    /// The accounts as they stand now.
    func reconcile() throws -> Reconciliation

    /// Sends nothing more to a target until `resume`, also after a restart.
    func pause(_ target: String, by actor: String) throws
    /// Ends a pause, and what the target's own answer (410) switched off.
    func resume(_ target: String, by actor: String) throws
    /// Removes a target that is no longer configured, with its counters, history and dead letters.
    func forget(_ target: String, by actor: String) throws
    /// Sends a marked sample through a target as it runs here.
    /// - Parameter completion: called once, on any thread.
    func test(
        _ target: String, by actor: String, completion: @escaping @Sendable (TargetTestReport) -> Void
    ) throws

    /// Decides about every dead letter that matches, oldest first.
    /// - Parameters:
    ///   - condition: asked of each of them as well.
    ///   - actor: who decides, for the audit log.
    /// - Throws: `DeliveryStoreError`; those before it are decided.
    func carryOut(
        _ action: DeadLetterAction, on filter: DeadLetterFilter, by actor: String,
        where condition: (DeadLetterRow) -> Bool
    ) throws -> DeadLetterDecision

    /// Begins a replay. Both the replay and who asked for it are durable when this returns.
    /// - Throws: `DeliveryStoreError` when it makes no sense, or there are too many.
    func replay(_ request: ReplayRequest, by actor: String) throws -> ReplayStatus
    /// Ends a replay; one that has ended stays as it is.
    func cancelReplay(_ number: Int64, by actor: String) throws -> ReplayStatus
    /// Those at work, and the newest of those that have ended, in the order they came.
    func replays() throws -> [ReplayStatus]
    /// What a replay would send, a piece of the log at a time; nothing is sent or written.
    /// - Parameters:
    ///   - cursor: the `next` of the piece before; nil for the first one.
    ///   - limit: events listed.
    func rehearse(_ request: ReplayRequest, after cursor: ReplayCursor?, limit: Int) throws -> ReplayRehearsal

    /// Writes down what somebody did or read; it is durable when this returns.
    func audit(_ entry: AuditEntry) throws
}

/// What became of a decision about dead letters.
package struct DeadLetterDecision: Sendable, Hashable {
    /// Decided, and durable.
    package var done: Int
    /// Handed to the instances that hold them, which have not answered yet. They are decided as soon as one does.
    package var waiting: Int
    /// Dead letters still: the target does not take them now, or somebody else has decided meanwhile.
    package var kept: Int

    package init(done: Int, waiting: Int = 0, kept: Int = 0) {
        self.done = done
        self.waiting = waiting
        self.kept = kept
    }
}

extension DeliveryEngine: DeliveryOperations {
    package func carryOut(
        _ action: DeadLetterAction, on filter: DeadLetterFilter, by actor: String,
        where condition: (DeadLetterRow) -> Bool
    ) throws -> DeadLetterDecision {
        var matching = 0
        let done = try decide(action, filter, by: actor) { letter in
            guard condition(letter) else { return false }
            matching += 1
            return true
        }
        return DeadLetterDecision(done: done, kept: matching - done)
    }

    package func audit(_ entry: AuditEntry) throws { try store.audit(entry) }
}
