internal import Dispatch
internal import EventLog
internal import Synchronization

/// The appends of one batch that are on their way: at most `limit` at once. When the last of them has ended, it says so
/// with the first failure of any.
final class PendingAppends: Sendable {
    private struct State {
        /// The batch itself counts as one until it is sealed.
        var underWay = 1
        var failure: LogFailure?
    }

    private let places: DispatchSemaphore
    private let state = Mutex(State())
    private let done: @Sendable (LogFailure?) -> Void

    /// - Parameter done: called once, on the thread of the last append's end.
    init(limit: Int, done: @escaping @Sendable (LogFailure?) -> Void) {
        self.done = done
        places = DispatchSemaphore(value: 0)
        for _ in 0..<limit { places.signal() }
    }

    /// Waits for a place.
    func begin() {
        places.wait()
        state.withLock { $0.underWay += 1 }
    }

    func end(_ failure: LogFailure?) {
        places.signal()
        settle(failure)
    }

    /// No append follows.
    func seal() { settle(nil) }

    private func settle(_ failure: LogFailure?) {
        let ended = state.withLock { state -> State? in
            state.underWay -= 1
            state.failure = state.failure ?? failure
            return state.underWay == 0 ? state : nil
        }
        if let ended { done(ended.failure) }
    }
}
