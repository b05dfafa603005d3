internal import HTTPServer
internal import HTTPTypes
internal import Synchronization

/// The answer that one sender waits for. Whoever comes first gives it: the ruling, or the deadline.
final class WaitingAnswer: Sendable {
    private struct State {
        var exchange: HTTPExchange?
        /// What goes out at the deadline.
        var fallback: HTTPResponse
        var ticket: DecisionTimer.Ticket?
    }

    private let state: Mutex<State>
    private let timer: DecisionTimer

    /// - Parameters:
    ///   - fallback: what goes out at the deadline unless `fallBack(to:)` says otherwise.
    ///   - deadline: of `MonotonicClock`, nanoseconds.
    ///   - onDeadline: called when the fallback has gone out; must not block.
    init(
        _ exchange: HTTPExchange, fallback: HTTPResponse, deadline: UInt64, timer: DecisionTimer,
        onDeadline: @escaping @Sendable () -> Void
    ) {
        self.timer = timer
        state = Mutex(State(exchange: exchange, fallback: fallback))
        let ticket = timer.schedule(at: deadline) { [self] in
            if give(nil) { onDeadline() }
        }
        let isTooLate = state.withLock { state in
            guard state.exchange != nil else { return true }
            state.ticket = ticket
            return false
        }
        if isTooLate { timer.cancel(ticket) }
    }

    /// More is known of the request now.
    /// - Returns: whether somebody still waits.
    func fallBack(to response: HTTPResponse) -> Bool {
        state.withLock { state in
            state.fallback = response
            return state.exchange != nil
        }
    }

    /// - Returns: whether this answer went out; otherwise another one had.
    func answer(_ response: HTTPResponse) -> Bool { give(response) }

    /// Nobody waits for a decision: who answers is no longer seen to here. Nil when it is answered already.
    func withdraw() -> HTTPExchange? {
        let (exchange, ticket) = state.withLock { ($0.exchange.take(), $0.ticket.take()) }
        if let ticket { timer.cancel(ticket) }
        return exchange
    }

    private func give(_ response: HTTPResponse?) -> Bool {
        let (exchange, fallback, ticket) = state.withLock { ($0.exchange.take(), $0.fallback, $0.ticket.take()) }
        if let ticket { timer.cancel(ticket) }
        guard let exchange else { return false }
        exchange.respond(response ?? fallback)
        return true
    }
}
