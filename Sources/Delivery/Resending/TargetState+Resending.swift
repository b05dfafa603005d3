internal import EventLog
package import Targets

/// Connections that acknowledge nothing: what one took last stays in the open set until it is pushed out, or the connection
/// has stood long enough after it. When the connection breaks, all of it is sent again before anything new is.
///
/// When connections break again and again, one of the events may be what breaks them. Then a few are sent at once, and
/// finished after a moment; twice as many after each that went well, half after each break. One that breaks a connection by
/// itself has failed, and is judged like any other.
extension TargetState {
    static let connectionLost = "connection_lost"

    /// The code of a connection whose other end takes nothing in.
    private static let standstill = "timeout"

    /// More at once than this is no care any more.
    private static let carefulAtMost = 1024

    /// Whether what the connection took is not finished yet.
    func isWatched(_ receipt: DeliveryReceipt) -> Bool { policy.resend != nil && receipt.connection != nil }

    /// Events that a connection took and that are not finished.
    package var sentCount: Int { open.sentCount }

    /// As much as may be is sent and not finished.
    var isCareful: Bool { careful.map { open.sentCount + inFlightCount >= $0 } ?? false }

    /// A connection of an earlier configuration may still break, and what it took would have to go first.
    /// - Parameter sink: the present one.
    func awaitsConnections(otherThan sink: Int) -> Bool {
        policy.ordersByKey && open.sentCount > 0 && sent.connections.contains { $0.sink != sink }
    }

    mutating func handedOver(_ tried: Tried, _ request: UInt64, _ receipt: DeliveryReceipt, _ now: Moment) {
        noteTaken(tried.event.place, request, isFirst: tried.tries == 1)
        var entry = openEntry(tried, reason: OpenEntry.sent, now)
        entry.handover = hold(entry.place, request, receipt, now)
        open.put(entry)
        add(.open(entry, payload: tried.event.payload, nextAtMs: now.wallMs))
        leaveLane(key(of: tried), tried.event.place)
        pushOut(of: receipt.connection)
    }

    mutating func handedOver(_ place: RecordPlace, _ request: UInt64, _ receipt: DeliveryReceipt, _ now: Moment) {
        guard var entry = open[place] else { return }
        noteTaken(place, request, isFirst: entry.tries == 0)
        entry.tries += 1
        entry.reason = OpenEntry.sent
        entry.isInFlight = false
        entry.dueMs = now.monotonicMs
        entry.handover = hold(place, request, receipt, now)
        open.put(entry)
        add(.postpone(entry, nextAtMs: now.wallMs))
        leaveLane(entry.key, place)
        pushOut(of: receipt.connection)
    }

    /// After a break, that a connection took an event says nothing yet: a receiver that closes every connection takes one
    /// each time. Where care is taken, it says nothing of the others.
    private mutating func noteTaken(_ place: RecordPlace, _ request: UInt64, isFirst: Bool) {
        guard breaksInARow == 0 else { return }
        if careful == nil {
            health.succeeded(place, request: request, isFirst: isFirst)
        } else {
            health.answered(place, isFirst: false)
        }
    }

    /// A connection has stood for a moment, or more, after it took the event.
    private mutating func noteStanding(_ place: RecordPlace) {
        guard breaksInARow > 0 else { return }
        breaksInARow = 0
        health.answered(place, isFirst: false)
    }

    private mutating func hold(
        _ place: RecordPlace, _ request: UInt64, _ receipt: DeliveryReceipt, _ now: Moment
    ) -> Handover {
        guard let connection = receipt.connection else { return .lost }
        let isHeld = sent.append(
            SentWindows.Sent(
                place: place, request: request, receipt: receipt, atMs: now.monotonicMs, wallMs: now.wallMs),
            to: connection)
        return isHeld ? .sent(request) : .lost
    }

    private mutating func pushOut(of connection: StreamConnection?) {
        guard let connection, let limits = policy.resend else { return }
        while let oldest = sent.takePushedOut(of: connection, limits) { finish(oldest) }
    }

    /// Delivered, and surely so.
    private mutating func finish(_ sent: SentWindows.Sent) {
        guard let entry = open[sent.place], entry.handover == .sent(sent.request) else { return }
        open.remove(sent.place)
        recount(sent.place, isSystem: entry.isSystem, to: .delivered)
        add(.close(sent.place))
        record(HistoryEntry(entry, .delivered, Moment(monotonicMs: sent.atMs, wallMs: sent.wallMs)), sent.receipt)
        health.noteSuccess(of: sent.request)
        noteStanding(sent.place)
        finished.append(FinishedDelivery(receipt: sent.receipt, afterMs: max(0, sent.wallMs - entry.receivedAtMs)))
    }

    /// What connections took and was finished since this was asked the last time.
    mutating func takeFinished() -> [FinishedDelivery] {
        defer { finished.removeAll(keepingCapacity: true) }
        return finished
    }

    // MARK: news

    /// The connection stands, and the system of its other end has everything that was sent so long before.
    package mutating func healthy(_ connection: StreamConnection, age: Duration = .zero, _ now: Moment) {
        let standing = max(careful == nil ? policy.resendForMs : policy.resendCarefullyForMs, age.milliseconds)
        if let oldest = sent.oldest(of: connection),
            oldest.atMs <= now.monotonicMs - max(policy.resendCarefullyForMs, age.milliseconds)
        {
            noteStanding(oldest.place)
        }
        var isAny = false
        while let oldest = sent.take(of: connection, sentBy: now.monotonicMs - standing) {
            finish(oldest)
            isAny = true
        }
        guard isAny, let limit = careful else { return }
        careful = limit < Self.carefulAtMost ? limit * 2 : nil
    }

    /// The connection was closed in order, after its receiver had read everything.
    package mutating func drained(_ connection: StreamConnection) {
        for oldest in sent.end(connection) { finish(oldest) }
    }

    /// The connection broke.
    /// - Parameter code: of what broke it.
    /// - Returns: how many events are sent again.
    package mutating func lost(_ connection: StreamConnection, code: String, _ now: Moment) -> Int {
        var gone: [SentWindows.Sent] = []
        var losses = 0
        let taken = sent.end(connection)
        if !taken.isEmpty { breaksInARow += 1 }
        let isOfProbe =
            if case .probing(let place) = health.mode { taken.contains { $0.place == place } } else { false }
        defer {
            // What breaks each time it is opened must not be opened again and again. Where a connection stood in between,
            // the receiver is there, and one of the events may be what it does not like: that is to be found soon.
            if losses > 1 || isOfProbe {
                let delay = policy.retry.delayMs(round: breaksInARow, using: &random)
                health.broke(code, untilMs: now.monotonicMs + delay, now)
            }
        }
        for item in taken {
            guard var entry = open[item.place], entry.handover == .sent(item.request) else { continue }
            entry.handover = .lost
            entry.losses += 1
            entry.dueMs = now.monotonicMs
            open.put(entry)
            losses = max(losses, entry.losses)
            gone.append(item)
        }
        guard let first = gone.first else { return 0 }
        awaitsBroken = true
        if policy.ordersByKey { orderAnew() }
        if careful == 1, gone.count == 1 {
            blame(first, now)
        } else {
            for item in gone { recordLoss(item, now) }
        }
        if code == Self.standstill {
            // A receiver that stands still takes the little that is sent with care as well, into its system's buffers.
            careful = nil
        } else if let limit = careful {
            careful = max(1, min(limit, gone.count) / 2)
        } else if losses >= policy.lossesBeforeCare {
            careful = 1
        }
        return gone.count
    }

    /// The connection had nothing but this event. When others went well since it broke one the last time, it is the event.
    private mutating func blame(_ item: SentWindows.Sent, _ now: Moment) {
        guard var entry = open[item.place] else { return }
        // The try was counted when the connection took it.
        entry.tries -= 1
        let isAlone = entry.record.brokenBy.map { health.newestSuccess > $0 } ?? false
        entry.record.brokenBy = item.request
        open.put(entry)
        let failure = DeliveryFailure(
            code: Self.connectionLost, message: "The connection broke after it had taken the event.",
            blame: isAlone ? .event : .target, duration: item.receipt.duration, exchange: item.receipt.exchange)
        failed(item.place, item.request, failure, now)
    }

    private mutating func recordLoss(_ item: SentWindows.Sent, _ now: Moment) {
        guard let entry = open[item.place] else { return }
        var history = HistoryEntry(entry, .pending, now)
        history.reason = Self.connectionLost
        history.durationMs = item.receipt.duration.milliseconds
        history.exchange = item.receipt.exchange
        history.nextAtMs = now.wallMs
        add(.record(history))
    }
}
