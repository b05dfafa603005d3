import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("With Kafka gone", .enabled(if: KafkaCluster.isAvailable)) struct KafkaSpoolTests {
        private let cluster: KafkaCluster
        private let prefix = KafkaCluster.newPrefix("spool")

        init() async throws {
            cluster = try await KafkaCluster.shared()
        }

        private func instance(_ log: String = "") throws -> KafkaInstance {
            try KafkaInstance(
                "one", cluster, prefix: prefix, log: log, top: "shutdown: 2s", targets: Installation.archive,
                routes: Installation.everythingToArchive)
        }

        /// A first event is delivered, then Kafka goes, and some more are acknowledged all the same.
        /// - Returns: the ids of all, in order.
        private func fill(_ instance: KafkaInstance) async throws -> [String] {
            let service = try await instance.start()
            let events = (0..<6).map { Sender.signinapp.event("spool-\($0)") }
            #expect(try await service.post(events[0]).status == 200)
            #expect(try await eventually { try instance.installation.archivedIDs.count == 1 })
            try await cluster.kill(1)
            for event in events.dropFirst() { #expect(try await service.post(event).status == 200) }
            return events.map { $0.events[0].id }
        }

        private func expectDrained(_ instance: KafkaInstance, _ ids: [String]) async throws {
            try await cluster.restart(1)
            let service = try await instance.start()
            let isDrained = try await eventually {
                try await instance.spooled() == 0 && Set(try instance.installation.archivedIDs) == Set(ids)
            }
            #expect(isDrained, "\(service.process.errors)")
            let delivered = try instance.installation.archivedIDs
            #expect(delivered.count <= ids.count + 1, "only the first may have come again")
            let isCounted = try await eventually {
                try await instance.installation.count("delivered", at: "archive") == ids.count
            }
            #expect(isCounted)
            #expect(await instance.stop() == .exited(0))
            // One visitor's events, of one type: one partition.
            let records = try await KafkaTopics(cluster, prefix: prefix).events()
            var seen: Set<String> = []
            #expect(records.map(\.id).filter { seen.insert($0).inserted } == ids, "the order is lost")
        }

        @Test(
            "events are acknowledged from the spool; who stops then exits 75 with the count, and the next start sends them"
        )
        func leftBehind() async throws {
            let instance = try instance()
            let ids = try await fill(instance)
            let service = try #require(instance.service)
            #expect(await instance.stop() == .exited(75), "\(service.process.errors)")
            #expect(service.process.errors.contains("\(ids.count - 1) "), "\(service.log.suffix(3))")
            try await expectDrained(instance, ids)
        }

        @Test("a kill -9 with a filled spool loses nothing")
        func killed() async throws {
            let instance = try instance()
            let ids = try await fill(instance)
            await instance.kill()
            try await expectDrained(instance, ids)
        }

        @Test("and back, the spool drains in order, without a restart and without a repeat")
        func back() async throws {
            let instance = try instance()
            let ids = try await fill(instance)
            let service = try #require(instance.service)
            try await cluster.restart(1)
            #expect(try await eventually { try await service.console("/readyz").status == 200 })
            #expect(try await eventually { Set(try instance.installation.archivedIDs) == Set(ids) })
            #expect(try await eventually { try await instance.spooled() == 0 })
            let next = Sender.signinapp.event("spool-next")
            #expect(try await service.post(next).status == 200)
            #expect(try await eventually { try instance.installation.archivedIDs.contains(next.events[0].id) })
            #expect(await instance.stop() == .exited(0))
            let records = try await KafkaTopics(cluster, prefix: prefix).events()
            #expect(records.map(\.id) == ids + [next.events[0].id])
        }

        @Test("and `spool: off` the intake answers 503 with Retry-After, until Kafka is back")
        func off() async throws {
            let instance = try instance(", spool: off")
            let service = try await instance.start()
            let first = try? await service.post(Sender.signinapp.event("first"))
            try #require(first?.status == 200, "\(service.process.errors)")
            try await cluster.kill(1)
            let refused = Sender.signinapp.event("refused")
            let answer = try #require(try? await service.post(refused), "\(service.process.errors)")
            #expect(answer.status == 503 && answer.code == "log_unavailable", "\(answer.text)")
            #expect(answer.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
            try await cluster.restart(1)
            let isBack = try await eventually { (try? await service.post(refused))?.status == 200 }
            try #require(isBack, "\(service.process.errors)")
            #expect(try await eventually { try instance.installation.archivedIDs.contains(refused.events[0].id) })
            #expect(await instance.stop() == .exited(0))
            let records = try await KafkaTopics(cluster, prefix: prefix).events()
            #expect(Set(records.map(\.id)).count == 2)
        }
    }
}
