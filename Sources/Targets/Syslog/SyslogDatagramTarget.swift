import HTTPClient
import Synchronization

/// Syslog over UDP (RFC 5426): one datagram a message. That it was sent is all that can be known.
final class SyslogDatagramTarget: Target {
    private let blueprint: SyslogBlueprint
    private let renderer: SyslogRenderer
    private let socket: DatagramSocket
    private let isClosed = Atomic(false)

    init(_ blueprint: SyslogBlueprint, _ renderer: SyslogRenderer, _ context: TargetContext) {
        self.blueprint = blueprint
        self.renderer = renderer
        socket = DatagramSocket(
            host: blueprint.endpoint.host, port: blueprint.endpoint.port,
            addressGuard: blueprint.settings.addressGuard, client: context.client)
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard !isClosed.load(ordering: .acquiring) else { return completion(.failed(FailureClassification.closed)) }
        let started = ContinuousClock.now
        let datagram: [UInt8]
        do throws(RenderingError) {
            datagram = try renderer.render(outgoing)
        } catch {
            return completion(.failed(FailureClassification.failure(error)))
        }
        outgoing.test?.sends(TargetRendition(.bytes(datagram), of: blueprint, showsSignature: false))
        socket.send(datagram) { [blueprint] result in
            let outcome: DeliveryOutcome =
                switch result {
                case .success:
                    .delivered(DeliveryReceipt(duration: started.duration(to: .now), bytes: datagram.count))
                case .failure(let failure): .failed(FailureClassification.failure(failure, at: blueprint.endpoint))
                }
            completion(
                outcome.carrying(Exchange(datagram, version: blueprint.settings.version, isKept: !outcome.isDelivered)))
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        socket.close()
    }
}
