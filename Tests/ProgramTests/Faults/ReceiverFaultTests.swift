import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Receivers that go wrong, all at once") struct ReceiverFaultTests {
        private let authority: LocalAuthority
        private let sick: [SickReceiver]
        private let elsewhere = ScriptedServer { _ in }
        private let healthy = Receipts()

        init() throws {
            let authority = try LocalAuthority()
            let certificates = try SickReceiver.Certificates(authority)
            let elsewhere = elsewhere.url()
            self.authority = authority
            sick = try Misbehaviour.allCases.map { try SickReceiver($0, certificates, elsewhere: elsewhere) }
        }

        @Test("slow no healthy one down, are told apart, and get everything once they are healed")
        func registry() async throws {
            let receipts = healthy
            let receiver = try Receiver { WebhookConnection(receipts) }
            let installation = try installation(healthyPort: receiver.port)
            let service = try await installation.start()
            var ids = try await post(0..<24, to: service)
            let isDelivered = await poll(deadline: patience) { Set(healthy.snapshot.counts.keys) == ids }
            #expect(isDelivered, "the healthy one waits for its neighbours")
            try await expectCodes(service)
            for receiver in sick where receiver.misbehaviour.code == nil {
                let isDone = await poll(deadline: patience) { Set(receiver.receipts.snapshot.counts.keys) == ids }
                #expect(isDone, "\(receiver.misbehaviour)")
            }
            try await expectWaiting(installation, ids.count)

            for receiver in sick {
                // Slow here may be this machine, and a try that took too long may have arrived.
                if receiver.misbehaviour.isSlow { receiver.receipts.allowRepeats() }
                try receiver.heal()
            }
            ids.formUnion(try await post(24..<30, to: service))
            for receiver in sick {
                let isDone = await poll(deadline: patience) { Set(receiver.receipts.snapshot.counts.keys) == ids }
                #expect(isDone, "\(receiver.misbehaviour)")
                #expect(receiver.receipts.snapshot.problems == [], "\(receiver.misbehaviour)")
            }
            #expect(await poll(deadline: patience) { Set(healthy.snapshot.counts.keys) == ids })
            #expect(healthy.snapshot.problems == [])
            let isSettled = try await eventually {
                try await installation.targets().allSatisfy { $0["pending"] as? Int == 0 && $0["dead"] as? Int == 0 }
            }
            #expect(isSettled)
            #expect(elsewhere.connectionCount == 0, "a redirect was followed")
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(receiver) {}
        }

        private func installation(healthyPort: Int) throws -> Installation {
            let targets =
                sick.map { $0.target(authority) } + [
                    "  healthy: {type: webhook, url: \"http://127.0.0.1:\(healthyPort)/\", allow: 127.0.0.1/32, "
                        + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
                ]
            let names = Misbehaviour.allCases.map(\.rawValue) + ["healthy"]
            return try Installation(
                targets: targets.joined(separator: "\n"),
                routes: "  - {name: everything, to: [\(names.joined(separator: ", "))]}")
        }

        private func post(_ numbers: Range<Int>, to service: Service) async throws -> Set<String> {
            let events = numbers.map { Sender.signinapp.event("sick-\($0)") }
            for event in events { #expect(try await service.post(event).status == 200) }
            return Set(events.map { $0.events[0].id })
        }

        /// What went wrong is told by its own name.
        private func expectCodes(_ service: Service) async throws {
            let codes = Misbehaviour.allCases.compactMap { misbehaviour in
                misbehaviour.code.map {
                    "gatehouse_target_attempts_failed_total{target=\"\(misbehaviour)\",code=\"\($0)\"}"
                }
            }
            var untold: [String] = []
            let areTold = try await eventually {
                let lines = try await service.console("/metrics").text.split(separator: "\n")
                untold = codes.filter { code in !lines.contains { $0.hasPrefix(code) } }
                return untold.isEmpty
            }
            #expect(areTold, "\(untold)")
        }

        /// What cannot arrive waits, and says why.
        private func expectWaiting(_ installation: Installation, _ count: Int) async throws {
            let waiting = Misbehaviour.allCases.filter { !$0.delivers }
            var targets: [String: [String: Any]] = [:]
            let isTold = try await eventually {
                for target in try await installation.targets() { targets[target["name"] as? String ?? ""] = target }
                return waiting.allSatisfy { misbehaviour in
                    let target = targets[misbehaviour.rawValue]
                    return target?["state"] as? String == "waiting"
                        && target?["reason"] as? String == misbehaviour.code
                }
            }
            #expect(isTold, "\(targets)")
            for misbehaviour in waiting {
                let target = try #require(targets[misbehaviour.rawValue])
                #expect(target["pending"] as? Int == count && target["dead"] as? Int == 0, "\(misbehaviour): \(target)")
            }
        }
    }
}
