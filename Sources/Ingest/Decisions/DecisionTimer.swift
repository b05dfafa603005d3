internal import Dispatch
internal import Synchronization
internal import Threads

/// Calls back at moments, on a thread of its own, so that nothing that hangs elsewhere keeps an answer from going out.
final class DecisionTimer: Sendable {
    typealias Ticket = UInt64

    private struct State {
        /// A binary heap: the earliest first. A cancelled moment stays in it until it has passed.
        var moments: [(at: UInt64, ticket: Ticket)] = []
        var actions: [Ticket: @Sendable () -> Void] = [:]
        var last: Ticket = 0
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let thread = Mutex<Thread?>(nil)

    init() {
        let started = Thread.indispensable(name: "deadlines") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// - Parameters:
    ///   - moment: of `MonotonicClock`, nanoseconds.
    ///   - action: called once at that moment or soon after it; must not block.
    func schedule(at moment: UInt64, _ action: @escaping @Sendable () -> Void) -> Ticket {
        let (ticket, isFirst) = state.withLock { state -> (Ticket, Bool) in
            state.last += 1
            guard !state.isStopping else { return (0, false) }
            state.actions[state.last] = action
            state.moments.insertIntoHeap((moment, state.last))
            return (state.last, state.moments[0].ticket == state.last)
        }
        if ticket == 0 {
            action()
        } else if isFirst {
            wake.signal()
        }
        return ticket
    }

    /// Its action may be under way already.
    func cancel(_ ticket: Ticket) {
        // Let go outside the lock: it may hold the last reference to a connection.
        let action = state.withLock { $0.actions.removeValue(forKey: ticket) }
        _ = action
    }

    /// Calls every action that waits, then ends the thread. What is scheduled from here on is called at once.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        thread.withLock { $0.take() }?.join()
    }

    private func run() {
        while true {
            let now = MonotonicClock.nanoseconds()
            let (due, next, isStopping) = state.withLock { state in
                var due: [@Sendable () -> Void] = []
                while let first = state.moments.first, first.at <= now || state.isStopping {
                    state.moments.removeFirstOfHeap()
                    if let action = state.actions.removeValue(forKey: first.ticket) { due.append(action) }
                }
                return (due, state.moments.first?.at, state.isStopping)
            }
            for action in due { action() }
            if isStopping { return }
            if !due.isEmpty { continue }
            if let next {
                _ = wake.wait(timeout: .now() + .nanoseconds(Int(clamping: next - min(next, now))))
            } else {
                wake.wait()
            }
        }
    }
}

extension [(at: UInt64, ticket: UInt64)] {
    fileprivate mutating func insertIntoHeap(_ element: Element) {
        append(element)
        var place = count - 1
        while place > 0, self[place].at < self[(place - 1) / 2].at {
            swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    fileprivate mutating func removeFirstOfHeap() {
        swapAt(0, count - 1)
        removeLast()
        var place = 0
        while true {
            let children = (2 * place + 1)..<Swift.min(2 * place + 3, Swift.max(count, 2 * place + 1))
            guard let least = children.min(by: { self[$0].at < self[$1].at }), self[least].at < self[place].at else {
                return
            }
            swapAt(place, least)
            place = least
        }
    }
}
