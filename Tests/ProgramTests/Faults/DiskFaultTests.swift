import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A disk that fails under load") struct DiskFaultTests {
        @Test("at the log: nothing acknowledged is lost, senders get 503 with Retry-After, and it goes on by itself")
        func log() async throws {
            let faults = try Faults()
            let ledger = try Ledger(seed: 11, faults: faults, pauseMicroseconds: 10_000)
            let service = try await start(ledger)
            for fault in DiskFault.log + DiskFault.beside {
                try await strike(fault, faults, ledger, service)
            }
            try await ledger.finish(service)
        }

        @Test("at the state file: deliveries stop and go on, and only what was delivered lately comes again")
        func state() async throws {
            let faults = try Faults()
            let ledger = try Ledger(seed: 12, faults: faults, pauseMicroseconds: 10_000)
            let service = try await start(ledger)
            ledger.allowRepeats()
            for fault in DiskFault.state { try await strike(fault, faults, ledger, service) }
            try await ledger.finish(service)
            // What a target may have got before its outcome is known to be on the disk.
            ledger.expectReceipts("in the end", repeatsAtMost: DiskFault.state.count * 20_000)
        }

        @Test("at the log holds up no delivery of what is there already")
        func deliveriesGoOn() async throws {
            let faults = try Faults()
            let port = try freePort()
            let installation = try Installation(
                faults: faults,
                targets: """
                      partner: {type: webhook, url: "http://127.0.0.1:\(port)/", allow: 127.0.0.1/32, \
                    sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
                    """, routes: "  - {name: everything, to: partner}")
            let service = try await installation.start()
            let events = (0..<30).map { Sender.envoy.event("\($0)") }
            for event in events { #expect(try await service.post(event).status == 200) }
            try faults.set("write events.db* ENOSPC")
            let refused = try await service.post(Sender.envoy.event("refused"))
            #expect(refused.status == 503 && refused.code == "log_unavailable", "\(refused.text)")
            #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
            let receipts = Receipts()
            let receiver = try Receiver(port: port) { WebhookConnection(receipts) }
            let ids = Set(events.map { $0.events[0].id })
            #expect(await poll(deadline: patience) { Set(receipts.snapshot.counts.keys) == ids })
            #expect(try await service.console("/readyz").status == 503)
            try faults.clear()
            #expect(try await eventually { try await service.post(Sender.envoy.event("refused")).status == 200 })
            #expect(await poll(deadline: patience) { receipts.snapshot.counts.count == ids.count + 1 })
            #expect(receipts.snapshot.problems == [])
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(receiver) {}
        }

        private func start(_ ledger: Ledger) async throws -> Service {
            let service = try await ledger.installation.start()
            ledger.load.aim(at: service.intakePort)
            ledger.load.start()
            return service
        }

        private func strike(_ fault: DiskFault, _ faults: Faults, _ ledger: Ledger, _ service: Service) async throws {
            func tellings(_ event: String?) -> Int { service.log.count { $0.event == event } }
            let (told, over) = (tellings(fault.told), tellings(fault.over))
            let unanswered = ledger.load.account.unanswered
            try faults.set(fault.rule)
            try #require(try await faults.waitForStrike(), "\(fault.rule) did not strike")
            if let event = fault.told {
                try #require(await service.waitForLog(event, count: told + 1), "\(fault.rule)")
            }
            if fault.refuses {
                let isRefused = await poll(deadline: patience) { ledger.load.account.unanswered > unanswered }
                #expect(isRefused, "\(fault.rule)")
                if !fault.passes { try await expectUnready(service, fault) }
            }
            #expect(try await service.console("/healthz").status == 200, "\(fault.rule)")
            try faults.clear()
            try #require(try await eventually { try await service.console("/readyz").status == 200 }, "\(fault.rule)")
            if let event = fault.over {
                try #require(await service.waitForLog(event, count: over + 1), "\(fault.rule)")
            }
            let count = ledger.load.account.acknowledged.count
            try #require(await poll(deadline: patience) { ledger.load.account.acknowledged.count > count + 50 })
        }

        private func expectUnready(_ service: Service, _ fault: DiskFault) async throws {
            let isUnready = try await eventually {
                let answer = try await service.console("/readyz")
                return answer.status == 503 && answer.text.contains("disk")
            }
            #expect(isUnready, "\(fault.rule)")
        }
    }
}
