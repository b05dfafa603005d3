internal import EventLog
internal import Events
internal import Logging
internal import Targets

/// What is to become of dead letters.
package enum DeadLetterAction: String, Sendable, CaseIterable {
    /// Sent again.
    case requeue
    /// Given up for good.
    case discard
}

extension DeliveryEngine {
    /// Decides about every dead letter that matches, oldest first. Each is decided once, though the log of operators' actions
    /// and the decision are on the disk when this returns.
    /// - Parameters:
    ///   - condition: asked of each of them as well.
    ///   - actor: who decides, for the audit log.
    /// - Returns: how many there were.
    /// - Throws: `DeliveryStoreError`; those before it are decided.
    package func decide(
        _ action: DeadLetterAction, _ filter: DeadLetterFilter, by actor: String,
        where condition: (DeadLetterRow) -> Bool = { _ in true }
    ) throws -> Int {
        var last: Int64 = 0
        var count = 0
        while true {
            let page = try store.deadLetters(filter, after: last, limit: 200)
            guard let end = page.last?.id else { return count }
            last = end
            let letters = Dictionary(grouping: page.filter(condition), by: DeadLetterOwner.init)
            for (owner, letters) in letters.sorted(by: { $0.key < $1.key }) {
                count += try decide(action, letters, of: owner, by: actor)
            }
        }
    }

    private func decide(
        _ action: DeadLetterAction, _ letters: [DeadLetterRow], of owner: DeadLetterOwner, by actor: String
    ) throws -> Int {
        for letter in letters {
            try store.audit(
                AuditEntry(
                    atMs: Moment.now().wallMs, actor: actor, action: "dead-letters.\(action.rawValue)",
                    subject: letter.event.hex,
                    detail: owner.target + (owner.replay.map { " replay=\($0)" } ?? "")))
        }
        return try operate(owner.target, replay: owner.replay) { core, runtime, now in
            try core.decide(action, letters, runtime, now)
        }
    }

    /// As `pause`, `resume` and `forget`, with who did it in the audit log.
    package func pause(_ target: String, by actor: String) throws {
        try note("targets.pause", target, actor)
        try pause(target)
    }

    package func resume(_ target: String, by actor: String) throws {
        try note("targets.resume", target, actor)
        try resume(target)
    }

    package func forget(_ target: String, by actor: String) throws {
        try note("targets.forget", target, actor)
        try forget(target)
    }

    private func note(_ action: String, _ target: String, _ actor: String) throws {
        guard targets().contains(where: { $0.name == target }) else { throw Self.unknown(target) }
        try store.audit(AuditEntry(atMs: Moment.now().wallMs, actor: actor, action: action, subject: target))
    }
}

/// Whose a dead letter is: a target's own, or one of its replays'.
package struct DeadLetterOwner: Hashable, Comparable {
    package var target: String
    package var replay: Int64?

    package init(_ letter: DeadLetterRow) {
        target = letter.target
        replay = letter.replay
    }

    package static func < (one: Self, other: Self) -> Bool {
        (one.target, one.replay ?? 0) < (other.target, other.replay ?? 0)
    }
}

extension EngineCore {
    /// - Returns: how many of them were decided: those that are dead letters still.
    func decide(
        _ action: DeadLetterAction, _ letters: [DeadLetterRow], _ runtime: TargetRuntime, _ now: Moment
    ) throws -> Int {
        guard action == .discard || runtime.settings != nil else {
            throw DeliveryStoreError("the target \(runtime.name) is not configured: nothing can be sent to it")
        }
        var count = 0
        for letter in letters {
            // Somebody else may have decided meanwhile.
            guard try store.hasDeadLetter(letter), runtime.state.owns(letter.place) else { continue }
            let routes = store.routeSet(letter.routes)
            switch action {
            case .requeue:
                if let refusal = refusal(of: letter, runtime) {
                    tellRefused(letter, runtime, refusal)
                    continue
                }
                guard runtime.state.canRequeue else {
                    throw DeliveryStoreError(
                        "the target \(runtime.name) has too many unfinished events now: try again later")
                }
                runtime.state.requeue(letter, routes, now)
            case .discard: runtime.state.discard(letter, routes, now)
            }
            count += 1
        }
        return count
    }

    /// Routes are not asked again, but nobody is sent who does not want to be, whatever was so when the event came.
    private func refusal(of letter: DeadLetterRow, _ runtime: TargetRuntime) -> FilteredReason? {
        guard var gate = AdmissionGate(runtime.settings, matcher.plan),
            let view = try? EventView(parsing: letter.payload, with: parser)
        else { return nil }
        return gate.refusal(of: view)
    }

    private func tellRefused(_ letter: DeadLetterRow, _ runtime: TargetRuntime, _ reason: FilteredReason) {
        logger.warning(
            "requeue_refused",
            "A dead letter of the target \(runtime.name) is not sent again: the target does not take it "
                + "(\(reason.rawValue)). It stays a dead letter until it is discarded.",
            ["target": .string(runtime.name), "id": .string(letter.event.hex), "reason": .string(reason.rawValue)])
    }
}
