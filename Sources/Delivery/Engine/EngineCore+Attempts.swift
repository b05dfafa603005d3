internal import Events
internal import JSON
internal import Logging
internal import Targets

/// What goes out, and how it ended.
extension EngineCore {
    func sendAll(_ now: Moment) {
        for runtime in runtimes {
            guard let sink = runtime.sink, !runtime.state.awaitsConnections(otherThan: sink.id) else { continue }
            while true {
                let request = runtime.state.nextRequest(now)
                if request.isEmpty { break }
                begin(request, runtime, sink, now)
            }
        }
        crashWatch.passed()
    }

    /// One request is on its way.
    func begin(_ request: [Attempt], _ runtime: TargetRuntime, _ sink: Sink, _ now: Moment) {
        if runtime.state.policy.batch == nil {
            for attempt in request { send(attempt, runtime, sink, now) }
        } else {
            send(request, runtime, sink, now)
        }
    }

    private func send(_ attempt: Attempt, _ runtime: TargetRuntime, _ sink: Sink, _ now: Moment) {
        guard let event = event(of: attempt, runtime, now),
            let outgoing = outgoing(event, attempt, runtime, sink)
        else { return }
        let end = completion(runtime, sink)
        let part = Completion.Part(ticket: attempt.ticket, attempt: attempt.number)
        sink.target.send(outgoing) { end(.one(part, $0)) }
    }

    private func send(_ request: [Attempt], _ runtime: TargetRuntime, _ sink: Sink, _ now: Moment) {
        var parts: [Completion.Part] = []
        var batch: [OutgoingEvent] = []
        for attempt in request {
            guard let event = event(of: attempt, runtime, now),
                let outgoing = outgoing(event, attempt, runtime, sink)
            else { continue }
            parts.append(Completion.Part(ticket: attempt.ticket, attempt: attempt.number))
            batch.append(outgoing)
        }
        guard !batch.isEmpty else { return }
        let end = completion(runtime, sink)
        sink.target.send(batch: batch) { [parts] in end(.several(parts, $0)) }
    }

    /// The event to send; nil when it is not there, or the target does not take it now, which the state has been told.
    /// Routes are asked once, but whoever opts out while an event of theirs waits is not sent, however it came to wait.
    private func event(of attempt: Attempt, _ runtime: TargetRuntime, _ now: Moment) -> LoggedEvent? {
        guard let event = content(of: attempt, runtime, now) else { return nil }
        guard let view = event.view, let reason = matcher.refusal((runtime.replayed ?? runtime).index, of: view) else {
            return event
        }
        runtime.state.refuse(attempt.ticket, reason, now)
        if runtime.replay == nil {
            observer?(.refused(event, target: runtime.name, routes: attempt.routes.names, reason))
        }
        return nil
    }

    private func content(of attempt: Attempt, _ runtime: TargetRuntime, _ now: Moment) -> LoggedEvent? {
        switch attempt.content {
        case .event(let event): return event
        case .open(let place):
            do {
                if let entry = runtime.state.openEntry(place),
                    let payload = try store.openPayload(runtime.id, place) ?? runtime.state.uncommittedPayload(place)
                {
                    return LoggedEvent(entry, payload, parser)
                }
                runtime.state.vanish(attempt.ticket, now)
            } catch {
                reportStoreFailure(error)
                runtime.state.abandon(attempt.ticket, now)
            }
            return nil
        }
    }

    /// Nil when the event cannot be sent at all; then the attempt has ended.
    private func outgoing(
        _ event: LoggedEvent, _ attempt: Attempt, _ runtime: TargetRuntime, _ sink: Sink
    ) -> OutgoingEvent? {
        let failure: DeliveryFailure
        if let view = event.view {
            if crashWatch.mayBegin(runtime.id, event.place) {
                return OutgoingEvent(
                    event: view, routes: attempt.routes.names, attempt: attempt.number, replay: runtime.replay)
            }
            let message = "The program died several times while it sent this event."
            failure = DeliveryFailure(code: "crashed", message: message, blame: .event)
        } else {
            failure = DeliveryFailure(code: "unreadable", message: "The event cannot be read.", blame: .event)
        }
        let part = Completion.Part(ticket: attempt.ticket, attempt: attempt.number)
        completion(runtime, sink)(.one(part, .failed(failure)))
        return nil
    }

    private func completion(_ runtime: TargetRuntime, _ sink: Sink) -> @Sendable (Completion.Content) -> Void {
        sink.inFlight += 1
        let (id, sinkID, inbox) = (runtime.id, sink.id, inbox)
        return { inbox.post(Completion(target: id, sink: sinkID, content: $0)) }
    }

    // MARK: outcomes

    func finishAttempts(_ now: Moment) {
        inbox.take(&completions)
        for completion in completions {
            if case .connection(let target, let news, let told) = completion.content {
                hear(news, told: told, of: target, sink: completion.sink, now)
                continue
            }
            // A forgotten target's attempts end for nobody.
            guard let runtime = byID[completion.target] else {
                departed[completion.target]?.ended(sink: completion.sink)
                continue
            }
            runtime.ended(sink: completion.sink)
            switch completion.content {
            case .one(let part, let outcome): finish(part, outcome.placed(on: completion.sink), runtime, now)
            case .several(let parts, .each(let each)):
                var outcomes = each.map { $0.placed(on: completion.sink) }
                // An event the target said nothing of is sent again.
                outcomes += Array(repeating: Self.noResult, count: max(0, parts.count - outcomes.count))
                for (part, outcome) in zip(parts, outcomes) { measure(part, outcome, runtime, now) }
                finish(parts, .each(outcomes), runtime, now)
            case .several(let parts, .all(let outcome)):
                for part in parts { measure(part, outcome, runtime, now) }
                finish(parts, .all(outcome), runtime, now)
            case .connection: break
            }
            if let target = runtime.replayed { share(target, with: runtime) }
            watchBreaker(runtime, now)
            if !completion.content.isDelivered || runtime.lastLoggedStanding != .running { logStanding(runtime, now) }
        }
        measureFinished()
    }

    private static let noResult = DeliveryOutcome.failed(
        DeliveryFailure(code: "no_result", message: "The receiver's answer says nothing of this event.", blame: .target)
    )

    private func finish(
        _ part: Completion.Part, _ outcome: DeliveryOutcome, _ runtime: TargetRuntime, _ now: Moment
    ) {
        guard let event = measure(part, outcome, runtime, now) else {
            // It was given up meanwhile; now its place is free.
            return runtime.state.finish(part.ticket, outcome, now)
        }
        let dead = runtime.state.counters.dead
        runtime.state.finish(part.ticket, outcome, now)
        guard case .failed(let failure) = outcome else { return }
        if runtime.state.counters.dead > dead { reportDeath(event.id, failure.code, runtime) }
    }

    private func finish(_ parts: [Completion.Part], _ outcome: BatchOutcome, _ runtime: TargetRuntime, _ now: Moment) {
        let operations = runtime.state.uncommittedCount
        runtime.state.finish(parts.map(\.ticket), outcome, now)
        for letter in runtime.state.deadLetters(from: operations) { reportDeath(letter.id, letter.reason, runtime) }
    }

    @discardableResult
    private func measure(
        _ part: Completion.Part, _ outcome: DeliveryOutcome, _ runtime: TargetRuntime, _ now: Moment
    ) -> AttemptedEvent? {
        guard let event = runtime.state.event(of: part.ticket) else { return nil }
        if case .delivered(let receipt) = outcome, runtime.state.isWatched(receipt) {
            // It counts once it is finished: see `measureFinished`.
            if runtime.replay == nil {
                observer?(.delivered(event.id, target: runtime.name, attempt: part.attempt, receipt))
            }
            return event
        }
        (runtime.replayed ?? runtime).failures.note(outcome, isSystem: event.isSystem)
        switch outcome {
        case .delivered(let receipt):
            runtime.metrics.delivered(receipt, latencySeconds: Double(now.wallMs - event.receivedAtMs) / 1000)
            guard runtime.replay == nil else { break }
            observer?(.delivered(event.id, target: runtime.name, attempt: part.attempt, receipt))
        case .failed(let failure):
            runtime.metrics.failed(failure)
            guard runtime.replay == nil else { break }
            observer?(.failed(event.id, target: runtime.name, attempt: part.attempt, failure))
        }
        return event
    }

    private func reportDeath(_ event: EventID, _ reason: String, _ runtime: TargetRuntime) {
        if runtime.replay == nil { observer?(.buried(event, target: runtime.name, reason: reason)) }
        logger.warning(
            "dead_letter", "The target \(runtime.name) does not take an event; it is in the dead letters.",
            ["target": .string(runtime.name), "id": .string(event.hex), "reason": .string(reason)])
    }
}

extension DeliveryOutcome {
    /// With the connection that took the event told from those of other versions of the target.
    fileprivate func placed(on sink: Int) -> DeliveryOutcome {
        guard case .delivered(var receipt) = self, receipt.connection != nil else { return self }
        receipt.connection?.sink = sink
        return .delivered(receipt)
    }
}
