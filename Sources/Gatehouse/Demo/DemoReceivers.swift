internal import Events
internal import Glibc
internal import HTTPServer
internal import JSON
internal import Signatures
internal import Synchronization

/// Local receivers for the example's targets: a syslog listener, an HTTP endpoint, one that verifies signatures.
final class DemoReceivers: Sendable {
    private let syslog: SyslogListener
    private let crm: HTTPServer
    private let partner: HTTPServer

    /// Adds their addresses to the stage's environment.
    init(_ stage: inout DemoStage, _ screen: DemoScreen) throws {
        let counts = Counts()
        self.tally = counts
        syslog = try SyslogListener { message in
            counts.add("siem")
            screen.received("siem", message)
        }
        crm = try Self.server(
            WebhookListener { body, _ in
                counts.add("crm")
                screen.received("crm", String(decoding: body, as: UTF8.self))
            })
        let secret = NamedSecret(name: "PARTNER_SECRET", value: stage.environment["PARTNER_SECRET"] ?? "")
        guard let scheme = SignatureSchemes.named("standard-webhooks") else {
            throw CommandFailure("the signature scheme of the demonstration is missing")
        }
        let verifier = try SignatureVerifier(scheme: scheme, secrets: [secret], tolerance: .seconds(300))
        partner = try Self.server(
            WebhookListener(verifier: verifier) { body, verdict in
                counts.add("partner")
                screen.received("partner", Self.summary(body), verdict: verdict)
            })
        stage.environment["SIEM_ADDRESS"] = "tcp://127.0.0.1:\(syslog.port)"
        stage.environment["CRM_URL"] = "http://127.0.0.1:\(crm.port)/contacts"
        stage.environment["PARTNER_URL"] = "http://127.0.0.1:\(partner.port)/hook"
    }

    private let tally: Counts

    /// How many messages each receiver got so far; the archive's are the lines of its file.
    func received(archive: String) -> [String: Int] {
        var result = tally.all
        result["archive"] = (try? readInput(archive))?.count { $0 == 0x0A } ?? 0
        return result
    }

    func stop() {
        crm.stop()
        partner.stop()
    }

    private static func server(_ handler: WebhookListener) throws -> HTTPServer {
        let server = try HTTPServer(
            HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0)), handler: handler)
        server.start()
        return server
    }

    private static func summary(_ body: [UInt8]) -> String {
        guard let tape = try? JSONParser().parse(body), let event = EventView(tape) else {
            return String(decoding: body, as: UTF8.self)
        }
        return "\(event.type) \(event.attribute("subject") ?? "") \(event.text(.visitorName) ?? "")"
    }

    private final class Counts: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        var all: [String: Int] { counts.withLock { $0 } }
        func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
    }
}
