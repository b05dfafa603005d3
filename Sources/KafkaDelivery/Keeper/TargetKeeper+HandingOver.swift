internal import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

/// Shards on their way to the engine, and back to the group.
extension TargetKeeper {
    func advance(_ nowMs: Int64) {
        handOver()
        giveBack()
        let backups = state.withLock { state in
            state.ledger.takeDueBackups(state.shards(in: .held), nowMs).map { ($0, backup($0, state)) }
        }
        for (shard, backup) in backups { context.control.write(.cursor(target: name, shard: shard), backup) }
    }

    private func backup(_ shard: Int, _ state: State) -> CursorBackup {
        state.ledger.backup(shard, layout, wallMs: Moment.now().wallMs)
    }

    /// Shards whose taking up is kept go to the engine.
    private func handOver() {
        let next = state.withLock { state -> (new: [(Int, CursorBackup)], generation: Int)? in
            let shards = state.shards(in: .settling)
            guard !shards.isEmpty, !state.isIntroducing, state.journal.isSettled(shards, belongs(to: shards)) else {
                return nil
            }
            let new = shards.filter { state.ledger.isNew($0) }
            state.isIntroducing = !new.isEmpty
            if new.isEmpty { handOver(shards, &state) }
            return (new.sorted().map { ($0, backup($0, state)) }, state.generation)
        }
        guard let (new, generation) = next else { return }
        guard !new.isEmpty else { return context.onChange() }
        write(new) { [weak self] isKept in
            guard let self else { return }
            self.state.withLock { state in
                state.isIntroducing = false
                guard isKept, state.generation == generation else { return }
                let nowMs = Self.nowMs()
                for (shard, _) in new { state.ledger.wroteBackup(shard, nowMs) }
            }
            if isKept { self.pump() } else { self.pumpLater() }
        }
    }

    private func handOver(_ shards: Set<Int>, _ state: inout State) {
        for shard in shards.sorted() {
            guard let restored = state.settling.removeValue(forKey: shard) else { continue }
            state.shards[shard] = .held
            state.changes.append(.assigned(restored))
        }
    }

    /// Shards the engine has let go of go back to the group, once everything of them is kept.
    private func giveBack() {
        let (backups, generation) = state.withLock { state -> ([(Int, CursorBackup)], Int) in
            let shards = state.revoked
            guard !shards.isEmpty, shards.isSubset(of: state.shards(in: .releasing)),
                state.journal.isSettled(shards, belongs(to: shards))
            else { return ([], 0) }
            state.revoked = []
            return (shards.sorted().map { ($0, backup($0, state)) }, state.generation)
        }
        guard !backups.isEmpty else { return }
        write(backups) { [weak self] _ in
            guard let self else { return }
            let membership = self.state.withLock { state -> KafkaMembership? in
                guard state.generation == generation else { return nil }
                self.forget(Set(backups.map(\.0)), &state)
                return state.membership
            }
            membership?.released()
        }
    }

    /// - Parameter completion: whether all are kept; on the queue.
    private func write(_ backups: [(Int, CursorBackup)], completion: @escaping @Sendable (Bool) -> Void) {
        let counter = Counted(left: backups.count)
        for (shard, backup) in backups {
            context.control.write(.cursor(target: name, shard: shard), backup) { [queue] result in
                guard let isKept = counter.ended((try? result.get()) != nil) else { return }
                queue.async { completion(isKept) }
            }
        }
    }

    private func pumpLater() {
        queue.asyncAfter(deadline: .now() + .milliseconds(500)) { [weak self] in self?.wake() }
    }
}

/// Counts answers until all have come.
private final class Counted: Sendable {
    private let state: Mutex<(left: Int, isKept: Bool)>

    init(left: Int) { state = Mutex((left, true)) }

    /// - Returns: with the last one, whether all were good.
    func ended(_ isGood: Bool) -> Bool? {
        state.withLock { state in
            state.left -= 1
            if !isGood { state.isKept = false }
            return state.left == 0 ? state.isKept : nil
        }
    }
}
