import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("An event that kills the program") struct PoisonTests {
        @Test("does so a few times, is then a dead letter, and holds up no other")
        func poison() async throws {
            // It dies as it signs what it is about to send.
            let faults = try Faults("sign poisonous kill")
            let receipts = Receipts()
            let receiver = try Receiver { WebhookConnection(receipts) }
            let installation = try Installation(
                faults: faults,
                targets: Installation.archive + """

                      partner: {type: webhook, url: "http://127.0.0.1:\(receiver.port)/", allow: 127.0.0.1/32, attempts: 2, \
                    sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
                    """, routes: "  - {name: everything, to: [archive, partner]}")
            // Of a sender whose requests are verified without signing anything.
            let poison = Sender.sine.event("poisonous")
            let others = (0..<20).map { Sender.sine.event("other-\($0)") }
            var service = try await installation.start()
            for event in others.prefix(10) { #expect(try await service.post(event).status == 200) }
            // Its answer and its death are a race.
            _ = try? await service.post(poison)
            var deaths = 0
            while await dies(service, installation) {
                deaths += 1
                try #require(deaths < 8, "it is not left alone")
                #expect(await receiver.settle())
                receipts.beginGeneration()
                // Not to be waited for: it may die before it is ready.
                service = try installation.launch()
            }
            #expect(deaths >= 3)
            try await service.waitUntilReady()
            for event in others.dropFirst(10) { #expect(try await service.post(event).status == 200) }
            #expect(try await eventually { try await installation.count("pending", at: "partner") == 0 })
            #expect(try await installation.count("dead", at: "partner") == 1)
            #expect(try await installation.count("delivered", at: "partner") == others.count)
            let id = poison.events[0].id
            let row = try #require(try await installation.deliveries("--id", id, "--target", "partner").first)
            #expect(row["state"] as? String == "dead" && JSON.value(row, "last", "reason") as? String == "crashed")
            #expect(Set(receipts.snapshot.counts.keys) == Set(others.map { $0.events[0].id }))
            #expect(receipts.snapshot.problems == [])
            #expect(try Set(installation.archivedIDs).contains(id), "another target gets it")
            #expect(await service.stop() == .exited(0))
        }

        /// Whether it dies of what waits for it, rather than deliver or bury it.
        private func dies(_ service: Service, _ installation: Installation) async -> Bool {
            let isDecided = try? await eventually {
                if service.process.current != nil { return true }
                return (try? await installation.count("dead", at: "partner")) == 1
            }
            return isDecided == true && service.process.current == .killed(by: SIGKILL)
        }
    }
}
