import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Name servers that never answer") struct LookupTests {
        private let hanging = ["a.hanging.test", "b.hanging.test", "c.hanging.test"]

        @Test("slow no other target down, take a bounded number of threads, and do not hold up stopping")
        func hang() async throws {
            let faults = try Faults("lookup *.hanging.test hold", "lookup named.test 127.0.0.1")
            let receipts = Dictionary(uniqueKeysWithValues: (["alive", "named"] + hanging).map { ($0, Receipts()) })
            let receivers = try receipts.mapValues { receipts in try Receiver { WebhookConnection(receipts) } }
            func target(_ name: String, host: String) -> String {
                "  \(Self.name(name)): {type: webhook, url: \"http://\(host):\(receivers[name]!.port)/\", "
                    + "allow: 127.0.0.1/32, timeout: 1s, "
                    + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
            }
            let targets =
                [target("alive", host: "127.0.0.1"), target("named", host: "named.test")]
                + hanging.map { target($0, host: $0) }
            let installation = try Installation(
                faults: faults, top: "shutdown: 2s", targets: targets.joined(separator: "\n"),
                routes: "  - {name: everything, to: [alive, named, \(hanging.map(Self.name).joined(separator: ", "))]}")
            var service = try await installation.start()
            let events = (0..<40).map { Sender.signinapp.event("\($0)") }
            let ids = Set(events.map { $0.events[0].id })
            for event in events { #expect(try await service.post(event).status == 200) }
            for name in ["alive", "named"] {
                let isDone = await poll(deadline: patience) { Set(receipts[name]!.snapshot.counts.keys) == ids }
                #expect(isDone, "\(name)")
            }
            for name in hanging.map(Self.name) {
                let isTold = try await eventually {
                    let target = try #require(try await installation.target(name))
                    return target["state"] as? String == "waiting" && target["reason"] as? String == "dns"
                }
                #expect(isTold, "\(name)")
                #expect(try await installation.count("pending", at: name) == events.count)
            }
            #expect(try await faults.waitForStrike(0, count: hanging.count))
            // Every event was to be sent to every name.
            #expect(try service.threadCount < 64, "a thread for each of \(hanging.count * events.count) tries?")
            #expect(await service.stop(within: .seconds(60)) == .exited(0))

            // While the names hang, it starts and stops as ever; once they are answered, everything arrives.
            service = try await installation.start()
            #expect(await service.stop(within: .seconds(60)) == .exited(0))
            service = try await installation.start()
            try faults.set("lookup *.test 127.0.0.1")
            for name in hanging {
                let isDone = await poll(deadline: patience) { Set(receipts[name]!.snapshot.counts.keys) == ids }
                #expect(isDone, "\(name)")
            }
            for (name, receipts) in receipts { #expect(receipts.snapshot.problems == [], "\(name)") }
            #expect(try await eventually { try await installation.count("pending", at: Self.name(hanging[0])) == 0 })
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(receivers) {}
        }

        private static func name(_ host: String) -> String { host.replacingOccurrences(of: ".", with: "-") }
    }
}
