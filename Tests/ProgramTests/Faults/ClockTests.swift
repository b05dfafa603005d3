import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A wall clock that jumps") struct ClockTests {
        private static let hour = 3600
        private static let day = 24 * hour

        @Test("moves no timer, makes nothing too old, and repeats are still known for what they are")
        func jumps() async throws {
            let faults = try Faults()
            let late = Receipts()
            let port = try freePort()
            let installation = try Installation(
                faults: faults,
                targets: Installation.archive + """

                      down: {type: webhook, url: "http://127.0.0.1:\(port)/", allow: 127.0.0.1/32, \
                    sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
                    """, routes: "  - {name: everything, to: [archive, down]}")
            let service = try await installation.start()
            // Those whose signature tells no time: their clocks and ours may differ by anything.
            let load = Load(seed: 5)
            load.aim(at: service.intakePort)
            load.start([.sine, .netgraph, .envoy])
            let resent = (0..<20).map { Sender.envoy.event("resent-\($0)") }
            for jump in [0, 2 * Self.day, -3 * Self.day, 5 * Self.hour, -Self.hour, 40 * Self.day, 0] {
                try faults.set("clock \(jump)")
                let count = load.account.acknowledged.count
                #expect(await poll(deadline: patience) { load.account.acknowledged.count > count + 50 }, "\(jump)")
                for event in resent { #expect(try await load.post(event, to: service).status == 200, "\(jump)") }
                #expect(try await service.console("/readyz").status == 200, "\(jump)")
            }
            #expect(try await load.stop())
            #expect(load.account.problems == [])
            #expect(load.account.unanswered == 0)
            let ids = Set(load.account.acknowledged.keys)
            #expect(try await eventually { try await installation.count("pending", at: "archive") == 0 })
            #expect(try installation.archivedIDs.count == ids.count, "a repeat was taken for something new")
            #expect(try Set(installation.archivedIDs) == ids)
            #expect(try await installation.count("dead", at: "down") == 0)
            #expect(try await installation.count("pending", at: "down") == ids.count)

            // The target's next try is a matter of minutes at most, whatever the clocks said meanwhile.
            let receiver = try Receiver(port: port) { WebhookConnection(late) }
            #expect(await poll(deadline: patience) { Set(late.snapshot.counts.keys) == ids })
            #expect(try await eventually { try await installation.count("pending", at: "down") == 0 })
            #expect(late.snapshot.problems == [])
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(receiver) {}
        }

        @Test("refuses signatures by the time they tell, with the skew, and takes those of the time it is")
        func signatures() async throws {
            let faults = try Faults()
            let installation = try Installation(
                faults: faults, targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            for (number, jump) in [3 * Self.day, -3 * Self.day].enumerated() {
                try faults.set("clock \(jump)")
                for sender in [Sender.signinapp, .alocity] {
                    let event = sender.event("jump-\(number)")
                    let refused = try await service.post(event)
                    #expect(refused.status == 401 && refused.code == "timestamp_out_of_tolerance", "\(refused.text)")
                    let skew = refused.detail?.matches(of: /\d+/).compactMap { Int($0.output) }.max() ?? 0
                    #expect(abs(skew - 3 * Self.day) < 600, "\(refused.text)")
                    let now = Int(Date().timeIntervalSince1970) + jump
                    let headers = sender.headers(for: event.body, at: now)
                    #expect(try await service.post(event.path, event.body, headers: headers).status == 200)
                }
            }
            #expect(try await eventually { try installation.archivedIDs.count == 4 })
            #expect(await service.stop() == .exited(0))
        }
    }
}
