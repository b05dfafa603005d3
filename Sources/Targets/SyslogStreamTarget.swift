import HTTPClient
import Synchronization

/// Syslog over TCP or TLS: one connection, opened by the first message and again by the first after a break.
///
/// These transports know no acknowledgement (RFC 6587, section 4.4): what the kernel has taken counts as delivered, and a
/// break can lose what was on its way. What had not been taken fails, and is sent again.
final class SyslogStreamTarget: Target {
    private struct Message: Sendable {
        var bytes: [UInt8]
        var started: ContinuousClock.Instant
        var version: TargetVersion?
        var completion: @Sendable (DeliveryOutcome) -> Void

        func succeed() {
            end(.delivered(DeliveryReceipt(duration: started.duration(to: .now), bytes: bytes.count)))
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
        switch link.withLock({ $0.send(message) }) {
        case .connect(let generation): connect(generation)
        case .wait: break
        case .write(let stream, let message): write(message, to: stream)
        case .refuse(let message, .closed): message.fail(FailureClassification.closed)
        case .refuse(let message, .full): message.fail(Self.busy)
        }
    }

    func close() {
        let (stream, waiting) = link.withLock { $0.close() }
        stream?.close()
        for message in waiting { message.fail(FailureClassification.closed) }
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
            for message in messages { write(message, to: stream) }
            stream.onClose { [weak self] _ in self?.link.withLock { $0.lost(generation: generation) } }
        case .discard(let stream): stream.close()
        }
    }

    private func write(_ message: Message, to stream: ByteStream) {
        stream.write(message.bytes) { [endpoint = blueprint.endpoint] result in
            switch result {
            case .success: message.succeed()
            case .failure(let failure):
                message.fail(FailureClassification.failure(failure, at: endpoint))
            }
        }
    }
}
