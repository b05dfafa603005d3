import Delivery
import EventLog
import Events
import SimulatedDisk

/// The program's two threads, as turns in one queue.
extension World {
    var logOptions: EventLogOptions {
        var options = EventLogOptions()
        options.files = SimulatedFiles(databases)
        options.now = { self.wallMs }
        options.clock = { self.now }
        options.logger = logger
        options.maximumBytes = isHealed ? max(scenario.maximumLogBytes, 1 << 20) : scenario.maximumLogBytes
        if let age = scenario.retentionMs { options.maximumAge = .milliseconds(age) }
        options.recentIDs = scenario.recentIDs
        options.checkpointFrames = scenario.checkpointFrames
        options.restartFrames = scenario.restartFrames
        options.queuedRecords = 256
        return options
    }

    func adjust(_ policy: inout TargetPolicy) {
        policy.maximumOpen = scenario.maximumOpen
        policy.window = scenario.window
        bug?.adjust(&policy)
    }

    // MARK: The log's thread

    func wakeLog(after delay: Int64) {
        let time = now + max(0, delay)
        if let logWake, logWake <= time { return }
        logWake = time
        afterInInstance(delay) { [self] in
            guard logWake == time else { return }
            logWake = nil
            turnLog()
        }
    }

    private func turnLog() {
        guard let log = instance?.log, let next = log.turn(), !disk.isOff else { return }
        let wait = next - now
        // A thread that has nothing to do may sleep longer than it wanted.
        wakeLog(after: wait >= .seconds(1) ? wait + .milliseconds(random.integer(0...20_000)) : wait)
    }

    // MARK: The delivery thread

    func engineHasWork() {
        if instance != nil { wakeEngine(after: Int64(random.integer(0...2_000_000))) }
    }

    func wakeEngine(after delay: Int64) {
        let time = now + max(0, delay)
        if let engineWake, engineWake <= time { return }
        engineWake = time
        afterInInstance(delay) { [self] in
            guard engineWake == time else { return }
            engineWake = nil
            turnEngine()
        }
    }

    private func turnEngine() {
        guard let engine = instance?.engine else { return }
        turnsAtOnce = lastTurn == now ? turnsAtOnce + 1 : 0
        lastTurn = now
        if turnsAtOnce > 1000 { violate("deliveries turn round and round without doing anything: \(unfinished)") }
        let wait = engine.turn()
        guard !disk.isOff else { return }
        checkStep()
        if let wait { wakeEngine(after: wait * 1_000_000) }
    }

    // MARK: Between the world and the program

    /// Runs something in the present run of the program, if that still runs by then.
    func afterInInstance(_ delay: Int64, _ action: @escaping () -> Void) {
        let number = instances
        scheduler.after(delay) { [self] in
            if instance?.number == number, !disk.isOff { action() }
        }
    }

    /// Whether the program still runs at this point, which may be where it ends.
    func mayAct() -> Bool {
        if disk.isOff { return false }
        actions += 1
        guard actions == crashAtAction else { return true }
        crashAtAction = nil
        trace("crash at action \(actions)")
        disk.crash()
        return false
    }

    /// A request of a sender's. Nobody answers when the program dies before it does.
    func submit(
        _ batch: AppendBatch, _ answer: @escaping (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        guard let instance, !disk.isOff else {
            return answer(.failure(LogFailure(.unavailable, "nobody listens")))
        }
        if bug == .acknowledgeDuplicateEarly, batch.records.allSatisfy({ seen.contains($0.id) }) {
            return answer(.success(batch.records.map { _ in .duplicate }))
        }
        seen.formUnion(batch.records.map(\.id))
        let box = AnswerBox(answer: answer)
        instance.log.append(batch) { [self] result in
            guard mayAct() else { return }
            box.answer(result)
        }
        wakeLog(after: Int64(random.integer(0...1_000_000)))
    }

    func acknowledge(_ ids: [EventID], _ outcomes: [AppendOutcome]) {
        guard ids.count == outcomes.count else {
            return violate("a request is answered for other events than it holds")
        }
        trace("acknowledged: \(ids.map(\.short).joined(separator: " "))")
        for (id, outcome) in zip(ids, outcomes) {
            if let problem = ledger.acknowledge(id, outcome, at: now) { violate(problem) }
        }
    }
}

/// Unchecked: confined to the one thread of a simulation.
private struct AnswerBox: @unchecked Sendable {
    let answer: (Result<[AppendOutcome], LogFailure>) -> Void
}
