internal import Dispatch
internal import Synchronization

/// Wakes whoever waits for records, of any reader.
final class Arrivals: Sendable {
    private struct State {
        var count: UInt64 = 0
        var waiting: [DispatchSemaphore] = []
    }

    private let state = Mutex(State())

    /// How often something has come.
    var count: UInt64 { state.withLock { $0.count } }

    func signal() {
        let waiting = state.withLock { state in
            state.count += 1
            defer { state.waiting = [] }
            return state.waiting
        }
        for semaphore in waiting { semaphore.signal() }
    }

    /// Waits until something has come since `count` was asked for, or until the deadline.
    func wait(since count: UInt64, until deadline: ContinuousClock.Instant) {
        let semaphore = DispatchSemaphore(value: 0)
        let isDone = state.withLock { state in
            if state.count != count { return true }
            state.waiting.append(semaphore)
            return false
        }
        guard !isDone else { return }
        let left = max(0, ContinuousClock.now.duration(to: deadline).wholeMilliseconds)
        guard semaphore.wait(timeout: .now() + .milliseconds(Int(left) + 1)) == .timedOut else { return }
        state.withLock { $0.waiting.removeAll { $0 === semaphore } }
    }
}
