import CCurl

/// The one thread on which all requests run.
///
/// Sendable because its state is confined to that thread (`run`); from outside only the queue is touched.
final class TransferLoop: @unchecked Sendable {
    private let multi: MultiHandle
    private let sockets = SocketWatch()
    private let queue: CommandQueue<Exchange>
    private let maximumConnections: Int

    private let lookups = LookupGate()
    private var waiting = FIFO<Exchange>()
    /// Exchanges that the cap on look-ups holds back, by host.
    private var heldBack: [String: [Exchange]] = [:]
    private var active: [Transfer] = []
    private var idle: [TransferShape: [Transfer]] = [:]
    private var idleCount = 0
    private var nextSweep = MonotonicTime.now()

    /// How often what waits is looked through for what has waited too long.
    private static let sweepInterval = Duration.milliseconds(50)
    /// Longest sleep; every event that matters ends it sooner.
    private static let idleWaitMilliseconds = 60_000

    /// - Parameters:
    ///   - maximumConnections: How many requests run at once; further ones wait.
    ///   - maximumOutstanding: How many may run and wait together.
    init(maximumConnections: Int, maximumOutstanding: Int) {
        self.maximumConnections = maximumConnections
        let multi = MultiHandle(connections: maximumConnections)
        self.multi = multi
        multi.watch(by: sockets)
        queue = CommandQueue(limit: maximumOutstanding) { [sockets] in sockets.wake() }
    }

    /// From any thread. Fails at once when the loop is stopped or too much is outstanding.
    func submit(_ exchange: Exchange) {
        switch queue.push(exchange) {
        case nil: break
        case .busy:
            exchange.completion(
                .failure(TransportFailure(.clientBusy, "too many requests are waiting to be sent: try again later")))
        case .stopped:
            exchange.completion(.failure(TransportFailure(.shutdown, "the program is stopping")))
        }
    }

    /// From any thread: ends `run`.
    func stop() {
        queue.stop()
    }

    /// The loop itself, until `stop`.
    func run() {
        var batch: [Exchange] = []
        while queue.take(into: &batch) {
            for exchange in batch { waiting.append(exchange) }
            batch.removeAll(keepingCapacity: true)
            startWaiting()
            if sockets.takeTimer(now: .now()) { multi.actOnTimer() }
            finishEnded()
            retryHeldBack()
            let mayWait = !canStart && queue.mayWait()
            sockets.wait(milliseconds: mayWait ? waitMilliseconds : 0) { multi.act($0, $1) }
            finishEnded()
        }
        cancelAll(also: batch)
    }

    private var canStart: Bool { !waiting.isEmpty && active.count < maximumConnections }

    private var waitMilliseconds: Int {
        waiting.isEmpty && heldBack.isEmpty ? Self.idleWaitMilliseconds : Self.sweepInterval.milliseconds
    }

    private func startWaiting() {
        guard canStart else { return }
        let now = MonotonicTime.now()
        while active.count < maximumConnections, let exchange = waiting.popFirst() {
            guard exchange.deadline > now else {
                complete(exchange, .failure(Self.waitedTooLong(exchange)))
                continue
            }
            start(exchange, now: now)
        }
    }

    private func start(_ exchange: Exchange, now: MonotonicTime) {
        do throws(TransportFailure) {
            let transfer = try takeTransfer(TransferShape(exchange.request))
            try transfer.begin(exchange, now: now)
            guard multi.add(transfer.easy) else {
                throw TransportFailure(.client, "libcurl does not take the request: out of memory?")
            }
            transfer.place = active.count
            active.append(transfer)
        } catch {
            complete(exchange, .failure(error))
        }
    }

    private func finishEnded() {
        unsafe multi.forEachFinished { context, result in
            finish(unsafe Transfer.from(context), result)
        }
    }

    private func finish(_ transfer: Transfer, _ result: CURLcode) {
        detach(transfer)
        guard let exchange = transfer.end(timedOut: result == CURLE_OPERATION_TIMEDOUT) else { return }
        if transfer.attempt.isHeldBack {
            heldBack[Authority.host(of: exchange.request.url), default: []].append(exchange)
            recycle(transfer)
            return
        }
        let outcome = Self.outcome(of: transfer, exchange, result)
        recycle(transfer)
        complete(exchange, outcome)
    }

    private static func outcome(
        of transfer: Transfer, _ exchange: Exchange, _ result: CURLcode
    ) -> Result<HTTPClientResponse, TransportFailure> {
        let duration = exchange.elapsed
        if result == CURLE_OK, !transfer.collector.isHeadComplete {
            let host = Authority.host(of: exchange.request.url)
            return .failure(
                TransportFailure(
                    .connectionClosed, "\(host) closed the connection inside its answer's header", duration: duration))
        }
        if result == CURLE_OK || transfer.collector.isAbandoned {
            return .success(transfer.collector.response(status: transfer.easy.status(), duration: duration))
        }
        return .failure(
            FailureMapping.failure(
                result, easy: transfer.easy, attempt: transfer.attempt,
                host: Authority.host(of: exchange.request.url), duration: duration))
    }

    private func complete(_ exchange: Exchange, _ outcome: Result<HTTPClientResponse, TransportFailure>) {
        queue.finish(1)
        exchange.completion(outcome)
    }

    private func detach(_ transfer: Transfer) {
        multi.remove(transfer.easy)
        let last = active.removeLast()
        if last !== transfer {
            last.place = transfer.place
            active[transfer.place] = last
        }
    }

    private func takeTransfer(_ shape: TransferShape) throws(TransportFailure) -> Transfer {
        if let transfer = idle[shape]?.popLast() {
            idleCount -= 1
            return transfer
        }
        return try Transfer(shape, lookups: lookups, sockets: sockets)
    }

    private func recycle(_ transfer: Transfer) {
        transfer.release()
        if idleCount >= maximumConnections {
            // Handles of shapes that no target has any more would stay for ever otherwise.
            idle.removeAll()
            idleCount = 0
        }
        idle[transfer.shape, default: []].append(transfer)
        idleCount += 1
    }

    /// Puts what waited for a host's look-ups back in line, and fails what has waited too long.
    private func retryHeldBack() {
        guard !heldBack.isEmpty || !waiting.isEmpty else { return }
        let now = MonotonicTime.now()
        for host in lookups.takeReleased(now: now) {
            for exchange in heldBack.removeValue(forKey: host) ?? [] { waiting.append(exchange) }
        }
        guard now >= nextSweep else { return }
        nextSweep = now.advanced(by: Self.sweepInterval)
        for (host, exchanges) in heldBack {
            let expired = exchanges.filter { $0.deadline <= now }
            guard !expired.isEmpty else { continue }
            let rest = exchanges.filter { $0.deadline > now }
            heldBack[host] = rest.isEmpty ? nil : rest
            for exchange in expired {
                let message = "the look-up of \(host) takes too long: earlier ones still hang"
                complete(exchange, .failure(TransportFailure(.dns, message, duration: exchange.elapsed)))
            }
        }
        guard !canStart else { return }
        for exchange in waiting.remove(where: { $0.deadline <= now }) {
            complete(exchange, .failure(Self.waitedTooLong(exchange)))
        }
    }

    private static func waitedTooLong(_ exchange: Exchange) -> TransportFailure {
        TransportFailure(
            .timeout, "no connection was free in time: all the client may have are in use", duration: exchange.elapsed)
    }

    private func cancelAll(also batch: [Exchange]) {
        var left = batch
        while let transfer = active.last {
            detach(transfer)
            if let exchange = transfer.end(timedOut: false) { left.append(exchange) }
        }
        while let exchange = waiting.popFirst() { left.append(exchange) }
        left += heldBack.values.joined()
        heldBack.removeAll()
        idle.removeAll()
        for exchange in left {
            complete(
                exchange,
                .failure(TransportFailure(.shutdown, "the program is stopping", duration: exchange.elapsed)))
        }
    }
}
