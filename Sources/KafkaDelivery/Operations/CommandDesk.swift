internal import Delivery
internal import KafkaLog
internal import Logging
internal import Synchronization

/// Carries out, on the instance that owns a shard, what operators have asked for on any. A command stays in the control topic
/// until every shard's owner has answered: whoever takes a shard up finds what is left to do. Doing it again does nothing.
final class CommandDesk: Sendable {
    private let engine: DeliveryEngine
    private let control: ControlTopic
    private let layout: LogLayout
    private let instance: String
    /// Waits until what the engine has done is in Kafka.
    private let flush: @Sendable (Duration) -> Bool
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        /// Commands that could not be carried out, told of once.
        var told: Set<String> = []
        /// What was answered from here.
        var answered: Set<Answered> = []
    }

    private struct Answered: Hashable {
        var id: String
        var shard: Int
    }

    /// Commands nobody could carry out for so long are given up, in milliseconds.
    static let lifetimeMs: Int64 = 86_400_000
    /// Those that are done stay so long for whoever asked, in milliseconds.
    private static let afterlifeMs: Int64 = 60_000
    private static let patience = Duration.seconds(10)

    init(
        _ engine: DeliveryEngine, _ control: ControlTopic, _ layout: LogLayout, instance: String, logger: Logger,
        flush: @escaping @Sendable (Duration) -> Bool
    ) {
        self.engine = engine
        self.control = control
        self.layout = layout
        self.instance = instance
        self.logger = logger
        self.flush = flush
    }

    /// Does what is left to do here.
    func work(_ decoder: StateDecoder) {
        let commands = control.entries { if case .command = $0 { true } else { false } }
        forget(but: commands)
        for entry in commands {
            guard case .command(let id) = entry.key, let record = entry.record(CommandRecord.self, decoder),
                let command = DeadLetterCommand(record, decoder)
            else { continue }
            let shards = command.letters(layout)
            tidy(id, command, shards)
            let owned = engine.ownedShards(of: command.target)
            for (shard, letters) in shards.sorted(by: { $0.key < $1.key })
            where owned.contains(shard) && !isAnswered(id, shard) { carryOut(command, letters, id, shard) }
        }
    }

    private func isAnswered(_ id: String, _ shard: Int) -> Bool {
        control.value(.result(id, shard)) != nil
            || state.withLock { $0.answered.contains(Answered(id: id, shard: shard)) }
    }

    private func forget(but commands: [ControlEntry]) {
        let ids = Set(commands.compactMap { if case .command(let id) = $0.key { id } else { nil } })
        state.withLock { state in
            state.told.formIntersection(ids)
            state.answered = state.answered.filter { ids.contains($0.id) }
        }
    }

    private func carryOut(_ command: DeadLetterCommand, _ letters: [DeadLetterPlace], _ id: String, _ shard: Int) {
        do {
            let done = try engine.decide(command.action, letters, of: command.target, replay: command.replay)
            // Until then it might not have happened, and is done again by whoever owns the shard next.
            guard flush(Self.patience), engine.ownedShards(of: command.target).contains(shard) else { return }
            let result = ResultRecord(instance: instance, done: done, atMs: Moment.now().wallMs)
            _ = try control.write(.result(id, shard), result.encoded(layout), within: Self.patience)
            // The topic's own word of it comes a moment later.
            state.withLock { _ = $0.answered.insert(Answered(id: id, shard: shard)) }
        } catch {
            guard state.withLock({ $0.told.insert(id).inserted }) else { return }
            logger.warning(
                "command_waits",
                "Dead letters of the target \(command.target) cannot be decided about now; it is tried again: \(error)",
                ["target": .string(command.target), "action": .string(command.action.rawValue)])
        }
    }

    /// Takes away what is done, and what nobody could do.
    private func tidy(_ id: String, _ command: DeadLetterCommand, _ shards: [Int: [DeadLetterPlace]]) {
        let ageMs = Moment.now().wallMs - command.atMs
        let isDone = shards.keys.allSatisfy { control.value(.result(id, $0)) != nil }
        guard ageMs > Self.lifetimeMs || (isDone && ageMs > Self.afterlifeMs) else { return }
        if !isDone {
            logger.warning(
                "command_given_up",
                "Nobody could decide about dead letters of the target \(command.target) within a day: ask again.",
                ["target": .string(command.target), "action": .string(command.action.rawValue)])
        }
        remove(id, shards.keys)
    }

    /// It is done with.
    func remove(_ id: String, _ shards: some Sequence<Int>) {
        control.write(.command(id), nil)
        for shard in shards { control.write(.result(id, shard), nil) }
    }
}
