import Foundation
import Synchronization
import TestSupport

/// A receiver of webhooks that goes wrong until it is healed, and does as it should from then on.
final class SickReceiver: Sendable {
    private final class Health: Sendable {
        let isHealed = Atomic(false)
    }

    let misbehaviour: Misbehaviour
    let port: Int
    let receipts = Receipts()
    private let health = Health()
    private let server: ScriptedServer?
    /// The one that comes where nobody listened.
    private let late = Mutex<Receiver?>(nil)

    /// - Parameter elsewhere: a URL that nobody must be led to.
    init(_ misbehaviour: Misbehaviour, _ certificates: Certificates, elsewhere: String) throws {
        self.misbehaviour = misbehaviour
        guard misbehaviour != .refuses else {
            server = nil
            port = try freePort()
            return
        }
        let (health, receipts) = (health, receipts)
        @Sendable func isHealed() -> Bool { health.isHealed.load(ordering: .sequentiallyConsistent) }
        let server = ScriptedServer(tlsOfEach: { certificates.certificate(misbehaviour, isHealed: isHealed()) }) {
            connection in
            guard isHealed() else { return misbehaviour.serve(connection, receipts, elsewhere: elsewhere) }
            let webhook = WebhookConnection(receipts)
            while true {
                let bytes = connection.read()
                guard !bytes.isEmpty, let answer = webhook.received(Data(bytes)) else { return }
                connection.write(Array(answer))
            }
        }
        self.server = server
        port = server.port
    }

    func heal() throws {
        health.isHealed.store(true, ordering: .sequentiallyConsistent)
        guard server == nil else { return }
        let receipts = receipts
        let receiver = try Receiver(port: port) { WebhookConnection(receipts) }
        late.withLock { $0 = receiver }
    }

    /// Its target, trusting the authority.
    func target(_ authority: LocalAuthority) -> String {
        let scheme = misbehaviour.usesTLS ? "https" : "http"
        let more =
            (misbehaviour.usesTLS ? "tls: {ca: \"\(authority.caFile)\"}, " : "")
            + (misbehaviour.isSlow ? "timeout: 1s, " : "")
        return "  \(misbehaviour): {type: webhook, url: \"\(scheme)://127.0.0.1:\(port)/hook\", allow: 127.0.0.1/32, "
            + "\(more)sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
    }

    /// What receivers prove themselves with.
    struct Certificates: Sendable {
        private let good: ServerTLS
        private let bad: [Misbehaviour: ServerTLS]

        init(_ authority: LocalAuthority) throws {
            let unknown = try LocalAuthority()
            good = ServerTLS(try authority.issue())
            bad = [
                .expiredCertificate: ServerTLS(try authority.issue(isExpired: true)),
                .otherNamesCertificate: ServerTLS(try authority.issue(["DNS:elsewhere.test"])),
                .unknownAuthority: ServerTLS(try unknown.issue()),
            ]
            // Its files go with it.
            withExtendedLifetime(unknown) {}
        }

        fileprivate func certificate(_ misbehaviour: Misbehaviour, isHealed: Bool) -> ServerTLS? {
            guard misbehaviour.usesTLS else { return nil }
            return isHealed ? good : bad[misbehaviour]
        }
    }
}
