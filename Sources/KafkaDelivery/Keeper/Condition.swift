internal import Dispatch
internal import Synchronization

/// Lets threads wait until something holds. What it depends on has a lock of its own.
final class Condition: Sendable {
    private let waiters = Mutex<[DispatchSemaphore]>([])

    /// What some thread may wait for has changed.
    func broadcast() {
        for waiter in waiters.withLock({ $0 }) { waiter.signal() }
    }

    /// - Parameter holds: asked at once and after each change.
    /// - Returns: false when the time was up first.
    func wait(within limit: Duration, until holds: () -> Bool) -> Bool {
        let waiter = DispatchSemaphore(value: 0)
        waiters.withLock { $0.append(waiter) }
        defer { waiters.withLock { waiters in waiters.removeAll { $0 === waiter } } }
        let deadline = DispatchTime.now() + limit.secondsOfDispatch
        while !holds() {
            if waiter.wait(timeout: deadline) == .timedOut { return holds() }
        }
        return true
    }
}

extension Duration {
    var secondsOfDispatch: Double {
        let (seconds, attoseconds) = components
        return Double(min(seconds, 1 << 30)) + Double(attoseconds) / 1e18
    }
}
