import Foundation
import Testing

/// Everything in this target starts the program: one test at a time, so that they do not compete.
@Suite("The program", .serialized) enum ProgramTests {}

/// A ledger outside the process: what was sent, how it was answered, and what each target received.
final class Ledger: Sendable {
    static let targets = ["archive", "partner", "siem"]
    /// The program's promise: an outcome is committed after 256 others at the latest, and so many may be in flight.
    static let lostPerKill = 32 + 256

    let installation: Installation
    let load: Load
    let receipts: [String: Receipts] = Dictionary(uniqueKeysWithValues: targets.map { ($0, Receipts()) })
    let seed: UInt64
    private let receivers: [Receiver]
    private let file: FileReader

    /// - Parameters:
    ///   - faults: what the program is started with.
    ///   - pauseMicroseconds: between two requests of one sender.
    init(seed: UInt64, faults: Faults? = nil, pauseMicroseconds: UInt32 = 2000) throws {
        self.seed = seed
        let (partner, siem) = (receipts["partner"]!, receipts["siem"]!)
        receivers = [
            try Receiver { WebhookConnection(partner) }, try Receiver { SyslogConnection(siem) },
        ]
        installation = try Installation(
            """
            listen: "127.0.0.1:0"
            console: "127.0.0.1:0"
            \(Sender.configuration)
            targets:
              archive: {type: file, path: ./archive.ndjson}
              partner:
                type: webhook
                url: "http://127.0.0.1:\(receivers[0].port)/hook"
                allow: [127.0.0.1/32]
                timeout: 600s
                sign: {scheme: standard-webhooks, secrets: ["${env:PARTNER_SECRET}"]}
              siem: {type: syslog, address: "tcp://127.0.0.1:\(receivers[1].port)", allow: [127.0.0.1/32], timeout: 600s, format: json, resend: off}
            routes: ./routes.yaml
            """,
            files: [
                "routes.yaml": """
                routes:
                  - {name: everything, to: archive}
                  - {name: visitors, when: {event: visitor.*}, to: partner}
                  - {name: site-and-visitors, when: {event: visitor.signin, site: 4567}, to: [partner, siem]}
                  - {name: one-site, when: {any: [{site: 4567}, {event: session.created}]}, to: siem}
                """
            ], wrapper: faults?.wrapper ?? [])
        file = FileReader(installation.path("archive.ndjson"), receipts["archive"]!)
        load = Load(seed: seed, pauseMicroseconds: pauseMicroseconds)
        print("ledger: seed \(seed)")
    }

    /// What the routes say, in the ledger's own words.
    static func takes(_ target: String, _ event: SentEvent.Canonical) -> Bool {
        switch target {
        case "partner": event.type.hasPrefix("visitor.")
        case "siem": event.site == "4567" || event.type == "session.created"
        default: true
        }
    }

    /// The program is gone: takes in all that it had sent.
    func settle() async throws {
        for receiver in receivers {
            guard await receiver.settle() else { throw Failure("a receiver has connections of a dead program") }
        }
        file.read()
        for receipts in receipts.values { receipts.beginGeneration() }
    }

    /// Something happened after which the program may send again what it had sent, though it lives.
    func allowRepeats() {
        for receipts in receipts.values { receipts.allowRepeats() }
    }

    func readFile() { file.read() }
}
