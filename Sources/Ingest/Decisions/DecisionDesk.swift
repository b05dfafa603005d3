internal import EventLog
internal import HTTPServer
internal import Metrics

/// Decides what senders wait for, apart from everything else: threads, a queue and memory of its own, and a clock that
/// answers where they do not.
final class DecisionDesk: Sendable {
    /// Of the bodies of sources that decide.
    let budget: MemoryBudget
    private let timer: DecisionTimer
    private let ledger = DecisionLedger()
    private let lane: DecisionLane<DecisionJob>
    private static let threads = 4
    static let capacity = 4096

    /// - Parameters:
    ///   - bodyMemory: bytes of request bodies held at once.
    ///   - handOn: takes a request that waits for no decision; false when it cannot.
    init(
        log: any EventLog, reporter: RefusalReporter, bodyMemory: Int, handOn: @escaping @Sendable (EventJob) -> Bool
    ) {
        budget = MemoryBudget(limit: bodyMemory)
        let timer = DecisionTimer()
        self.timer = timer
        let tools = DecisionTools(
            log: log, reporter: reporter, timer: timer, ledger: ledger, recorded: RecordedAnswers(), handOn: handOn)
        lane = DecisionLane(threads: Self.threads, capacity: Self.capacity) { lane in
            var worker = DecisionWorker(tools) { _ = lane.offer($0, isGoingOn: true) }
            return { worker.work($0) }
        }
    }

    /// Takes a verified request on. It is answered, whatever comes.
    func take(_ request: EventJob, _ terms: DecisionTerms) {
        let source = request.source
        let waiting = WaitingAnswer(
            request.exchange, fallback: terms.blindResponse(.tooSlow()),
            deadline: request.head.startedAt + terms.within.wholeNanoseconds, timer: timer
        ) { source.decisions?.overdue.add() }
        guard !lane.offer(DecisionJob(request, terms, waiting)) else { return }
        if waiting.answer(terms.blindResponse(.overloaded())) {
            source.decisions?.count(terms.fallback(.overloaded))
        }
        source.decisions?.unkept.add()
        ledger.unkept(nil, now: MonotonicClock.nanoseconds())
    }

    var problem: String? { ledger.problem(now: MonotonicClock.nanoseconds()) }

    /// Answers everybody who waits and ends the threads. No request may come any more.
    func stop() {
        timer.stop()
        lane.stop()
    }
}
