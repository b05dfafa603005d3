import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite(
        "Topics of the log, read by clients that are not ours",
        .enabled(if: KafkaCluster.isAvailable && PythonEnvironment.isAvailable))
    struct KafkaTopicTests {
        private static let targets = Installation.archive
        private static let routes = Installation.everythingToArchive

        @Test("hold each type's events and no others: CloudEvents in binary mode, keyed by visitor, the data as it is")
        func binary() async throws {
            let known = try await Known(log: "")
            for reader in KafkaTopics.Reader.allCases {
                try expect(try await KafkaTopics(known.cluster, prefix: known.prefix, reader: reader).events(), known)
            }
        }

        private func expect(_ records: [KafkaTopics.Event], _ known: Known) throws {
            #expect(records.count == known.events.count)
            #expect(Set(records.map(\.id)) == Set(known.events.keys))
            for record in records {
                let event = try #require(known.events[record.id])
                #expect(record.topic == "\(known.prefix).\(event["type"] as? String ?? "")")
                let headers = record.record.headers
                for name in Self.attributes {
                    #expect(headers["ce_\(name)"] == event[name] as? String, "\(name) of \(record.id)")
                }
                #expect(headers["content-type"] == "application/json")
                #expect(record.record.key == event["partitionkey"] as? String)
                #expect(try JSON.object(record.record.value) as NSDictionary == event["data"] as? NSDictionary)
            }
            try expectPartitions(records)
        }

        /// All that CloudEvents gives an event but what the content type says.
        private static let attributes = [
            "specversion", "id", "source", "type", "subject", "time", "dataschema", "partitionkey",
        ]

        /// A key's events lie in one partition, of the same number in every topic.
        private func expectPartitions(_ records: [KafkaTopics.Event]) throws {
            var partitions: [String: Int] = [:]
            for record in records {
                let key = try #require(record.record.key)
                #expect(partitions[key, default: record.partition] == record.partition, "\(key)")
                partitions[key] = record.partition
            }
            #expect(Set(partitions.values).count > 1, "everything lies in one partition")
        }

        @Test("hold whole CloudEvents with `format: structured`")
        func structured() async throws {
            let known = try await Known(log: ", format: structured")
            for reader in KafkaTopics.Reader.allCases {
                let records = try await KafkaTopics(known.cluster, prefix: known.prefix, reader: reader).events()
                #expect(records.count == known.events.count)
                for record in records.map(\.record) {
                    let type = record.headers["content-type"] ?? ""
                    #expect(type.hasPrefix("application/cloudevents+json"), "\(type)")
                    let event = try JSON.object(record.value)
                    let id = try #require(event["id"] as? String)
                    #expect(event as NSDictionary == known.events[id]! as NSDictionary)
                    #expect(record.key == event["partitionkey"] as? String)
                }
            }
        }

        @Test(
            "have the count of partitions that is configured; another one than configured is complained of at the start"
        )
        func partitions() async throws {
            let cluster = try await KafkaCluster.shared()
            func instance(_ partitions: Int) throws -> KafkaInstance {
                try KafkaInstance(
                    "one", cluster, prefix: "count", log: ", partitions: \(partitions)", targets: Self.targets,
                    routes: Self.routes)
            }
            let first = try instance(4)
            try await first.start()
            #expect(try await first.service?.post(Sender.envoy.event("count")).status == 200)
            #expect(try await eventually { try await first.installation.count("delivered", at: "archive") == 1 })
            #expect(await first.stop() == .exited(0))
            let topics = try await KafkaTopics(cluster, prefix: "count").all()
            #expect(topics["count.visitor.signin"] == 4)
            #expect(topics["count.retry.archive"] == 4)
            #expect(topics["count.dead.archive"] == 4)

            let other = try instance(5)
            let service = try other.installation.launch()
            let end = await service.process.wait(within: patience)
            #expect(end == .exited(1) || end == .exited(78), "\(service.process.errors)")
            let complaint = service.log.last { $0.level == "error" }?.message ?? service.process.errors
            #expect(complaint.contains("count.") && complaint.contains("4") && complaint.contains("5"), "\(complaint)")
        }
    }
}

/// Topics with a few events of every sender, and what the program says of them.
private final class Known: Sendable {
    let cluster: KafkaCluster
    let prefix: String
    let instance: KafkaInstance
    private let texts: [String: String]

    /// By id: as `gatehouse events` prints them.
    var events: [String: [String: Any]] { texts.compactMapValues { try? JSON.object($0) } }

    init(log: String) async throws {
        cluster = try await KafkaCluster.shared()
        prefix = KafkaCluster.newPrefix("known")
        instance = try KafkaInstance(
            "one", cluster, prefix: prefix, log: log, targets: Installation.archive,
            routes: Installation.everythingToArchive)
        let service = try await instance.start()
        var ids: Set<String> = []
        for sender in Sender.allCases {
            for number in 0..<6 {
                let event = sender.event("known-\(number)", site: 4567 + number, leaving: number % 2 == 1, elements: 3)
                #expect(try await service.post(event).status == 200)
                ids.formUnion(event.events.map(\.id))
            }
        }
        let outcome = try await instance.installation.gatehouse("events", "--json")
        texts = Dictionary(
            uniqueKeysWithValues: try outcome.lines.map { (try JSON.object($0)["id"] as? String ?? "", $0) })
        #expect(Set(texts.keys) == ids)
        #expect(await instance.stop() == .exited(0))
    }
}
