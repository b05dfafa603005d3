import Foundation
import HTTPTypes
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A field policy of the sources, with the log in Kafka", .enabled(if: KafkaCluster.isAvailable))
    struct KafkaPolicyTests {
        private func instance(
            _ cluster: KafkaCluster, prefix: String, _ refusing: ScriptedServer, hasPolicy: Bool
        ) throws -> KafkaInstance {
            let instance = try KafkaInstance(
                "one", cluster, prefix: prefix, top: "shutdown: 2s",
                targets: """
                      archive: {type: file, path: ./archive.ndjson}
                      partner: {type: webhook, url: "\(refusing.url())", allow: [127.0.0.1/32], attempts: 1}
                    """, routes: "  - {name: all, to: [archive, partner]}")
            if hasPolicy {
                let configuration = instance.installation.read("gatehouse.yaml")
                try instance.installation.write(
                    "gatehouse.yaml",
                    configuration.replacing("{vendor:", with: "{only: [visitor.returning], vendor:"))
            }
            return instance
        }

        /// Every record of every topic of the log, whatever it is for.
        private func everything(
            _ cluster: KafkaCluster, prefix: String
        ) async throws -> [(name: String, text: String)] {
            let topics = KafkaTopics(cluster, prefix: prefix)
            let names = try await topics.all().keys.filter { $0.hasPrefix(prefix + ".") }
            // All at once: a reader does little but wait until it has come to the end.
            return try await withThrowingTaskGroup(of: [(name: String, text: String)].self) { group in
                for name in names {
                    group.addTask {
                        try await topics.read(name).map { record in
                            let headers = record.headers.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
                            return (name, "\(record.key ?? "")\n\(headers)\n\(record.value)")
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }

        @Test(
            "leaves nothing of what it takes away in any topic, in the spool while Kafka is away, nor in what is told",
            arguments: [true, false])
        func canaries(hasPolicy: Bool) async throws {
            let cluster = try await KafkaCluster.shared()
            let prefix = KafkaCluster.newPrefix("policy")
            let refusing = ScriptedServer(answering: { HTTPResponse(status: 422, body: $0.body) })
            let instance = try instance(cluster, prefix: prefix, refusing, hasPolicy: hasPolicy)
            let service = try await instance.start()
            for request in try Canaries.requests("k") + [Canaries.brokenBatch()] {
                let answer = try await service.post(request)
                #expect(answer.status == 200, "\(request.source): \(answer.text)")
            }
            let installation = instance.installation
            // What the log has is counted as its index reads it.
            let isDone = try await eventually {
                let accepted = try await installation.balance()["accepted"] as? Int ?? 0
                let dead = try await installation.count("dead", at: "partner")
                return accepted > 10 && dead == accepted
            }
            #expect(isDone)
            var told = [("the archive", installation.read("archive.ndjson"))]
            for words in [
                ["events"], ["events", "--quarantine"], ["deliveries"], ["refusals"], ["dead-letters", "list"],
            ] {
                told.append(
                    (words.joined(separator: " "), try await installation.gatehouse(words: words + ["--json"]).output))
            }
            let topics = try await everything(cluster, prefix: prefix)
            for kind in ["dead.partner", "quarantine", "attempts"] {
                #expect(topics.contains { $0.name == "\(prefix).\(kind)" }, "\(kind) has no record")
            }

            try await cluster.kill(1)
            for request in try Canaries.requests("s") {
                let answer = try await service.post(request)
                #expect(answer.status == 200, "\(request.source): \(answer.text)")
            }
            #expect(try await eventually { try await instance.spooled() > 10 })
            let files = Canaries.files(of: installation)
            #expect(files.isEmpty == hasPolicy, "\(files)")
            _ = await instance.stop()
            try await cluster.restart(1)

            let found = Canaries.found(in: told + topics)
            #expect(found.isEmpty == hasPolicy, "\(found)")
            #expect(!service.log.contains { Canaries.isFound(in: $0.description) })
        }
    }
}
