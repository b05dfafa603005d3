internal import Dispatch
internal import EventLog
internal import Synchronization

/// Requests that wait for events: each is answered with what came, or with nothing once its time is over. A waiting request
/// holds its connection and no thread.
final class TailHub: Sendable {
    /// Requests that wait at once.
    static let maximumWaiters = 32
    /// How often the log is looked at while somebody waits.
    private static let tick = DispatchTimeInterval.milliseconds(100)

    struct Waiter: Sendable {
        var filter: EventFilter
        var position: LogPosition
        var limit: Int
        var deadline: DispatchTime
        var answer: @Sendable (Result<RecordPage, any Error>) -> Void
    }

    private struct State {
        var waiters: [Waiter] = []
        /// Those being looked at count too.
        var busy = 0
        var isTicking = false
    }

    private let pager: RecordPager
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "console tail")

    init(_ pager: RecordPager) {
        self.pager = pager
    }

    /// - Returns: false when too many wait already; the answer is then never called.
    func wait(_ waiter: Waiter) -> Bool {
        let isTaken = state.withLock { state in
            guard state.waiters.count + state.busy < Self.maximumWaiters else { return false }
            state.waiters.append(waiter)
            return true
        }
        if isTaken { schedule(after: .seconds(0)) }
        return isTaken
    }

    private func schedule(after delay: DispatchTimeInterval) {
        let begins = state.withLock { state in
            defer { state.isTicking = true }
            return !state.isTicking
        }
        guard begins else { return }
        queue.asyncAfter(deadline: .now() + delay) { [self] in
            state.withLock { $0.isTicking = false }
            look()
        }
    }

    private func look() {
        let taken = state.withLock { state in
            defer { state.waiters = [] }
            state.busy = state.waiters.count
            return state.waiters
        }
        let now = DispatchTime.now()
        let rest = taken.compactMap { look($0, now) }
        let isWaiting = state.withLock { state in
            state.busy = 0
            state.waiters = rest + state.waiters
            return !state.waiters.isEmpty
        }
        if isWaiting { schedule(after: Self.tick) }
    }

    /// Nil once it is answered.
    private func look(_ waiter: Waiter, _ now: DispatchTime) -> Waiter? {
        var waiter = waiter
        var lines: [[UInt8]] = []
        do {
            if waiter.position != pager.log.head {
                (lines, waiter.position) = try pager.following(waiter.filter, from: waiter.position, waiter.limit)
            }
        } catch let failure as LogFailure where failure.code == .expired {
            waiter.answer(.failure(APIProblem.cursorExpired))
            return nil
        } catch {
            waiter.answer(.failure(error))
            return nil
        }
        guard !lines.isEmpty || now >= waiter.deadline else { return waiter }
        waiter.answer(.success(RecordPage(lines: lines, next: waiter.position.description)))
        return nil
    }
}
