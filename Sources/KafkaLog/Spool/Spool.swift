internal import EventLog
internal import Events
internal import Logging
internal import SQLite
internal import Synchronization
internal import Threads

/// Something to be done with the spool's file. They are done in order.
enum SpoolOperation: Sendable {
    case write(SpoolEntry)
    case delete(sequence: Int64)
    /// Out of the way, with the reason Kafka gave.
    case bury(sequence: Int64, reason: String)
    /// Rows of a lane from a sequence on.
    case load(lane: Int, from: Int64, limit: Int, maximumBytes: Int)
}

/// What came of it.
enum SpoolEvent: Sendable {
    /// On the disk, synced.
    case written([(token: UInt64, sequence: Int64)])
    /// Not on the disk, as far as anybody knows.
    case refused(tokens: [UInt64], LogFailure)
    /// - Parameter isEnd: the lane has no more rows than these.
    case loaded(lane: Int, [SpooledItem], isEnd: Bool)
    case notLoaded(lane: Int)
    /// After a failure, with the lanes that have rows: some may be there that were refused.
    case reopened(lanes: [Int])
}

/// Events that were acknowledged and are not yet in Kafka, on this machine's disk. One thread writes what waits together,
/// syncs it, and tells.
///
/// A table of its own and not the embedded log: a row leaves by itself, wherever it stands, once Kafka has it; each lane is
/// read for itself, so that a partition that is away holds up no other; and repeats are the desk's to know.
final class Spool: Sendable {
    private let inbox: SpoolInbox
    private let shared: Mutex<SpoolStatus>
    private let thread: Mutex<Thread?>
    /// Of the folder, until it is closed.
    private let lock: Mutex<InstanceLock?>
    /// What was in it when it was opened: rows and the lowest sequence by lane, and the newest ids.
    let found: (lanes: [Int: (rows: Int, first: Int64)], ids: [EventID])

    private static let idsRemembered = 500_000

    /// - Parameter onEvent: called on the spool's thread, in the order of the operations; must not block.
    init(
        folder: String, lanes: Lanes, maximumBytes: Int64, acceptsLoss: Bool = false, logger: Logger,
        beforeCommit: (@Sendable () throws(SQLiteError) -> Void)? = nil,
        onEvent: @escaping @Sendable (SpoolEvent) -> Void
    ) throws(LogOpenError) {
        inbox = SpoolInbox(lanes)
        lock = Mutex(try InstanceLock(folder: folder))
        let opening = SpoolOpening(
            folder: folder, lanes: lanes, logger: logger, acceptsLoss: acceptsLoss, beforeCommit: beforeCommit)
        let file = try opening.open()
        do {
            found = (try file.lanes(), try file.ids(newest: Self.idsRemembered))
        } catch {
            throw LogOpenError(.inaccessible, "\(opening.path): \(error)")
        }
        let writer = SpoolWriter(file: file, opening: opening, maximumBytes: maximumBytes, onEvent: onEvent)
        shared = Mutex(writer.status)
        thread = Mutex(nil)
        let inbox = inbox
        let publish: @Sendable (SpoolStatus) -> Void = { [weak self] status in
            self?.shared.withLock { $0 = status }
        }
        let worker = Thread.indispensable(name: "spool") { writer.run(inbox, publish) }
        thread.withLock { $0 = worker }
    }

    deinit {
        inbox.close()
    }

    func perform(_ operations: [SpoolOperation]) {
        inbox.add(operations)
    }

    var status: SpoolStatus { shared.withLock { $0 } }

    /// Does what waits, and ends. Not from `onEvent`.
    func close() {
        inbox.close()
        thread.withLock { $0.take() }?.join()
        lock.withLock { $0 = nil }
    }
}

/// What waits for the spool's thread. The desk bounds it: each item waits at most once.
///
/// What is to be written of urgent lanes is given first. Everything else keeps its order, what is read of a lane too: a row
/// that comes into the file before it was expected is only found earlier.
final class SpoolInbox: @unchecked Sendable {  // Everything below is touched inside the monitor only.
    private let monitor = Monitor()
    private let lanes: Lanes
    private var urgent = FirstInFirstOut<SpoolOperation>()
    private var waiting = FirstInFirstOut<SpoolOperation>()
    private var isClosed = false

    init(_ lanes: Lanes) {
        self.lanes = lanes
    }

    func add(_ operations: [SpoolOperation]) {
        guard !operations.isEmpty else { return }
        monitor.withLock {
            for operation in operations {
                if case .write(let entry) = operation, lanes.isUrgent(entry.lane) {
                    urgent.append(operation)
                } else {
                    waiting.append(operation)
                }
            }
            monitor.broadcast()
        }
    }

    private var isEmpty: Bool { urgent.isEmpty && waiting.isEmpty }

    func close() {
        monitor.withLock {
            isClosed = true
            monitor.broadcast()
        }
    }

    /// The operations of the next commit; none at the deadline; nil when it is closed and empty.
    func take(atMost limit: Int, until deadline: Int64) -> [SpoolOperation]? {
        monitor.withLock {
            while isEmpty, !isClosed, monotonicNanoseconds() < deadline {
                monitor.wait(untilNanoseconds: deadline)
            }
            if isEmpty, isClosed { return nil }
            var taken: [SpoolOperation] = []
            while taken.count < limit, let operation = urgent.removeFirst() ?? waiting.removeFirst() {
                taken.append(operation)
            }
            return taken
        }
    }
}
