internal import EventLog
internal import Events
internal import Logging
internal import SQLite

/// The spool's thread: what waits becomes one commit. Confined to the thread.
///
/// After a failed sync nobody knows what is on the disk: the file is closed as it is and opened anew, as at the start.
final class SpoolWriter {
    private let opening: SpoolOpening
    private let maximumBytes: Int64
    private let onEvent: @Sendable (SpoolEvent) -> Void
    /// Nil while it has to be opened anew.
    private var file: SpoolFile?
    private(set) var status = SpoolStatus()
    /// Rows that Kafka has and that are still in the file, because a commit failed.
    private var leaving: [SpoolOperation] = []
    private var failure: LogFailure?
    private var reopenAt: Int64 = 0
    private var reopenDelay = SpoolWriter.firstDelay

    private static let operationsAtOnce = 2048
    private static let firstDelay: Int64 = 1_000_000_000
    private static let longestDelay: Int64 = 5_000_000_000
    private static let idle: Int64 = 1_000_000_000

    init(
        file: SpoolFile, opening: SpoolOpening, maximumBytes: Int64, onEvent: @escaping @Sendable (SpoolEvent) -> Void
    ) {
        self.file = file
        self.opening = opening
        self.maximumBytes = maximumBytes
        self.onEvent = onEvent
        status.maximumBytes = maximumBytes
        note(file)
    }

    func run(_ inbox: SpoolInbox, _ publish: (SpoolStatus) -> Void) {
        var pause = Self.idle
        while let operations = inbox.take(
            atMost: Self.operationsAtOnce, until: monotonicNanoseconds() + pause)
        {
            let before = status
            if file == nil, monotonicNanoseconds() >= reopenAt { reopen() }
            if operations.isEmpty, leaving.isEmpty {
                tidy(isIdle: true)
                pause = status.events == 0 ? 60 * Self.idle : Self.idle
            } else {
                perform(operations)
                pause = Self.idle
            }
            if file == nil { pause = Self.idle / 4 }
            if status != before { publish(status) }
        }
        file = nil
    }

    // MARK: A commit

    private func perform(_ operations: [SpoolOperation]) {
        guard let file else { return refuse(operations, failure ?? LogFailure(.unavailable, "the spool is closed")) }
        let changes = operations.filter(\.isChange)
        if !changes.isEmpty || !leaving.isEmpty {
            do throws(SQLiteError) {
                let written = try commit(changes, to: file)
                leaving = []
                if !written.isEmpty { recover() }
                note(file)
                if !written.isEmpty { onEvent(.written(written)) }
            } catch {
                file.rollBack()
                refuse(operations, because: error)
                return
            }
        }
        load(operations, from: file)
        tidy(isIdle: false)
    }

    private func commit(
        _ changes: [SpoolOperation], to file: SpoolFile
    ) throws(SQLiteError) -> [(token: UInt64, sequence: Int64)] {
        var written: [(token: UInt64, sequence: Int64)] = []
        var turnedAway: [UInt64] = []
        let nowMs = Timestamp.now().milliseconds
        var room = maximumBytes - (try file.usedBytes())
        try file.begin()
        for operation in leaving + changes {
            switch operation {
            case .write(let entry):
                room -= Int64(entry.item.byteCount)
                guard room > 0 else {
                    turnedAway.append(entry.token)
                    continue
                }
                written.append((entry.token, try file.add(entry)))
            case .delete(let sequence): try file.delete(sequence)
            case .bury(let sequence, let reason): try file.bury(sequence, reason: reason, nowMs: nowMs)
            case .load: break
            }
        }
        try opening.beforeCommit?()
        try file.commit()
        if !turnedAway.isEmpty { refuseForRoom(turnedAway) }
        return written
    }

    private func load(_ operations: [SpoolOperation], from file: SpoolFile) {
        for case .load(let lane, let sequence, let limit, let bytes) in operations {
            do throws(SQLiteError) {
                let found = try file.load(lane: lane, from: sequence, limit: limit, maximumBytes: bytes)
                onEvent(.loaded(lane: lane, found.items, isEnd: found.isEnd))
            } catch {
                lose(error)
                onEvent(.notLoaded(lane: lane))
            }
        }
    }

    private func note(_ file: SpoolFile) {
        status.events = file.rows
        status.deadLetters = file.dead
        status.bytes = (try? file.usedBytes()) ?? status.bytes
        status.oldestMs = try? file.oldestMs()
    }

    private func tidy(isIdle: Bool) {
        guard let file else { return }
        do throws(SQLiteError) {
            try file.tidy(isIdle: isIdle)
            status.bytes = try file.usedBytes()
        } catch {
            lose(error)
        }
    }

    // MARK: Failing and coming back

    private func refuseForRoom(_ tokens: [UInt64]) {
        let failure = LogFailure(
            .full, "Kafka does not answer, and the spool holds the \(maximumBytes) bytes it may", retryAfterSeconds: 5)
        say(failure)
        onEvent(.refused(tokens: tokens, failure))
    }

    private func refuse(_ operations: [SpoolOperation], because error: SQLiteError) {
        if error.code == .full {
            let failure = LogFailure(
                .unavailable, "Kafka does not answer, and the spool's disk is full", retryAfterSeconds: 2)
            say(failure)
            refuse(operations, failure)
        } else {
            refuse(operations, lose(error))
        }
    }

    private func refuse(_ operations: [SpoolOperation], _ failure: LogFailure) {
        var tokens: [UInt64] = []
        var lanes: [Int] = []
        for operation in operations {
            switch operation {
            case .write(let entry): tokens.append(entry.token)
            case .load(let lane, _, _, _): lanes.append(lane)
            case .delete, .bury: leaving.append(operation)
            }
        }
        if !tokens.isEmpty { onEvent(.refused(tokens: tokens, failure)) }
        for lane in lanes { onEvent(.notLoaded(lane: lane)) }
    }

    /// The file is not used again until it has been opened anew.
    @discardableResult
    private func lose(_ error: SQLiteError) -> LogFailure {
        let failure = LogFailure(
            .unavailable, "Kafka does not answer, and the spool's disk failed: \(error)", retryAfterSeconds: 5)
        say(failure)
        file?.database.keepWriteAheadLogOnClose()
        file = nil
        reopenAt = monotonicNanoseconds() + reopenDelay
        reopenDelay = min(reopenDelay * 2, Self.longestDelay)
        return failure
    }

    private func reopen() {
        do throws(LogOpenError) {
            let fresh = try opening.open()
            file = fresh
            note(fresh)
            onEvent(.reopened(lanes: Array(((try? fresh.lanes()) ?? [:]).keys)))
        } catch {
            reopenAt = monotonicNanoseconds() + reopenDelay
            reopenDelay = min(reopenDelay * 2, Self.longestDelay)
            say(LogFailure(.unavailable, error.message, retryAfterSeconds: 5))
        }
    }

    private func say(_ failure: LogFailure) {
        if self.failure != failure {
            opening.logger.error("spool_unavailable", failure.message, ["code": .string(failure.code.rawValue)])
        }
        self.failure = failure
        status.unavailable = failure.message
    }

    private func recover() {
        reopenDelay = Self.firstDelay
        guard failure != nil else { return }
        failure = nil
        status.unavailable = nil
        opening.logger.info("spool_available", "the spool takes events again")
    }
}

extension SpoolOperation {
    fileprivate var isChange: Bool {
        if case .load = self { false } else { true }
    }
}
