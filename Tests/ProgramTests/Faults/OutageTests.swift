import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A target that is down for a while, under load") struct OutageTests {
        @Test("leaves its neighbours as they are, and gets everything once it is back")
        func outage() async throws {
            let names = ["first", "second", "down"]
            let receipts = Dictionary(uniqueKeysWithValues: names.map { ($0, Receipts()) })
            var receivers = try receipts.mapValues { receipts in try Receiver { WebhookConnection(receipts) } }
            let port = receivers["down"]!.port
            let targets = names.map { name in
                "  \(name): {type: webhook, url: \"http://127.0.0.1:\(receivers[name]!.port)/\", allow: 127.0.0.1/32, "
                    + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
            }
            let installation = try Installation(
                targets: targets.joined(separator: "\n"),
                routes: "  - {name: everything, to: [\(names.joined(separator: ", "))]}")
            let service = try await installation.start()
            let load = Load(seed: 7)
            load.aim(at: service.intakePort)
            load.start()
            #expect(await poll(deadline: patience) { receipts["down"]!.snapshot.counts.count > 100 })

            receivers["down"] = nil
            let isDown = try await eventually {
                try await installation.target("down")?["state"] as? String == "waiting"
            }
            #expect(isDown)
            let end = ContinuousClock.now + .seconds(Torture.outage)
            repeat {
                // Whatever was acknowledged until now reaches the neighbours while their neighbour is down.
                let acknowledged = Set(load.account.acknowledged.keys)
                for name in ["first", "second"] {
                    let isDone = await poll(deadline: patience) {
                        acknowledged.isSubset(of: receipts[name]!.snapshot.counts.keys)
                    }
                    #expect(isDone, "\(name) is behind while its neighbour is down")
                }
                let target = try #require(try await installation.target("down"))
                #expect(target["state"] as? String == "waiting" && target["reason"] as? String == "connect_refused")
                try await Task.sleep(for: .milliseconds(500))
            } while ContinuousClock.now < end
            #expect(load.account.unanswered == 0)

            let missing = load.account.acknowledged.count - receipts["down"]!.snapshot.counts.count
            #expect(missing > 100, "the outage was none")
            #expect(
                try await eventually {
                    receivers["down"] = try? Receiver(port: port) { [down = receipts["down"]!] in
                        WebhookConnection(down)
                    }
                    return receivers["down"] != nil
                })
            #expect(try await load.stop())
            #expect(load.account.problems == [])
            let all = Set(load.account.acknowledged.keys)
            for name in names {
                let isDone = await poll(deadline: patience) { Set(receipts[name]!.snapshot.counts.keys) == all }
                #expect(isDone, "\(name)")
                let problems = receipts[name]!.snapshot.problems
                // What was under way as it went down may have arrived; nothing else comes twice.
                #expect(problems.count <= (name == "down" ? 32 : 0), "\(name): \(problems)")
            }
            #expect(try await eventually { try await installation.count("pending", at: "down") == 0 })
            #expect(try await installation.count("dead", at: "down") == 0)
            #expect(await service.stop() == .exited(0))
        }
    }
}
