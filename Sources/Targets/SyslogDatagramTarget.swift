import HTTPClient
import Synchronization

/// Syslog over UDP (RFC 5426): one datagram a message. That it was sent is all that can be known.
final class SyslogDatagramTarget: Target {
    private let endpoint: Endpoint
    private let renderer: SyslogRenderer
    private let socket: DatagramSocket
    private let isClosed = Atomic(false)

    init(_ blueprint: SyslogBlueprint, _ renderer: SyslogRenderer, _ context: TargetContext) {
        endpoint = blueprint.endpoint
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
        socket.send(datagram) { [endpoint] result in
            switch result {
            case .success:
                completion(
                    .delivered(DeliveryReceipt(duration: started.duration(to: .now), bytes: datagram.count)))
            case .failure(let failure):
                completion(.failed(FailureClassification.failure(failure, at: endpoint)))
            }
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        socket.close()
    }
}
