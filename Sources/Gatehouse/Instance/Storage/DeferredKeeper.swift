internal import Delivery
internal import EventLog
internal import KafkaLog
internal import Synchronization

/// A keeper that begins when Kafka answers: until then no shard is this instance's, and there is nothing to keep.
final class DeferredKeeper: StateKeeper {
    private struct State {
        var keeper: (any StateKeeper)?
        var joined: [String: KeptTarget] = [:]
        var onChange: (@Sendable () -> Void)?
    }

    private let layout: LogLayout
    private let state = Mutex(State())

    init(_ layout: LogLayout) {
        self.layout = layout
    }

    /// Hands over to the one that is there now.
    func begin(_ keeper: any StateKeeper) {
        state.withLock { state in
            state.keeper = keeper
            if let onChange = state.onChange { keeper.onChange(onChange) }
            for target in state.joined.values { keeper.join(target) }
        }
    }

    private var keeper: (any StateKeeper)? { state.withLock { $0.keeper } }

    func shard(of partition: Int32) -> Int { layout.shard(of: partition) }

    func onChange(_ callback: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.onChange = callback
            state.keeper?.onChange(callback)
        }
    }

    func join(_ target: KeptTarget) {
        var target = target
        state.withLock { state in
            // What is taken in until Kafka answers is not before the start of a target that is new.
            if state.keeper == nil, target.start == .now { target.start = .time(Moment.now().wallMs) }
            state.joined[target.name] = target
            state.keeper?.join(target)
        }
    }

    func leave(_ target: String) {
        state.withLock { state in
            state.joined[target] = nil
            state.keeper?.leave(target)
        }
    }

    func changes(of target: String) -> [ShardChange] { keeper?.changes(of: target) ?? [] }
    func keep(_ changes: [KeptChange]) { keeper?.keep(changes) }
    var backlog: Int { keeper?.backlog ?? 0 }
    func release(_ shards: Set<Int>, of target: String) { keeper?.release(shards, of: target) }
}
