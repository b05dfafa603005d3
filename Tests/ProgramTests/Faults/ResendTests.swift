import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Everything sent ten times more, shuffled") struct ResendTests {
        @Test("across restarts is answered as a success, counted as repeats, and delivered once")
        func resend() async throws {
            let receipts = Receipts()
            let receiver = try Receiver { WebhookConnection(receipts) }
            let installation = try Installation(
                targets: Installation.archive + """

                      partner: {type: webhook, url: "http://127.0.0.1:\(receiver.port)/", allow: 127.0.0.1/32, \
                    sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
                    """, routes: "  - {name: everything, to: [archive, partner]}")
            var random = SeededGenerator(6)
            let events = Sender.allCases.flatMap { sender in
                (0..<20).map { sender.event("\(sender)-\($0)", leaving: $0 % 2 == 0, elements: 3) }
            }
            let ids = Set(events.flatMap(\.events).map(\.id))
            #expect(ids.count == 140)
            var service = try await installation.start()
            for round in 0...10 {
                let order = events.shuffled(using: &random)
                try await withThrowingTaskGroup(of: Void.self) { [service] group in
                    // Several at once, the same event among them.
                    for part in stride(from: 0, to: order.count, by: 25) {
                        group.addTask {
                            let port = service.intakePort
                            try await blocking {
                                let connection = try RawConnection(port: port)
                                for event in order[part..<part + 25] {
                                    let answer = try connection.post(
                                        event.path, Array(event.body.utf8), headers: event.headers)
                                    #expect(answer.status == 200, "round \(round): \(answer.text)")
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                guard round == 2 || round == 6 else { continue }
                #expect(await service.stop() == .exited(0))
                service = try await installation.start()
            }
            #expect(await poll(deadline: patience) { receipts.snapshot.counts.count == ids.count })
            #expect(try await eventually { try await installation.count("pending", at: "partner") == 0 })
            #expect(await service.stop() == .exited(0))
            let balance = try await installation.balance()
            #expect(balance["accepted"] as? Int == ids.count)
            #expect(balance["duplicates"] as? Int == 10 * ids.count)
            #expect(JSON.value(balance, "targets", "partner", "delivered") as? Int == ids.count)
            #expect(receipts.snapshot.problems == [])
            #expect(receipts.snapshot.counts == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
            #expect(try installation.archivedIDs.count == ids.count)
            #expect(try Set(installation.archivedIDs) == ids)
        }
    }
}
