import Synchronization

/// The hand-over from any thread to the one that owns a multi handle: bounded, never blocking, in batches.
final class CommandQueue<Command: Sendable>: Sendable {
    enum Refusal {
        case busy
        case stopped
    }

    private struct State {
        var commands: [Command] = []
        /// What was handed over and is not finished.
        var outstanding = 0
        /// The owner waits, or is about to, and must be woken.
        var isAsleep = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let limit: Int
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - limit: How many commands may be outstanding.
    ///   - wake: Ends the owner's waiting; callable from any thread.
    init(limit: Int, wake: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.wake = wake
    }

    /// Hands a command over; nil when it was taken.
    func push(_ command: Command) -> Refusal? {
        push(command, limit: limit)
    }

    /// Hands over what must not be refused, and of which there is never more than one for something that was handed
    /// over before. Only a stopped queue drops it.
    func pushAlways(_ command: Command) {
        _ = push(command, limit: .max)
    }

    private func push(_ command: Command, limit: Int) -> Refusal? {
        let (refusal, mustWake) = state.withLock { state -> (Refusal?, Bool) in
            if state.isStopped { return (.stopped, false) }
            if state.outstanding >= limit { return (.busy, false) }
            state.outstanding += 1
            state.commands.append(command)
            defer { state.isAsleep = false }
            return (nil, state.isAsleep)
        }
        if mustWake { wake() }
        return refusal
    }

    /// For the owner: takes what was handed over. `batch` must be empty; its storage is used again.
    /// - Returns: False once the queue was stopped; nothing is handed over from then on.
    func take(into batch: inout [Command]) -> Bool {
        state.withLock { state in
            state.isAsleep = false
            swap(&batch, &state.commands)
            return !state.isStopped
        }
    }

    /// For the owner: says that `count` commands are finished.
    func finish(_ count: Int) {
        state.withLock { $0.outstanding -= count }
    }

    /// For the owner, right before it waits: false when there is something to do instead.
    func mayWait() -> Bool {
        state.withLock { state in
            guard state.commands.isEmpty, !state.isStopped else { return false }
            state.isAsleep = true
            return true
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }
}
