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
    var completion: @Sendable (Result<[AppendOutcome], LogFailure>) -> Void

    var size: Int { events.count + quarantined.count }
}

/// What waits for the desk's thread, and how much of it is not answered: that is bounded.
final class AppendInbox: @unchecked Sendable {  // Everything below is touched inside the monitor only.
    private let monitor = Monitor()
    private let maximumRecords: Int
    private let maximumBytes: Int
    private var waiting: [AppendEvent] = []
    private var records = 0
    private var bytes = 0
    private var isWaitedFor = false
    private var isRefusing = false
    private var isClosed = false
    /// A report of a failure waits.
    let hasFailure = Atomic(false)

    init(maximumRecords: Int, maximumBytes: Int) {
        self.maximumRecords = maximumRecords
        self.maximumBytes = maximumBytes
    }

    /// Nil when it was taken.
    func submit(_ submission: Submission) -> LogFailure? {
        monitor.withLock {
            if isRefusing { return LogFailure(.unavailable, "the log is closing") }
            let fits = records + submission.size <= maximumRecords && bytes + submission.byteCount <= maximumBytes
            // One batch that is larger than all that may wait is taken while little waits.
            guard fits || (records <= maximumRecords / 2 && bytes <= maximumBytes / 2 && isOver(submission)) else {
                return LogFailure(.unavailable, "more events are waiting for Kafka than may wait")
            }
            records += submission.size
            bytes += submission.byteCount
            add(.append(submission))
            return nil
        }
    }

    private func isOver(_ submission: Submission) -> Bool {
        submission.size > maximumRecords || submission.byteCount > maximumBytes
    }

    func tell(_ event: AppendEvent) {
        if case .report(_, .failure) = event { hasFailure.store(true, ordering: .releasing) }
        monitor.withLock { add(event) }
    }

    private func add(_ event: AppendEvent) {
        waiting.append(event)
        if isWaitedFor { monitor.broadcast() }
    }

    /// Has room again: a batch was answered.
    func release(size: Int, byteCount: Int) {
        monitor.withLock {
            records -= size
            bytes -= byteCount
        }
    }

    /// Nothing that was submitted waits for its answer.
    var isAnswered: Bool { monitor.withLock { records == 0 } }

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
            while waiting.isEmpty, !isClosed, monotonicNanoseconds() < deadline {
                isWaitedFor = true
                monitor.wait(untilNanoseconds: deadline)
                isWaitedFor = false
            }
            if waiting.isEmpty, isClosed { return nil }
            hasFailure.store(false, ordering: .relaxed)
            defer { waiting = [] }
            return waiting
        }
    }
}
