import EventLog
import Synchronization

@testable import Delivery

/// The instances of one service, and what they keep together: who owns which shard, in memory.
final class MemoryCluster: Sendable {
    static let shards = 3

    private struct Member {
        var changes: [String: [ShardChange]] = [:]
        var targets: Set<String> = []
        var callback: (@Sendable () -> Void)?
        var backlog = 0
    }

    private struct Content {
        var shelves: [String: Shelf] = [:]
        var standings: [String: (isPaused: Bool, disabledReason: String?)] = [:]
        /// By target and shard: the instance.
        var owners: [String: [Int: Int]] = [:]
        /// Who is to have a shard when its owner has let go of it.
        var heirs: [String: [Int: Int]] = [:]
        var members: [Int: Member] = [:]
        var keptReplays: [KeptChange] = []
    }

    private let content = Mutex(Content())
    private let partitions: Int

    init(partitions: Int) {
        self.partitions = partitions
    }

    func keeper(_ instance: Int) -> MemoryKeeper {
        content.withLock { $0.members[instance] = Member() }
        return MemoryKeeper(self, instance)
    }

    // MARK: what a test does

    /// The owner is asked to let go of a shard, and another instance has it then.
    func move(_ shard: Int, of target: String, to heir: Int, withinMs limit: Int64 = 8000) {
        change { content in
            guard let owner = content.owners[target]?[shard], owner != heir else { return }
            content.heirs[target, default: [:]][shard] = heir
            let deadlineMs = Moment.now().monotonicMs + limit
            content.members[owner]?.changes[target, default: []].append(.revoked([shard], deadlineMs: deadlineMs))
        }
    }

    /// An instance is not heard of any more: another one has its shards at once.
    /// - Parameter isTold: it finds out.
    func replace(_ instance: Int, by heir: Int, isTold: Bool) {
        change { content in
            for (target, owners) in content.owners {
                let lost = Set(owners.filter { $0.value == instance }.keys)
                guard !lost.isEmpty else { continue }
                if isTold { content.members[instance]?.changes[target, default: []].append(.lost(lost)) }
                for shard in lost.sorted() { Self.give(shard, of: target, to: heir, &content) }
            }
            if !isTold { content.members[instance] = nil }
        }
    }

    func setBacklog(_ count: Int, of instance: Int) {
        change { $0.members[instance]?.backlog = count }
    }

    func owners(of target: String) -> [Int: Int] { content.withLock { $0.owners[target] ?? [:] } }

    func counters(_ target: String) -> TargetCounters {
        content.withLock { content in
            (0..<Int32(partitions)).reduce(into: TargetCounters()) {
                $0 += content.shelves[target]?.counters($1) ?? TargetCounters()
            }
        }
    }

    func position(_ target: String) -> LogPosition {
        content.withLock { content in
            LogPosition(offsets: (0..<Int32(partitions)).map { content.shelves[target]?.position($0) ?? 0 })
        }
    }

    func deadLetters(_ target: String) -> [DeadLetter] {
        content.withLock { $0.shelves[target].map { Array($0.dead.values) } ?? [] }
    }

    var keptReplays: [KeptChange] { content.withLock { $0.keptReplays } }

    // MARK: what keepers do

    fileprivate func join(_ target: KeptTarget, _ instance: Int) {
        change { content in
            if content.shelves[target.name] == nil {
                content.shelves[target.name] = Shelf(partitions: partitions, shards: Self.shards)
            }
            content.members[instance]?.targets.insert(target.name)
            if let (isPaused, reason) = content.standings[target.name] {
                content.members[instance]?.changes[target.name, default: []].append(
                    .standing(isPaused: isPaused, disabledReason: reason))
            }
            for shard in 0..<Self.shards where content.owners[target.name]?[shard] == nil {
                Self.give(shard, of: target.name, to: instance, &content)
            }
        }
    }

    fileprivate func leave(_ target: String, _ instance: Int) {
        change { content in
            content.members[instance]?.targets.remove(target)
            let owned = Set((content.owners[target] ?? [:]).filter { $0.value == instance }.keys)
            content.members[instance]?.changes[target, default: []].append(
                .revoked(owned, deadlineMs: Moment.now().monotonicMs + 8000))
        }
    }

    fileprivate func changes(of target: String, _ instance: Int) -> [ShardChange] {
        content.withLock { $0.members[instance]?.changes.removeValue(forKey: target) ?? [] }
    }

    fileprivate func keep(_ changes: [KeptChange], _ instance: Int) {
        change { content in
            for change in changes {
                guard change.replay == nil else {
                    content.keptReplays.append(change)
                    continue
                }
                let target = change.target
                let owned = Set((content.owners[target] ?? [:]).filter { $0.value == instance }.keys)
                for commit in content.shelves[target]?.keep(change, owned: owned) ?? [] {
                    content.shelves[target]?.commit(commit)
                }
                guard change.hasNewStanding else { continue }
                let cursor = change.change.cursor
                content.standings[target] = (cursor.isPaused, cursor.disabledReason)
                for member in content.members.keys where content.members[member]?.targets.contains(target) ?? false {
                    content.members[member]?.changes[target, default: []].append(
                        .standing(isPaused: cursor.isPaused, disabledReason: cursor.disabledReason))
                }
            }
        }
    }

    fileprivate func release(_ shards: Set<Int>, of target: String, _ instance: Int) {
        change { content in
            for shard in shards where content.owners[target]?[shard] == instance {
                content.owners[target]?[shard] = nil
                let others = content.members.filter { $0.key != instance && $0.value.targets.contains(target) }
                let heir = content.heirs[target]?.removeValue(forKey: shard) ?? others.keys.min()
                if let heir { Self.give(shard, of: target, to: heir, &content) }
            }
        }
    }

    private static func give(_ shard: Int, of target: String, to instance: Int, _ content: inout Content) {
        guard var restored = content.shelves[target]?.restore(shard) else { return }
        restored.createdAtMs = Moment.now().wallMs
        content.owners[target, default: [:]][shard] = instance
        content.members[instance]?.changes[target, default: []].append(.assigned(restored))
    }

    private func change(_ body: (inout Content) -> Void) {
        let callbacks = content.withLock { content in
            body(&content)
            return content.members.values.compactMap(\.callback)
        }
        for callback in callbacks { callback() }
    }

    fileprivate func onChange(_ instance: Int, _ callback: @escaping @Sendable () -> Void) {
        content.withLock { $0.members[instance]?.callback = callback }
    }

    fileprivate func backlog(_ instance: Int) -> Int { content.withLock { $0.members[instance]?.backlog ?? 0 } }
}

/// One instance's part in a `MemoryCluster`.
final class MemoryKeeper: StateKeeper {
    private let cluster: MemoryCluster
    private let instance: Int

    init(_ cluster: MemoryCluster, _ instance: Int) {
        self.cluster = cluster
        self.instance = instance
    }

    func shard(of partition: Int32) -> Int { Int(partition) % MemoryCluster.shards }
    func onChange(_ callback: @escaping @Sendable () -> Void) { cluster.onChange(instance, callback) }
    func join(_ target: KeptTarget) { cluster.join(target, instance) }
    func leave(_ target: String) { cluster.leave(target, instance) }
    func changes(of target: String) -> [ShardChange] { cluster.changes(of: target, instance) }
    func keep(_ changes: [KeptChange]) { cluster.keep(changes, instance) }
    var backlog: Int { cluster.backlog(instance) }
    func release(_ shards: Set<Int>, of target: String) { cluster.release(shards, of: target, instance) }
}
