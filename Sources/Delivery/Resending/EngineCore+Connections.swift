internal import EventLog
internal import Logging
internal import Targets

extension EngineCore {
    /// What a target tells of its connections.
    /// - Parameter sink: the version of the target that made them.
    func hear(_ news: ConnectionNews, told: Moment, of target: String, sink: Int, _ now: Moment) {
        guard let runtime = runtime(named: target) else { return }
        var lost = 0
        for sender in working where sender === runtime || sender.replayed === runtime {
            switch news {
            case .healthy(let number, let age):
                sender.state.healthy(StreamConnection(sink: sink, number: number), age: age, told)
            case .drained(let number): sender.state.drained(StreamConnection(sink: sink, number: number))
            case .lost(let number, let code):
                lost += sender.state.lost(StreamConnection(sink: sink, number: number), code: code, now)
            }
        }
        if case .lost(let number, _) = news, let current = runtime.sink, current.id == sink {
            current.target.forgetLost(number)
        }
        logStanding(runtime, now)
        guard lost > 0 else { return }
        runtime.metrics.resent(lost)
        runtime.failures.noteLoss()
        watchBreaker(runtime, now)
        logger.warning(
            "connection_lost", "A connection of the target \(target) broke; what it took last is sent again.",
            ["target": .string(target), "events": .integer(Int64(lost)), "reason": .string(code(of: news))])
    }

    /// What connections took counts as delivered once it is finished.
    func measureFinished() {
        for runtime in working {
            for delivery in runtime.state.takeFinished() {
                (runtime.replayed ?? runtime).failures.note(.delivered(delivery.receipt), isSystem: false)
                runtime.metrics.delivered(delivery.receipt, latencySeconds: Double(delivery.afterMs) / 1000)
            }
        }
    }

    /// Events that are on their way, or that connections took and may yet lose. Once the first have ended, the connections
    /// are closed in order, so that what their receivers have read is known.
    /// - Returns: whether there are any.
    func finishConnections() -> Bool {
        if inFlightCount > 0 { return true }
        guard working.contains(where: { $0.state.sentCount > 0 }) else { return false }
        if !isClosingConnections {
            isClosingConnections = true
            for runtime in runtimes where runtime.state.policy.resend != nil { runtime.sink?.target.close() }
        }
        return true
    }

    /// Everything was sent, but that connections took some of it that may yet be lost.
    var isIdleButForConnections: Bool {
        let head = log.head
        return runtimes.allSatisfy { runtime in
            let state = runtime.state
            return !state.isActive
                || (state.position.isAtEnd(of: head) && state.unfinishedBeforePosition == state.sentCount)
        }
    }

    private func code(of news: ConnectionNews) -> String { if case .lost(_, let code) = news { code } else { "" } }
}
