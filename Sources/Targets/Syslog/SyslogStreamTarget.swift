import HTTPClient
import Synchronization

/// Syslog over TCP or TLS: one connection, opened by the first message and again by the first after a break.
///
/// These transports know no acknowledgement (RFC 6587, section 4.4): of what the kernel has taken nobody knows whether it
/// will be read. So where connections are watched, whoever does so is told which one took a message, and what becomes of
/// it. What the kernel had not taken fails.
final class SyslogStreamTarget: Target {
    private struct Message: Sendable {
        var bytes: [UInt8]
        var started: ContinuousClock.Instant
        var version: TargetVersion?
        var completion: @Sendable (DeliveryOutcome) -> Void

        /// - Parameter connection: the one that took it, where that is watched.
        func succeed(_ connection: StreamConnection?) {
            var receipt = DeliveryReceipt(duration: started.duration(to: .now), bytes: bytes.count)
            receipt.connection = connection
            end(.delivered(receipt))
        }

        func fail(_ failure: DeliveryFailure) {
            var failure = failure
            failure.duration = started.duration(to: .now)
            end(.failed(failure))
        }

        private func end(_ outcome: DeliveryOutcome) {
            completion(outcome.carrying(Exchange(bytes, version: version, isKept: !outcome.isDelivered)))
        }
    }

    private let blueprint: SyslogBlueprint
    private let renderer: SyslogRenderer
    private let context: TargetContext
    private let link = Mutex(StreamLink<ByteStream, Message>())
    /// Why the newest connection broke.
    private let breakage = Mutex<TransportFailure?>(nil)
    /// Nil where nobody watches.
    private let watcher = Mutex<(@Sendable (ConnectionNews) -> Void)?>(nil)

    init(_ blueprint: SyslogBlueprint, _ renderer: SyslogRenderer, _ context: TargetContext) {
        self.blueprint = blueprint
        self.renderer = renderer
        self.context = context
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        let started = ContinuousClock.now
        let message: Message
        do throws(RenderingError) {
            message = Message(
                bytes: try renderer.render(outgoing), started: started, version: blueprint.settings.version,
                completion: completion)
        } catch {
            return completion(.failed(FailureClassification.failure(error)))
        }
        outgoing.test?.sends(TargetRendition(.bytes(message.bytes), of: blueprint, showsSignature: false))
        let (action, generation) = link.withLock { ($0.send(message), $0.generation) }
        switch action {
        case .connect(let generation): connect(generation)
        case .wait: break
        case .write(let stream, let message): write(message, to: stream, generation)
        case .refuse(let message, .broken): message.fail(broken)
        case .refuse(let message, .closed): message.fail(FailureClassification.closed)
        case .refuse(let message, .full): message.fail(Self.busy)
        }
    }

    func close() {
        let (stream, waiting) = link.withLock { $0.close() }
        if watched != nil { stream?.finish() } else { stream?.close() }
        for message in waiting { message.fail(FailureClassification.closed) }
    }

    func watchConnections(_ told: @escaping @Sendable (ConnectionNews) -> Void) {
        guard blueprint.settings.resend != nil else { return }
        watcher.withLock { $0 = told }
    }

    func forgetLost(_ connection: Int) {
        link.withLock { $0.settle(generation: connection) }
    }

    private var watched: (@Sendable (ConnectionNews) -> Void)? { watcher.withLock(\.self) }

    private var broken: DeliveryFailure {
        let failure =
            breakage.withLock { $0 } ?? TransportFailure(.connectionClosed, "the connection broke a moment ago")
        return FailureClassification.failure(failure, at: blueprint.endpoint)
    }

    private static let busy = DeliveryFailure(
        code: "target_busy", message: "too many messages wait for the connection", blame: .target)

    private func connect(_ generation: Int) {
        let settings = blueprint.settings
        context.client.openStream(
            host: blueprint.endpoint.host, port: blueprint.endpoint.port,
            tls: blueprint.endpoint.scheme == "tls" ? settings.tls : nil, addressGuard: settings.addressGuard,
            timeout: settings.timeout,
            maximumQueuedBytes: max(1 << 20, settings.concurrency * (blueprint.maximumBytes + 16))
        ) { [self] result in
            switch result {
            case .success(let stream): connected(stream, generation)
            case .failure(let failure):
                let waiting = link.withLock { $0.failed(generation: generation) }
                for message in waiting { message.fail(FailureClassification.failure(failure, at: blueprint.endpoint)) }
            }
        }
    }

    private func connected(_ stream: ByteStream, _ generation: Int) {
        switch link.withLock({ $0.connected(stream, generation: generation) }) {
        case .write(let stream, let messages):
            for message in messages { write(message, to: stream, generation) }
            watch(stream, generation)
        case .discard(let stream): stream.close()
        }
    }

    private func watch(_ stream: ByteStream, _ generation: Int) {
        guard let watched else {
            return stream.onClose { [weak self] _ in self?.link.withLock { $0.lost(generation: generation) } }
        }
        // Somewhat longer than it takes to be finished: it is looked at now and then.
        let time = (blueprint.settings.resend?.time ?? .zero) + .seconds(5)
        stream.onHealthy(within: time) { watched(.healthy(number: generation, age: $0)) }
        stream.onClose { [weak self] failure in
            self?.breakage.withLock { $0 = failure }
            self?.link.withLock { $0.lost(generation: generation, isHeld: true) }
            watched(
                failure.map { .lost(number: generation, code: $0.code.rawValue) } ?? .drained(number: generation))
        }
    }

    private func write(_ message: Message, to stream: ByteStream, _ generation: Int) {
        let connection = watched == nil ? nil : StreamConnection(number: generation)
        stream.write(message.bytes) { [endpoint = blueprint.endpoint] result in
            switch result {
            case .success: message.succeed(connection)
            case .failure(let failure):
                message.fail(FailureClassification.failure(failure, at: endpoint))
            }
        }
    }
}
