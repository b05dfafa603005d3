internal import Delivery
internal import EventLog
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

/// Has the replays of a target carried out by the instance that owns the target's first shard. What was asked for stands in
/// the control topic, with how it ended; how far it has come the keeper keeps.
final class ReplayDesk: Sendable {
    private struct State {
        /// Targets whose first shard is this instance's, with what their replays were restored to.
        var restored: [String: [Int64: RestoredReplay]] = [:]
        /// Those that the engine has.
        var taken: Set<Int64> = []
        /// What the engine last said of each.
        var told: [Int64: ReplayRecord] = [:]
        /// What is on its way into the control topic.
        var untold: [ControlKey: ReplayRecord] = [:]
    }

    private let engine: DeliveryEngine
    private let view: KafkaView
    private let control: ControlTopic
    private let layout: LogLayout
    private let restore: @Sendable (String) -> [RestoredReplay]
    /// Waits until what the engine has done is in Kafka.
    private let flush: @Sendable (Duration) -> Bool
    private let logger: Logger
    private let state = Mutex(State())

    /// The shard whose owner carries replays out.
    static let shard = 0
    private static let patience = Duration.seconds(10)

    /// - Parameter restore: the replays of a target as they stood when its first shard came here; each is given once.
    init(
        _ engine: DeliveryEngine, _ view: KafkaView, _ control: ControlTopic, _ layout: LogLayout, logger: Logger,
        flush: @escaping @Sendable (Duration) -> Bool, restore: @escaping @Sendable (String) -> [RestoredReplay]
    ) {
        self.engine = engine
        self.view = view
        self.control = control
        self.layout = layout
        self.restore = restore
        self.logger = logger
        self.flush = flush
    }

    /// - Parameter wake: has `work` called soon, on any thread; must not block.
    func begin(wake: @escaping @Sendable () -> Void) {
        engine.onShards = { [weak self] target, shards in
            if !shards.contains(Self.shard) { self?.forget(target) }
            wake()
        }
        engine.onReplay = { [weak self] replay in
            self?.tell(replay)
            wake()
        }
    }

    func end() {
        engine.onShards = nil
        engine.onReplay = nil
    }

    /// Another instance has them, or will.
    private func forget(_ target: String) {
        let numbers = control.entries { if case .replay(target, _) = $0 { true } else { false } }.compactMap(\.number)
        state.withLock { state in
            state.restored[target] = nil
            state.taken.subtract(numbers)
            for number in numbers { state.told[number] = nil }
        }
    }

    /// Takes up what is to be carried out here, and ends what somebody has cancelled.
    func work(_ decoder: StateDecoder) {
        tellAll()
        let entries = control.entries { if case .replay = $0 { true } else { false } }
        for entry in entries {
            guard case .replay(let target, let number) = entry.key, isHere(target),
                let record = entry.record(ReplayRecord.self, decoder)
            else { continue }
            do {
                if state.withLock({ $0.taken.contains(number) }) {
                    if record.phase == .ending { try cancel(number, record) }
                } else {
                    try takeUp(record, number, of: target)
                }
            } catch {
                logger.warning(
                    "replay_waits", "Replay \(number) cannot be taken up now; it is tried again: \(error)",
                    ["replay": .integer(number), "target": .string(target)])
            }
        }
    }

    /// Whether the target's first shard is this instance's; what its replays were is asked for then.
    private func isHere(_ target: String) -> Bool {
        guard engine.ownedShards(of: target).contains(Self.shard) else { return false }
        guard state.withLock({ $0.restored[target] }) == nil else { return true }
        let found = Dictionary(restore(target).map { ($0.number, $0) }) { $1 }
        state.withLock { $0.restored[target] = found }
        return true
    }

    private func takeUp(_ record: ReplayRecord, _ number: Int64, of target: String) throws {
        let known = state.withLock { $0.restored[target]?[number] }
        // Of one that has ended only dead letters may be left to be decided about.
        if record.phase == .ended, known?.dead.isEmpty ?? true { return }
        let cursor = known?.cursor ?? TargetCursor(position: record.start)
        let unfinished = record.phase == .ended ? [] : try view.place(of: target)?.unfinished ?? []
        try engine.takeUp(
            SharedReplay(
                record.mirrored(number, cursor), open: known?.open ?? [], dead: known?.dead ?? [],
                ahead: known?.ahead ?? [:], unfinished: unfinished))
        state.withLock { state in
            state.taken.insert(number)
            // Its texts are in the engine's hands.
            state.restored[target]?[number] = nil
        }
    }

    private func cancel(_ number: Int64, _ record: ReplayRecord) throws {
        let actor = record.cancelled.map { $0.hasPrefix(Self.by) ? String($0.dropFirst(Self.by.count)) : $0 } ?? ""
        let status = try engine.cancelReplay(number, by: actor)
        guard status.state.isEnded, let ended = state.withLock({ $0.told[number] }) else { return }
        // It had ended before this was asked for, which the record does not say any more.
        write(ended, .replay(target: record.request.target, number: number))
    }

    /// How a record says who cancelled it.
    static let by = "cancelled by "

    // MARK: telling

    /// What the engine says of a replay is for all instances, soon. On the delivery thread.
    private func tell(_ replay: MirroredReplay) {
        let key = ControlKey.replay(target: replay.request.target, number: replay.number)
        let record = ReplayRecord(replay)
        state.withLock { state in
            state.told[replay.number] = record
            state.untold[key] = record
        }
    }

    private func write(_ record: ReplayRecord, _ key: ControlKey) {
        state.withLock { $0.untold[key] = record }
        control.write(key, record) { [weak self] result in
            guard case .success = result else { return }
            self?.state.withLock { state in
                if state.untold[key] == record { state.untold[key] = nil }
            }
        }
    }

    /// An end is told when everything of it is kept.
    private func tellAll() {
        if state.withLock({ $0.untold.values.contains { $0.phase == .ended } }) {
            guard flush(Self.patience) else { return }
        }
        for (key, record) in state.withLock({ $0.untold }) {
            guard case .replay(let target, _) = key, engine.ownedShards(of: target).contains(Self.shard) else {
                state.withLock { $0.untold[key] = nil }
                continue
            }
            write(record, key)
        }
    }
}

extension ControlEntry {
    /// Of a replay.
    fileprivate var number: Int64? {
        if case .replay(_, let number) = key { number } else { nil }
    }
}
