import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A syslog receiver of several instances on Kafka", .enabled(if: KafkaCluster.isAvailable))
    struct KafkaResendTests {
        private static let elements = 100

        private static func instance(
            _ name: String, _ cluster: KafkaCluster, _ prefix: String, _ receiver: DirectRsyslog
        ) throws -> KafkaInstance {
            try KafkaInstance(
                name, cluster, prefix: prefix,
                targets: """
                      siem: {type: syslog, address: "tcp://127.0.0.1:\(receiver.port)", allow: 127.0.0.1/32}
                    """,
                routes: "  - {name: all, when: {}, to: siem}")
        }

        private static func post(_ batches: Range<Int>, to instance: KafkaInstance) async throws -> Set<String> {
            let service = try #require(instance.service)
            var ids: Set<String> = []
            for number in batches {
                let event = Sender.netgraph.event("batch-\(number)", elements: elements)
                #expect(try await service.post(event).status == 200)
                ids.formUnion(event.events.map(\.id))
            }
            return ids
        }

        @Test("that dies together with an instance loses none of what its connection had: the other sends it again")
        func bothKilled() async throws {
            let cluster = try await KafkaCluster.shared()
            let receiver = DirectRsyslog()
            try await receiver.start()
            let prefix = KafkaCluster.newPrefix("resend")
            let first = try Self.instance("first", cluster, prefix, receiver)
            let second = try Self.instance("second", cluster, prefix, receiver)
            try await first.start()
            try await second.start()
            var sent: Set<String> = []
            for (round, leaving, staying) in [(0, first, second), (1, second, first)] {
                let size = receiver.size
                sent.formUnion(try await Self.post(round * 20..<round * 20 + 10, to: leaving))
                #expect(await poll(deadline: patience) { receiver.size > size })
                // What lies in the buffers between them dies with both.
                await receiver.kill()
                await leaving.kill()
                try await receiver.start()
                sent.formUnion(try await Self.post(round * 20 + 10..<round * 20 + 12, to: staying))
                #expect(
                    await poll(deadline: patience, every: .milliseconds(200)) {
                        Set(receiver.ids).isSuperset(of: sent)
                    }, "\(sent.subtracting(receiver.ids).count) of \(sent.count) lost, round \(round)")
                try await leaving.start()
            }
            // In good order nothing is left open, and nothing is sent again.
            for instance in [first, second] { #expect(await instance.stop() == .exited(0)) }
            let outcome = try await first.installation.gatehouse("reconcile", "--json")
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            let balance = try JSON.object(outcome.output)
            #expect(JSON.value(balance, "targets", "siem", "delivered") as? Int == sent.count, "\(outcome.output)")
            await receiver.kill()
        }
    }
}
