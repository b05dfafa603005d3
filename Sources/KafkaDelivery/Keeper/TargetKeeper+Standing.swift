internal import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

/// What a target is, and whether it is switched off, as all instances know it.
extension TargetKeeper {
    /// Tells the others what the target is, where they do not know it, and hears whether it is switched off.
    func introduce(_ target: KeptTarget) throws(KafkaFailure) {
        // What is written carries the standing on: it must be the one of now.
        try context.control.refresh(within: .seconds(5))
        let known = context.control.value(.target(name))?.record(TargetRecord.self, StateDecoder(layout))
        let news = state.withLock { state -> TargetRecord? in
            if let known { hear(known, &state) }
            let isSame = known.map { $0.type == target.type && $0.destination == target.destination && !$0.isRemoved }
            guard isSame != true else { return nil }
            var news = record(state)
            // Its topics were made since: what came in meanwhile is not before its start.
            if known == nil { news.atMs = firstSeenMs }
            return news
        }
        if let news { tell(news) }
        if known != nil { context.onChange() }
    }

    /// Tells the others.
    func tell(_ record: TargetRecord) {
        state.withLock { $0.unheard += 1 }
        context.control.write(.target(name), record) { [weak self] result in
            if case .failure = result { self?.state.withLock { $0.unheard = max(0, $0.unheard - 1) } }
        }
    }

    /// Somebody has written what a target is. What comes before this instance's own word is outdated by it.
    func heard(_ record: TargetRecord) {
        let isNews = state.withLock { state in
            if record.writer == context.run {
                state.unheard = max(0, state.unheard - 1)
                return false
            }
            return state.unheard == 0 && hear(record, &state)
        }
        if isNews { context.onChange() }
    }

    @discardableResult
    private func hear(_ record: TargetRecord, _ state: inout State) -> Bool {
        let value = TargetStanding(isPaused: record.isPaused, disabledReason: record.disabledReason)
        guard value != state.standing else { return false }
        state.standing = value
        state.changes.append(.standing(isPaused: value.isPaused, disabledReason: value.disabledReason))
        return true
    }

    func record(_ state: State, isRemoved: Bool = false) -> TargetRecord {
        TargetRecord(
            type: state.target.type, destination: state.target.destination, isPaused: state.standing.isPaused,
            disabledReason: state.standing.disabledReason, isRemoved: isRemoved, writer: context.run,
            atMs: Moment.now().wallMs)
    }
}
