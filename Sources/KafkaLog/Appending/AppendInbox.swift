internal import EventLog
internal import Events
internal import Kafka
internal import Synchronization

/// What the desk's thread is told.
enum AppendEvent: Sendable {
    case append(Submission)
    case report(UInt64, Result<KafkaPlace, KafkaFailure>)
    case spool(SpoolEvent)
    case topic(CanonicalType, KafkaFailure?)
}

/// A batch on its way to the desk.
struct Submission: Sendable {
    var events: [AppendDesk.Arrival]
    var quarantined: [AppendDesk.Arrival]
    var byteCount: Int
    /// As `AppendBatch.isUrgent`.
    var isUrgent = false
    var completion: @Sendable (Result<[AppendOutcome], LogFailure>) -> Void

    var size: Int { events.count + quarantined.count }
}

/// What waits for the desk's thread, and how much of it is not answered: that is bounded. What is urgent has room of its own,
/// and is taken first.
final class AppendInbox: @unchecked Sendable {  // Everything below is touched inside the monitor only.
    /// Room for batches that are not answered.
    private struct Room {
        let maximumRecords: Int
        let maximumBytes: Int
        var records = 0
        var bytes = 0

        mutating func take(_ submission: Submission) -> Bool {
            let (records, bytes) = (records + submission.size, bytes + submission.byteCount)
            // One batch that is larger than all that may wait is taken while little waits.
            let isOver = submission.size > maximumRecords || submission.byteCount > maximumBytes
            let isHalfFree = self.records <= maximumRecords / 2 && self.bytes <= maximumBytes / 2
            guard records <= maximumRecords && bytes <= maximumBytes || isOver && isHalfFree else { return false }
            (self.records, self.bytes) = (records, bytes)
            return true
        }

        mutating func release(_ submission: Submission) {
            records -= submission.size
            bytes -= submission.byteCount
        }
    }

    private let monitor = Monitor()
    private var urgent: [AppendEvent] = []
    private var waiting: [AppendEvent] = []
    private var room: Room
    private var urgentRoom: Room
    private var isWaitedFor = false
    private var isRefusing = false
    private var isClosed = false
    /// A report of a failure waits.
    let hasFailure = Atomic(false)

    init(maximumRecords: Int, maximumBytes: Int) {
        room = Room(maximumRecords: maximumRecords, maximumBytes: maximumBytes)
        urgentRoom = Room(maximumRecords: maximumRecords / 4, maximumBytes: maximumBytes / 4)
    }

    /// Nil when it was taken.
    func submit(_ submission: Submission) -> LogFailure? {
        monitor.withLock {
            if isRefusing { return LogFailure(.unavailable, "the log is closing") }
            let isTaken = submission.isUrgent ? urgentRoom.take(submission) : room.take(submission)
            guard isTaken else {
                return LogFailure(.unavailable, "more events are waiting for Kafka than may wait")
            }
            add(.append(submission))
            return nil
        }
    }

    func tell(_ event: AppendEvent) {
        if case .report(_, .failure) = event { hasFailure.store(true, ordering: .releasing) }
        monitor.withLock { add(event) }
    }

    private func add(_ event: AppendEvent) {
        if case .append(let submission) = event, submission.isUrgent {
            urgent.append(event)
        } else {
            waiting.append(event)
        }
        if isWaitedFor { monitor.broadcast() }
    }

    /// Has room again: a batch was answered.
    func release(_ submission: Submission) {
        monitor.withLock {
            if submission.isUrgent { urgentRoom.release(submission) } else { room.release(submission) }
        }
    }

    /// Nothing that was submitted waits for its answer.
    var isAnswered: Bool { monitor.withLock { room.records == 0 && urgentRoom.records == 0 } }

    private var isEmpty: Bool { urgent.isEmpty && waiting.isEmpty }

    /// No more batches.
    func refuse() {
        monitor.withLock { isRefusing = true }
    }

    func close() {
        monitor.withLock {
            isClosed = true
            monitor.broadcast()
        }
    }

    /// All that waits; where there is nothing, what comes before the deadline; nil when closed and empty.
    func take(until deadline: Int64) -> [AppendEvent]? {
        monitor.withLock {
            while isEmpty, !isClosed, monotonicNanoseconds() < deadline {
                isWaitedFor = true
                monitor.wait(untilNanoseconds: deadline)
                isWaitedFor = false
            }
            if isEmpty, isClosed { return nil }
            hasFailure.store(false, ordering: .relaxed)
            defer { (urgent, waiting) = ([], []) }
            return urgent + waiting
        }
    }
}
