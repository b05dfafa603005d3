internal import EventLog
internal import Synchronization

/// A position that one thread sets and others read without waiting for it.
final class SharedPosition: Sendable {
    private let position: Mutex<LogPosition>

    init(_ position: LogPosition) {
        self.position = Mutex(position)
    }

    var value: LogPosition {
        get { position.withLock { $0 } }
        set { position.withLock { $0 = newValue } }
    }
}

/// Whether delivery is to end, and by when.
final class StopRequest: Sendable {
    private let deadline = Mutex<Int64?>(nil)

    /// On the monotonic clock, milliseconds; nil while nobody asked.
    var deadlineMs: Int64? { deadline.withLock { $0 } }

    func request(deadlineMs: Int64) {
        deadline.withLock { $0 = $0 ?? deadlineMs }
    }
}

/// The targets' states of a moment ago: one page of metrics asks for them many times.
final class StatusCache: Sendable {
    private static let lifetimeMs: Int64 = 500

    private let content = Mutex<(atMs: Int64, statuses: [TargetStatus])?>(nil)

    func statuses(_ read: () -> [TargetStatus]) -> [TargetStatus] {
        let nowMs = Moment.now().monotonicMs
        if let known = content.withLock({ $0 }), nowMs - known.atMs < Self.lifetimeMs { return known.statuses }
        let fresh = read()
        content.withLock { $0 = (nowMs, fresh) }
        return fresh
    }
}
