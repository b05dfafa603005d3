internal import Events
internal import Logging
internal import SQLite

/// The one writer: takes what waits, commits it together, and answers. Confined to its thread.
final class LogWriter {
    private let opening: LogOpening
    private let options: EventLogOptions
    private let queue: AppendQueue
    private let state: LogState
    private let pool: ReaderPool
    /// Nil while the database has to be opened anew.
    private var file: LogFile?
    private var backlog = Backlog()
    private var hasUpkeep = false
    private var checkpoints: CheckpointSchedule
    private var retention: RetentionSchedule
    private var refusal: RefusalSchedule

    /// A commit into the write-ahead log's old frames proves nothing of the next one, so that much must be free before
    /// appending goes on after a failure.
    private static let roomNeeded: Int64 = 4 << 20

    init(file: LogFile, opening: LogOpening, queue: AppendQueue, state: LogState, pool: ReaderPool) {
        self.file = file
        self.opening = opening
        options = opening.options
        self.queue = queue
        self.state = state
        self.pool = pool
        retention = RetentionSchedule(options: opening.options)
        checkpoints = CheckpointSchedule(options)
        refusal = RefusalSchedule(maximumBytes: opening.options.maximumBytes)
    }

    /// Until the queue is closed and empty.
    func run() {
        var deadline: Int64? = options.clock()
        while let current = deadline { deadline = turn(waitingUntil: current) }
    }

    /// Takes what waits, and commits once or, where nothing waits, looks after the file.
    /// - Parameter deadline: how long to wait for something to come, in nanoseconds of the monotonic clock.
    /// - Returns: when there is something to do although nothing comes; nil when the log is closed.
    func turn(waitingUntil deadline: Int64) -> Int64? {
        let delivery = queue.take(untilNanoseconds: deadline)
        backlog.add(delivery.batches)
        for job in delivery.jobs { job(self) }
        endRefusal()
        if !backlog.isEmpty {
            commitGroup()
        } else if delivery.isClosing {
            close()
            return nil
        } else {
            hasUpkeep = idleUpkeep()
        }
        let now = options.clock()
        guard backlog.isEmpty else { return now }
        let idle = hasUpkeep ? now : now + 1_000_000_000
        return min(idle, refusal.until ?? idle)
    }

    // MARK: A commit

    private func commitGroup() {
        guard let file, refusal.until == nil else {
            return fail([], with: state.statistics.unavailable ?? LogFailure(.unavailable, "the log is being opened"))
        }
        let started = options.clock()
        let nowMs = options.now()
        var group = CommitGroup()
        do throws(SQLiteError) {
            let isRetentionDue = try isRetentionDue(file, nowMs)
            try file.begin()
            if try upkeep(file, nowMs, isRetentionDue: isRetentionDue) == .full {
                file.rollBack()
                return refuse(.logIsFull, group.batches)
            }
            try group.fill(from: &backlog, into: file, started: started, clock: options.clock)
            try options.beforeCommit?()
            let changed = try file.commit(nowMs: nowMs)
            opening.mark.write(next: file.next)
            publish(file, changed, microseconds: (options.clock() - started) / 1000)
        } catch {
            file.rollBack()
            return refuse(.database(error), group.batches)
        }
        answer(group)
        checkpoint(file)
    }

    private func answer(_ group: CommitGroup) {
        let (answered, rest) = group.divided
        if let rest { backlog.putBack(rest) }
        queue.release(answered)
        for batch in answered { batch.completion(.success(batch.outcomes)) }
        for callback in state.callbacks { callback() }
    }

    private func publish(_ file: LogFile, _ changed: [String: LogStatistics.Source], microseconds: Int64) {
        let bounds = LogState.Bounds(beginning: file.beginning, next: file.next, losses: file.losses)
        let walBytes = Int64(file.database.walFrames) * Int64(LogFile.pageSize + 24)
        state.publish(bounds) { statistics in
            statistics.sources.merge(changed) { _, new in new }
            statistics.system = file.system
            statistics.walBytes = walBytes
            statistics.bytes = retention.usedBytes
            statistics.maximumBytes = options.maximumBytes
            statistics.commits += 1
            statistics.totalCommitMicroseconds += microseconds
            let bucket = LogState.commitBounds.firstIndex { microseconds <= $0 } ?? LogState.commitBounds.count
            statistics.commitMicroseconds[bucket].count += 1
        }
    }

    // MARK: Upkeep

    /// - Parameter isRetentionDue: as `retention.isDue` has just said.
    private func upkeep(
        _ file: LogFile, _ nowMs: Int64, isRetentionDue: Bool
    ) throws(SQLiteError) -> RetentionSchedule.Verdict {
        let verdict =
            isRetentionDue
            ? try retention.step(file, nowMs: nowMs, lowestUnfinished: state.lowestUnfinished) : .idle
        if isDedupeDue(file, nowMs) {
            try file.dedupe.maintain(nowMs: nowMs, windowMs: options.dedupeWindowMs, beginning: file.beginning)
        }
        return verdict
    }

    private func isRetentionDue(_ file: LogFile, _ nowMs: Int64) throws(SQLiteError) -> Bool {
        try retention.isDue(file, nowMs: nowMs, lowestUnfinished: state.lowestUnfinished)
    }

    private func isDedupeDue(_ file: LogFile, _ nowMs: Int64) -> Bool {
        file.dedupe.needsMaintenance(nowMs: nowMs, windowMs: options.dedupeWindowMs, beginning: file.beginning)
    }

    /// What is due while nothing waits.
    /// - Returns: whether there is more of it.
    private func idleUpkeep() -> Bool {
        guard refusal.until == nil, let file else { return false }
        let nowMs = options.now()
        do throws(SQLiteError) {
            let isRetentionDue = try isRetentionDue(file, nowMs)
            guard isRetentionDue || isDedupeDue(file, nowMs) else {
                if options.checkpointsWhenIdle, checkpoints.isDueWhenIdle(frames: file.database.walFrames) {
                    checkpoint(file, isIdle: true)
                }
                guard try file.giveBackSpace() else { return false }
                checkpoint(file)
                return true
            }
            try file.begin()
            let verdict = try upkeep(file, nowMs, isRetentionDue: isRetentionDue)
            let changed = try file.commit(nowMs: nowMs)
            publish(file, changed, microseconds: 0)
            if verdict == .full { refuse(.logIsFull, []) }
            checkpoint(file)
            return verdict == .more || isDedupeDue(file, nowMs)
        } catch {
            file.rollBack()
            refuse(.database(error), [])
            return false
        }
    }

    private func checkpoint(_ file: LogFile, isIdle: Bool = false) {
        let mode = isIdle ? .passive : checkpoints.due(frames: file.database.walFrames)
        guard let mode else { return }
        do throws(SQLiteError) {
            if mode != .passive { pool.pause() }
            defer { if mode != .passive { pool.resume() } }
            let result = try file.database.checkpoint(mode)
            checkpoints.didRun(mode, frames: result.frames, copied: result.copied)
        } catch {
            checkpoints.didFail()
            refuse(.database(error), [])
        }
    }

    // MARK: Failing and coming back

    /// Fails what waits, and refuses what comes until it is tried again.
    private func refuse(_ problem: RefusalSchedule.Problem, _ group: [PendingBatch]) {
        let decision = refusal.refuse(problem, now: options.clock())
        if decision.isConnectionLost {
            file?.database.keepWriteAheadLogOnClose()
            file = nil
        }
        let failure = decision.failure
        if decision.isNews {
            options.logger.error("log_unavailable", failure.message, ["code": .string(failure.code.rawValue)])
        }
        queue.refuse(failure)
        state.update { $0.unavailable = failure }
        fail(group, with: failure)
    }

    private func fail(_ group: [PendingBatch], with failure: LogFailure) {
        let failed = group + backlog.removeAll()
        queue.release(failed)
        for batch in failed { batch.completion(.failure(failure)) }
    }

    private func endRefusal() {
        guard let until = refusal.until, options.clock() >= until else { return }
        if file == nil, !reopen() { return }
        refusal.end()
        guard let file, probe(file) else { return }
        queue.refuse(nil)
        guard state.statistics.unavailable != nil else { return }
        state.update { $0.unavailable = nil }
        if refusal.didRecover() { options.logger.info("log_available", "the log takes events again") }
    }

    /// Whether a commit goes through, with room for more of them. Where it does not, appending is refused once more.
    private func probe(_ file: LogFile) -> Bool {
        do throws(SQLiteError) {
            if let available = options.files.availableBytes(at: file.database.path), available < Self.roomNeeded {
                throw SQLiteError(code: .full, operation: "probe", message: "\(available) bytes are left on the disk")
            }
            if retention.isFull(file, lowestUnfinished: state.lowestUnfinished) {
                refuse(.logIsFull, [])
                return false
            }
            try file.begin()
            try options.beforeCommit?()
            let changed = try file.commit(nowMs: options.now())
            publish(file, changed, microseconds: 0)
            return true
        } catch {
            file.rollBack()
            refuse(.database(error), [])
            return false
        }
    }

    /// Opens the database anew.
    private func reopen() -> Bool {
        pool.pause()
        defer { pool.resume() }
        pool.closeAll()
        do {
            let opened = try opening.open()
            checkpoints = CheckpointSchedule(options)
            let sources = opened.sources
            file = opened
            publish(opened, sources, microseconds: 0)
            refusal.didReopen()
            return true
        } catch {
            options.logger.error("log_reopen_failed", "the log cannot be opened: \(error)")
            refusal.delayReopening(now: options.clock())
            return false
        }
    }

    private func close() {
        fail([], with: LogFailure(.unavailable, "the log is closing"))
        pool.close()
        guard let file else { return }
        do throws(SQLiteError) {
            try file.database.checkpoint(.truncate)
        } catch {
            options.logger.warning("log_checkpoint_failed", "\(error)")
        }
        self.file = nil
    }

    // MARK: Jobs

    /// Runs `body` in a transaction, then writes the write-ahead log back and empties it: nothing of what was taken away
    /// remains there.
    func removeForGood(_ body: (LogFile) throws(SQLiteError) -> Bool) throws(LogFailure) -> Bool {
        guard let file else { throw LogFailure(.unavailable, "the log is being opened") }
        do throws(SQLiteError) {
            try file.begin()
            let removed = try body(file)
            let changed = try file.commit(nowMs: options.now())
            publish(file, changed, microseconds: 0)
            guard removed else { return false }
            pool.pause()
            defer { pool.resume() }
            let result = try file.database.checkpoint(.truncate)
            checkpoints.didRun(.truncate, frames: result.frames, copied: result.copied)
            return true
        } catch {
            file.rollBack()
            refuse(.database(error), [])
            throw LogFailure(.unavailable, "\(error)")
        }
    }

    /// For jobs that have the writer's connection to themselves.
    func withFile<Result>(_ body: (LogFile) throws -> Result) throws -> Result {
        guard let file else { throw LogFailure(.unavailable, "the log is being opened") }
        return try body(file)
    }
}
