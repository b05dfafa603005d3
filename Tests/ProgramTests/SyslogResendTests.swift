import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// TCP acknowledges nothing: what counts is what stands in the receiver's file.
    @Suite("A syslog receiver that dies") struct SyslogResendTests {
        private static let elements = 150

        private static func installation(_ receiver: DirectRsyslog) throws -> Installation {
            try Installation(
                targets: """
                      siem: {type: syslog, address: "tcp://127.0.0.1:\(receiver.port)", allow: 127.0.0.1/32}
                    """, routes: "  - {name: all, when: {}, to: siem}")
        }

        private static func event(_ number: Int) -> SentEvent {
            Sender.netgraph.event("batch-\(number)", elements: elements)
        }

        private static func post(_ batches: Range<Int>, to service: Service) async throws -> Set<String> {
            var ids: Set<String> = []
            for number in batches {
                let event = event(number)
                #expect(try await service.post(event).status == 200)
                ids.formUnion(event.events.map(\.id))
            }
            return ids
        }

        /// Until the connection has taken events that its receiver does not read.
        private static func waitUntilTaken(_ installation: Installation) async throws {
            let isTaken = try await eventually {
                let outcome = try await installation.gatehouse("targets", "list", "--json")
                return try outcome.objects.first?["sent"] as? Int ?? 0 > elements
            }
            #expect(isTaken)
        }

        private static func hasAll(_ ids: Set<String>, _ receiver: DirectRsyslog) async -> Bool {
            await poll(deadline: patience, every: .milliseconds(200)) { Set(receiver.ids).isSuperset(of: ids) }
        }

        private static func balance(_ installation: Installation) async throws -> [String: Any] {
            let outcome = try await installation.gatehouse("reconcile", "--json")
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            return try JSON.object(outcome.output)
        }

        @Test("by kill -9 under load, again and again, loses none, and the accounts balance")
        func receiverKilled() async throws {
            let receiver = DirectRsyslog()
            try await receiver.start()
            let installation = try Self.installation(receiver)
            let service = try await installation.start()
            var sent: Set<String> = []
            for round in 0..<4 {
                let size = receiver.size
                sent.formUnion(try await Self.post(round * 10..<round * 10 + 5, to: service))
                guard round < 3 else { break }
                _ = await poll(deadline: patience) { receiver.size > size }
                receiver.hang()
                sent.formUnion(try await Self.post(round * 10 + 5..<round * 10 + 10, to: service))
                try await Self.waitUntilTaken(installation)
                await receiver.kill()
                sent.formUnion(try await Self.post(100 + round..<101 + round, to: service))
                try await receiver.start()
            }
            #expect(await Self.hasAll(sent, receiver), "\(sent.subtracting(receiver.ids).count) lost")
            let balance = try await Self.balance(installation)
            #expect(balance["accepted"] as? Int == sent.count)
            #expect(service.log.contains { $0.event == "connection_lost" })
            #expect(await service.stop() == .exited(0))
            let stopped = try await Self.balance(installation)
            #expect(JSON.value(stopped, "targets", "siem", "delivered") as? Int == sent.count, "closed in order")
            let before = receiver.ids.count
            let again = try await installation.start()
            #expect(await again.stop() == .exited(0))
            #expect(receiver.ids.count == before, "nothing is repeated after an orderly stop")
            await receiver.kill()
        }

        @Test("and Gatehouse dying with it, by kill -9 under load, lose none between them")
        func bothKilled() async throws {
            let receiver = DirectRsyslog()
            try await receiver.start()
            let installation = try Self.installation(receiver)
            var sent: Set<String> = []
            for round in 0..<3 {
                let service = try await installation.start()
                receiver.hang()
                sent.formUnion(try await Self.post(round * 10..<round * 10 + 10, to: service))
                try await Self.waitUntilTaken(installation)
                await receiver.kill()
                await service.kill()
                try await receiver.start()
            }
            let service = try await installation.start()
            #expect(await Self.hasAll(sent, receiver), "\(sent.subtracting(receiver.ids).count) lost")
            #expect(await service.stop() == .exited(0))
            let balance = try await Self.balance(installation)
            #expect(JSON.value(balance, "targets", "siem", "delivered") as? Int == sent.count)
            await receiver.kill()
        }
    }
}
