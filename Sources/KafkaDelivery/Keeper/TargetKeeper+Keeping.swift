internal import Delivery
internal import Dispatch
internal import EventLog
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Synchronization

extension TargetKeeper {
    /// Takes what the engine has committed.
    func keep(_ change: KeptChange) {
        let news = state.withLock { state -> TargetRecord? in
            let owned = state.shards(in: .held).union(state.shards(in: .releasing))
            let batch = state.scribe.batch(change) { owned.contains($0) }
            if !batch.items.isEmpty || !batch.commits.isEmpty { state.journal.append(batch) }
            guard change.hasNewStanding else { return nil }
            state.standing = TargetStanding(
                isPaused: change.change.cursor.isPaused, disabledReason: change.change.cursor.disabledReason)
            return record(state)
        }
        if let news { tell(news) }
        wake()
    }

    var backlog: Int { state.withLock { $0.journal.operations } }
    var isEverythingKept: Bool { state.withLock { $0.journal.isEmpty } }

    func release(_ shards: Set<Int>) {
        state.withLock { state in
            for shard in shards where state.shards[shard] == .held { state.shards[shard] = .releasing }
        }
        wake()
    }

    func takeChanges() -> [ShardChange] {
        state.withLock { state in
            defer { state.changes = [] }
            return state.changes
        }
    }

    func takeReplays() -> [RestoredReplay] {
        state.withLock { state in
            defer { state.replays = [] }
            return state.replays
        }
    }

    func beginFlush() {
        state.withLock { $0.isFlushing = true }
        wake()
    }

    func endFlush() { state.withLock { $0.isFlushing = false } }

    // MARK: the pump

    /// Has the pump run soon; calls before it does are one.
    func wake() {
        let isFirst = state.withLock { state in
            defer { state.isPumpDue = true }
            return !state.isPumpDue
        }
        guard isFirst else { return }
        queue.async { [weak self] in self?.pump() }
    }

    /// Does whatever can be done now. On the queue.
    func pump() {
        let nowMs = Self.nowMs()
        state.withLock { $0.isPumpDue = false }
        while send(nowMs) {}
        commit(nowMs)
        advance(nowMs)
        scheduleNext(nowMs)
        context.onProgress()
    }

    /// - Returns: whether there may be more.
    private func send(_ nowMs: Int64) -> Bool {
        let records = state.withLock { $0.journal.takeRecords(nowMs) }
        for (id, record) in records {
            context.producer.send(record) { [weak self] result in self?.ended(id, record, result) }
        }
        return !records.isEmpty
    }

    /// On the producer's thread, or the pump's.
    private func ended(
        _ id: StateJournal.ItemID, _ record: KafkaRecord, _ result: Result<KafkaPlace, KafkaFailure>
    ) {
        let nowMs = Self.nowMs()
        switch result {
        case .success:
            state.withLock { state in
                state.journal.kept(id)
                state.troubles.remove("not kept")
            }
        case .failure(let failure):
            let verdict = state.withLock { state in
                state.journal.failed(id, isForGood: failure.concern == .record, nowMs)
            }
            tell(verdict, failure, record)
        }
        wake()
    }

    private func tell(_ verdict: StateJournal.Verdict, _ failure: KafkaFailure, _ record: KafkaRecord) {
        switch verdict {
        case .again:
            guard isNews("not kept") else { return }
            context.logger.warning(
                "kafka_state_not_kept",
                "The state of \(name) cannot be kept for now, and is tried again: \(failure.message)",
                ["target": .string(name), "reason": .string(failure.code)])
        case .held:
            context.logger.error(
                "kafka_record_refused",
                "Kafka does not take a record of the topic \(record.topic): \(failure.message). The event is not lost: "
                    + "the target's place in its partition is not committed meanwhile. Raise max.message.bytes of the "
                    + "topic and message.max.bytes under `properties:`.",
                ["target": .string(name), "topic": .string(record.topic), "reason": .string(failure.code)])
        case .dropped:
            context.logger.warning(
                "kafka_history_refused", "Kafka does not take a record of history: \(failure.message)",
                ["target": .string(name), "topic": .string(record.topic), "reason": .string(failure.code)])
        case .shortened, .nothing: break
        }
    }

    private func commit(_ nowMs: Int64) {
        let next = state.withLock { state -> (KafkaMembership, StateJournal.Commit, [TopicPartition: KafkaCommit])? in
            guard let membership = state.membership else { return nil }
            if let again = state.ledger.takeRecommit(nowMs) {
                state.journal.append(JournalBatch(commits: again, stamp: state.scribe.stamp))
            }
            let isUrgent =
                state.isFlushing || state.shards.values.contains { $0 == .releasing || $0 == .settling }
            guard let commit = state.journal.takeCommit(nowMs, isUrgent: isUrgent) else { return nil }
            return (membership, commit, state.ledger.commits(commit, layout))
        }
        guard let (membership, commit, offsets) = next else { return }
        guard !offsets.isEmpty else { return committed(commit, .success(())) }
        membership.commit(offsets) { [weak self] result in self?.committed(commit, result) }
    }

    private func committed(_ commit: StateJournal.Commit, _ result: Result<Void, KafkaFailure>) {
        let nowMs = Self.nowMs()
        switch result {
        case .success:
            state.withLock { state in
                state.ledger.committed(commit, layout)
                state.journal.commitEnded(isKept: true, nowMs)
            }
            ended("not committed")
        case .failure(let failure):
            state.withLock { $0.journal.commitEnded(isKept: false, nowMs) }
            guard isNews("not committed") else { break }
            context.logger.warning(
                "kafka_commit_failed",
                "How far \(name) is cannot be committed, and is tried again: \(failure.message)",
                ["target": .string(name), "reason": .string(failure.code)])
        }
        wake()
    }

    private func scheduleNext(_ nowMs: Int64) {
        let delayMs = state.withLock { state -> Int64? in
            guard !state.isClosed else { return nil }
            let due = min(state.journal.dueMs(nowMs) ?? .max, nowMs + 10_000)
            if let timer = state.timerAtMs, timer > nowMs, timer <= due { return nil }
            state.timerAtMs = due
            return max(1, due - nowMs)
        }
        guard let delayMs else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(delayMs))) { [weak self] in self?.wake() }
    }

    // MARK: the end

    /// Gives back everything and leaves the group. Blocks.
    /// - Parameter isEngineThere: it is asked to release its shards; else they are taken as released.
    /// - Parameter isRemoved: the target is in no configuration any more.
    func close(within limit: Duration, isEngineThere: Bool, isRemoved: Bool) {
        let (membership, farewell) = state.withLock { state -> (KafkaMembership?, TargetRecord) in
            if !isEngineThere { state.isClosing = true }
            return (state.membership, record(state, isRemoved: isRemoved))
        }
        membership?.close(within: limit)
        state.withLock { state in
            state.isClosing = true
            state.isClosed = true
            forget(Set(state.shards.keys), &state)
            state.membership = nil
        }
        if isRemoved { context.control.write(.target(name), farewell) }
    }
}

extension TargetKeeper {
    /// Those that are this instance's.
    var shards: Set<Int> { state.withLock { Set($0.shards.keys) } }

    /// The committed position of every partition that is owned.
    var positions: [(Int32, Int64)] {
        state.withLock { state in state.ledger.partitions.map { ($0.key, $0.value.state.position) } }
            .sorted { $0.0 < $1.0 }
    }
}
