package import Events
internal import Logging
internal import SQLite
internal import Synchronization
internal import Threads

/// The embedded log: one SQLite file with a write-ahead log, one writer that commits many appends together, a few
/// readers, and an index to find and remove single events.
package final class SQLiteEventLog: EventLog, EmbeddedLogReader {
    private let options: EventLogOptions
    private let queue: AppendQueue
    package let reading: LogReading
    private let verifier: LogVerifier
    private let thread: Mutex<Thread?>
    /// Nil where a thread of the log's own has it.
    private let writer: Mutex<LogWriter?>

    /// Opens, or makes, the log in `folder`, and takes the folder's instance lock.
    /// - Throws: `damaged` when something that was acknowledged is missing; the files are then copied aside, and
    ///   `options.acceptLoss` opens what is left.
    package static func open(
        folder: String, options: EventLogOptions = EventLogOptions()
    ) throws(LogOpenError) -> SQLiteEventLog {
        let opening = try LogOpening(folder: folder, options: options)
        return SQLiteEventLog(opening, try opening.open(), hasThreads: true)
    }

    /// As `open`, but without threads: whoever calls `turn` lends the log its own.
    package static func openWithoutThreads(
        folder: String, options: EventLogOptions
    ) throws(LogOpenError) -> SQLiteEventLog {
        let opening = try LogOpening(folder: folder, options: options)
        return SQLiteEventLog(opening, try opening.open(), hasThreads: false)
    }

    private init(_ opening: LogOpening, _ file: sending LogFile, hasThreads: Bool) {
        options = opening.options
        queue = AppendQueue(maximumRecords: options.queuedRecords, maximumBytes: options.queuedBytes)
        let state = LogState(
            bounds: LogState.Bounds(beginning: file.beginning, next: file.next, losses: file.losses))
        let sources = file.sources
        let system = file.system
        let (next, bytes) = (file.next, (try? file.usedBytes()) ?? 0)
        state.update { [options] in
            $0.sources = sources
            $0.system = system
            $0.attribute(next - 1)
            $0.bytes = bytes
            $0.maximumBytes = options.maximumBytes
        }
        opening.mark.write(next: file.next)
        let pool = ReaderPool(path: opening.path, vfs: options.files.vfs)
        reading = LogReading(pool: pool, state: state, personHash: file.personHash)
        verifier = LogVerifier(reading: reading, logger: options.logger)
        let writer = LogWriter(file: file, opening: opening, queue: queue, state: state, pool: pool)
        if hasThreads {
            thread = Mutex(Thread.indispensable(name: "log-writer") { writer.run() })
            self.writer = Mutex(nil)
            verifier.start()
        } else {
            thread = Mutex(nil)
            self.writer = Mutex(writer)
        }
    }

    /// Does what the log's thread would do next. Of a log without threads; completions are called before it returns.
    /// - Returns: when there is something to do although nothing is appended, in nanoseconds of the monotonic clock; nil
    ///   when the log is closed.
    @discardableResult
    package func turn() -> Int64? {
        writer.withLock { $0?.turn(waitingUntil: .min) }
    }

    deinit {
        verifier.stop()
        // The writer finishes by itself; waiting here could be waiting for the own thread.
        queue.close()
    }

    /// Finishes what waits, writes the write-ahead log back, and gives up the lock. Not from a completion.
    package func close() {
        verifier.stop()
        queue.close()
        while turn() != nil {}
        writer.withLock { $0 = nil }
        thread.withLock { $0.take() }?.join()
    }

    // MARK: EventLog

    package func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        guard !batch.records.isEmpty || !batch.quarantined.isEmpty else { return completion(.success([])) }
        let bytes =
            batch.records.reduce(0) { $0 + $1.payload.count }
            + batch.quarantined.reduce(0) { $0 + ($1.bytes?.count ?? 0) }
        guard bytes <= options.batchBytes else {
            return completion(.failure(LogFailure(.tooLarge, "a batch of \(bytes) bytes is never taken at once")))
        }
        let personHash = reading.personHash
        let digests = batch.records.map { record in
            precondition(!record.payload.isEmpty, "an empty payload stands for an erased record")
            return RecordDigest(record, personHash: personHash)
        }
        let pending = PendingBatch(batch: batch, digests: digests, byteCount: bytes, completion: completion)
        if let failure = queue.submit(pending) { completion(.failure(failure)) }
    }

    package func onAppend(_ callback: @escaping @Sendable () -> Void) { reading.state.addCallback(callback) }

    package func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition) {
        reading.state.setLowestUnfinished(lowestUnfinished)
    }

    package func statistics() -> LogStatistics {
        var statistics = reading.state.statistics
        let bounds = reading.state.bounds
        statistics.lost = bounds.lost(in: 0..<bounds.next)
        statistics.queuedBatches = queue.waitingBatches
        return statistics
    }

    // MARK: EventIndex

    @discardableResult
    package func erase(_ id: EventID) throws(LogFailure) -> Bool {
        guard let sequence = try reading.sequence(of: id), sequence > 0 else { return false }
        return try onWriter { (writer) throws(LogFailure) in
            try writer.removeForGood { (file) throws(SQLiteError) in try file.erase(sequence: sequence) }
        }
    }

    @discardableResult
    package func eraseQuarantined(key: String) throws(LogFailure) -> Bool {
        try onWriter { (writer) throws(LogFailure) in
            try writer.removeForGood { (file) throws(SQLiteError) in try file.eraseQuarantined(key: key) }
        }
    }

    /// Remembers ids that another log has acknowledged, so that their repeats are recognised here.
    package func remember(_ ids: [EventID]) throws {
        let nowMs = options.now()
        for start in stride(from: 0, to: ids.count, by: options.recentIDs) {
            let part = Array(ids[start..<min(start + options.recentIDs, ids.count)])
            try onWriter { (writer) throws(LogFailure) in
                do {
                    try writer.withFile { try $0.dedupe.add(part, nowMs: nowMs) }
                } catch {
                    throw LogFailure(.unavailable, "\(error)")
                }
            }
        }
    }

    /// Runs a job on the writer's thread, between commits, and waits for it.
    func onWriter<Result: Sendable>(
        _ job: @escaping @Sendable (LogWriter) throws(LogFailure) -> Result
    ) throws(LogFailure) -> Result {
        let answer = Answer<Result>()
        let taken = queue.submit { writer in
            do throws(LogFailure) {
                answer.give(.success(try job(writer)))
            } catch {
                answer.give(.failure(error))
            }
        }
        guard taken else { throw LogFailure(.unavailable, "the log is closing") }
        turn()
        return try answer.wait().get()
    }
}

/// A result that one thread waits for and another gives.
private final class Answer<Value: Sendable>: @unchecked Sendable {  // `result` is touched inside the monitor only.
    private let monitor = Monitor()
    private var result: Result<Value, LogFailure>?

    func give(_ result: Result<Value, LogFailure>) {
        monitor.withLock {
            self.result = result
            monitor.broadcast()
        }
    }

    func wait() -> Result<Value, LogFailure> {
        monitor.withLock {
            while true {
                if let result { return result }
                monitor.wait()
            }
        }
    }
}
