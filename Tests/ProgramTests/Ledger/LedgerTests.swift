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
    private let receivers: [Receiver]
    private let file: FileReader

    init(seed: UInt64) throws {
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
              siem: {type: syslog, address: "tcp://127.0.0.1:\(receivers[1].port)", allow: [127.0.0.1/32], timeout: 600s, format: json}
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
            ])
        file = FileReader(installation.path("archive.ndjson"), receipts["archive"]!)
        load = Load(seed: seed)
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

    func readFile() { file.read() }
}

extension ProgramTests {
    @Suite("Killed again and again") struct LedgerTests {
        private let environment = ProcessInfo.processInfo.environment
        private var kills: Int { environment["KILLS"].flatMap { Int($0) } ?? 24 }
        private var seed: UInt64 { environment["SEED"].flatMap { UInt64($0) } ?? 0x6a7e_4005 }

        @Test("loses nothing it acknowledged, keeps nothing twice, and repeats only what was in flight")
        func kill() async throws {
            let ledger = try Ledger(seed: seed)
            var random = SeededGenerator(seed)
            ledger.load.start()
            for number in 1...kills {
                try await live(ledger, &random)
                try await ledger.settle()
                for (target, receipts) in ledger.receipts {
                    let snapshot = receipts.snapshot
                    #expect(
                        snapshot.repeats <= number * Ledger.lostPerKill, "\(target) after kill \(number), seed \(seed)")
                    #expect(snapshot.problems == [], "\(target) after kill \(number), seed \(seed)")
                }
                if number % 6 == 0 { try await expectBalance(ledger.installation, "stopped after kill \(number)") }
            }
            try await finish(ledger)
        }

        @Test("inside a batch of 20 000: sent again it is taken whole, each event once")
        func batch() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let batch = Sender.netgraph.event("batch", elements: 20_000)
            let ids = Set(batch.events.map(\.id))
            var random = SeededGenerator(seed)
            for _ in 0..<4 {
                let service = try await installation.start()
                let sending = Task { try await service.post(batch) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...700, using: &random)))
                await service.kill()
                let answer = try? await sending.value
                // Answered before the kill: then all of it is there.
                guard answer?.status == 200 else { continue }
                #expect(try await installation.balance()["accepted"] as? Int == ids.count)
            }
            let service = try await installation.start()
            #expect(try await service.post(batch).status == 200)
            let isDone = try await eventually {
                try await installation.count("delivered", at: "archive") == ids.count
            }
            #expect(isDone)
            #expect(try await installation.balance()["accepted"] as? Int == ids.count)
            #expect(await service.stop() == .exited(0))
            let kept = try await installation.events().compactMap { $0["id"] as? String }
            #expect(kept.count == ids.count && Set(kept) == ids)
            #expect(Set(try installation.archivedIDs) == ids)
        }

        /// One life of the program, ended at a random moment; every fifth ends while it starts.
        private func live(_ ledger: Ledger, _ random: inout SeededGenerator) async throws {
            let service = try ledger.installation.launch()
            if Int.random(in: 0..<5, using: &random) > 0 {
                try await service.waitUntilReady()
                ledger.load.aim(at: service.intakePort)
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...700, using: &random)))
            } else {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...250, using: &random)))
            }
            await service.kill()
            ledger.load.aim(at: nil)
        }

        private func finish(_ ledger: Ledger) async throws {
            let service = try await ledger.installation.start()
            ledger.load.aim(at: service.intakePort)
            #expect(try await ledger.load.stop(), "the senders did not get their last events acknowledged")
            let isDone = try await eventually {
                let balance = try await expectBalance(ledger.installation, "running")
                return Ledger.targets.allSatisfy { JSON.value(balance, "targets", $0, "pending") as? Int == 0 }
            }
            #expect(isDone, "deliveries did not finish")
            #expect(await service.stop() == .exited(0))
            ledger.readFile()
            let balance = try await expectBalance(ledger.installation, "stopped")
            try await expectEvents(ledger, balance)
        }

        @discardableResult
        private func expectBalance(_ installation: Installation, _ when: Comment) async throws -> [String: Any] {
            let outcome = try await installation.gatehouse("reconcile", "--json")
            #expect(outcome.status == 0, "\(when): \(outcome)")
            let balance = try JSON.object(outcome.output)
            #expect(balance["balanced"] as? Bool == true, "\(when): \(outcome)")
            return balance
        }

        private func expectEvents(_ ledger: Ledger, _ balance: [String: Any]) async throws {
            let account = ledger.load.account
            #expect(account.problems == [])
            #expect(account.acknowledged.count > kills, "the load was no load")
            let outcome = try await ledger.installation.gatehouse("events", "--json")
            #expect(outcome.status == 0)
            var kept: [String: SentEvent.Canonical] = [:]
            for event in try outcome.objects {
                let id = try #require(event["id"] as? String)
                #expect(kept[id] == nil, "\(id) was kept twice")
                kept[id] = SentEvent.Canonical(
                    id: id, type: event["type"] as? String ?? "",
                    site: JSON.value(event, "data", "site", "id") as? String)
            }
            #expect(account.acknowledged.values.filter { kept[$0.id] != $0 } == [], "acknowledged and not kept as sent")
            #expect(kept.keys.filter { !account.sent.contains($0) } == [], "kept and never sent")
            #expect(balance["accepted"] as? Int == kept.count)
            #expect(balance["duplicates"] as? Int ?? 0 >= account.repeatsAcknowledged)
            #expect(balance["quarantined"] as? Int == 0)
            for target in Ledger.targets {
                let receipts = ledger.receipts[target]!.snapshot
                #expect(receipts.problems == [], "\(target)")
                let due = Set(kept.values.filter { Ledger.takes(target, $0) }.map(\.id))
                #expect(Set(receipts.counts.keys) == due, "\(target)")
                #expect(JSON.value(balance, "targets", target, "delivered") as? Int == due.count, "\(target)")
                #expect(
                    JSON.value(balance, "targets", target, "filtered") as? Int == kept.count - due.count, "\(target)")
                for state in ["dead", "discarded", "expired"] {
                    #expect(JSON.value(balance, "targets", target, state) as? Int == 0, "\(target) \(state)")
                }
            }
            report(ledger, account, kept.count)
        }

        private func report(_ ledger: Ledger, _ account: Load.Account, _ kept: Int) {
            let repeats = Ledger.targets.map { "\($0) \(ledger.receipts[$0]!.snapshot.repeats)" }.joined(
                separator: ", ")
            print(
                "ledger: \(kills) kills, seed \(seed): \(account.acknowledged.count) acknowledged, \(kept) kept, "
                    + "\(account.unanswered) unanswered; repeats: \(repeats)")
        }
    }
}
