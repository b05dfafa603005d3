/// A batch between `append` and its completion.
struct PendingBatch: Sendable {
    var batch: AppendBatch
    let digests: [RecordDigest]
    let byteCount: Int
    let completion: @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    var outcomes: [AppendOutcome] = []
    /// Quarantined elements that are written.
    var quarantined = 0

    var size: Int { batch.records.count + batch.quarantined.count }
    var isComplete: Bool { outcomes.count == batch.records.count && quarantined == batch.quarantined.count }
}

/// What waits for the writer, in records and bytes that are bounded.
final class AppendQueue: @unchecked Sendable {  // Everything below is touched inside the monitor only.
    private let monitor = Monitor()
    private let maximumRecords: Int
    private let maximumBytes: Int
    /// Records beyond the others' for urgent batches.
    static let urgentRecords = 4096
    private var incoming: [PendingBatch] = []
    private var jobs: [Job] = []
    private var records = 0
    private var bytes = 0
    private var batches = 0
    private var isWriterWaiting = false
    private var isClosing = false
    private var refusal: LogFailure?

    /// Something to be done on the writer's thread, between commits.
    typealias Job = @Sendable (LogWriter) -> Void

    init(maximumRecords: Int, maximumBytes: Int) {
        self.maximumRecords = maximumRecords
        self.maximumBytes = maximumBytes
    }

    /// Nil when it was taken.
    func submit(_ batch: PendingBatch) -> LogFailure? {
        monitor.withLock {
            if let refusal { return refusal }
            if isClosing { return LogFailure(.unavailable, "the log is closing") }
            let isUrgent = batch.batch.isUrgent
            let fits =
                records + batch.size <= maximumRecords + (isUrgent ? Self.urgentRecords : 0)
                && bytes + batch.byteCount <= maximumBytes + (isUrgent ? maximumBytes / 8 : 0)
            // One batch that is larger than the whole queue is taken when nothing else waits.
            guard fits || records == 0 else {
                return LogFailure(.unavailable, "more events are waiting to be written than may wait")
            }
            records += batch.size
            bytes += batch.byteCount
            batches += 1
            incoming.append(batch)
            wakeWriter()
            return nil
        }
    }

    /// False when the log is closing.
    func submit(_ job: @escaping Job) -> Bool {
        monitor.withLock {
            guard !isClosing else { return false }
            jobs.append(job)
            wakeWriter()
            return true
        }
    }

    /// Has every later batch fail at once; nil takes them again.
    func refuse(_ failure: LogFailure?) {
        monitor.withLock { refusal = failure }
    }

    func close() {
        monitor.withLock {
            isClosing = true
            wakeWriter()
        }
    }

    var waitingBatches: Int { monitor.withLock { batches } }

    // MARK: The writer's side

    struct Delivery {
        var batches: [PendingBatch]
        var jobs: [Job]
        var isClosing: Bool
    }

    /// Takes all that waits; where there is nothing, waits for it until the deadline.
    func take(untilNanoseconds deadline: Int64) -> Delivery {
        monitor.withLock {
            while incoming.isEmpty, jobs.isEmpty, !isClosing, monotonicNanoseconds() < deadline {
                isWriterWaiting = true
                monitor.wait(untilNanoseconds: deadline)
                isWriterWaiting = false
            }
            defer {
                incoming = []
                jobs = []
            }
            return Delivery(batches: incoming, jobs: jobs, isClosing: isClosing)
        }
    }

    /// Makes room: these batches have been answered.
    func release(_ answered: [PendingBatch]) {
        let size = answered.reduce(0) { $0 + $1.size }
        let count = answered.reduce(0) { $0 + $1.byteCount }
        monitor.withLock {
            records -= size
            bytes -= count
            batches -= answered.count
        }
    }

    private func wakeWriter() {
        if isWriterWaiting { monitor.broadcast() }
    }
}

/// What the writer has taken and not yet written. What is urgent goes first; requests of a few records go before the rest of a large batch, which
/// goes on a piece a commit.
struct Backlog {
    private var urgent = FirstInFirstOut<PendingBatch>()
    private var small = FirstInFirstOut<PendingBatch>()
    private var large = FirstInFirstOut<PendingBatch>()
    static let largeSize = 64

    var isEmpty: Bool { urgent.isEmpty && small.isEmpty && large.isEmpty }
    var hasUrgent: Bool { !urgent.isEmpty }
    var hasLarge: Bool { !large.isEmpty }

    mutating func add(_ batches: [PendingBatch]) {
        for batch in batches {
            if batch.size > Self.largeSize {
                large.append(batch)
            } else if batch.batch.isUrgent {
                urgent.append(batch)
            } else {
                small.append(batch)
            }
        }
    }

    /// The next batch of a few records, if it has at most `size`.
    mutating func nextSmall(ofAtMost size: Int) -> PendingBatch? {
        if let first = urgent.first { return first.size <= size ? urgent.removeFirst() : nil }
        guard let first = small.first, first.size <= size else { return nil }
        return small.removeFirst()
    }

    mutating func nextLarge() -> PendingBatch? { large.removeFirst() }

    mutating func putBack(_ batch: PendingBatch) { large.prepend(batch) }

    mutating func removeAll() -> [PendingBatch] {
        var all: [PendingBatch] = []
        while let batch = urgent.removeFirst() ?? small.removeFirst() ?? large.removeFirst() { all.append(batch) }
        return all
    }
}

/// A queue whose removed elements are let go at once.
package struct FirstInFirstOut<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var isEmpty: Bool { head == elements.count }
    package var first: Element? { isEmpty ? nil : elements[head] }

    package mutating func append(_ element: Element) {
        elements.append(element)
    }

    package mutating func prepend(_ element: Element) {
        guard head > 0 else { return elements.insert(element, at: 0) }
        head -= 1
        elements[head] = element
    }

    package mutating func removeFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 512, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
