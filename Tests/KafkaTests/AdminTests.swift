import Addresses
import Foundation
import TestSupport
import Testing

@testable import Kafka

@Suite("An administrator of a cluster", .enabled(if: KafkaCluster.isAvailable)) struct AdminTests {
    private func admin() throws -> KafkaAdmin {
        try KafkaAdmin(RealKafka.configuration(), timeout: .seconds(30))
    }

    @Test("creates topics with their settings, and describes them")
    func creation() async throws {
        let admin = try admin()
        let name = "created-\(UUID().uuidString)"
        let new = NewTopic(
            name: name, partitions: 3, configuration: ["retention.ms": "123456789", "cleanup.policy": "compact"])
        #expect(try admin.create([new]) == [:])
        // A broker may hear of a topic a moment after the controller has made it.
        #expect(await poll(deadline: .seconds(60)) { (try? admin.topics()).map { $0[name] != nil } == true })
        #expect(try admin.topics()[name] == TopicDescription(name: name, partitions: 3, replication: 1))
        let configuration = try #require(try admin.configuration(ofTopics: [name])[name])
        #expect(configuration["retention.ms"] == "123456789")
        #expect(configuration["cleanup.policy"] == "compact")
        #expect(configuration["min.insync.replicas"] == "1")
    }

    @Test("leaves out of the settings what the brokers do not know, and tells those of the others")
    func unknown() throws {
        let name = try RealKafka.topic()
        let found = try admin().configuration(ofTopics: [name, "\(name)-not"])
        #expect(Set(found.keys) == [name] && found[name]?["cleanup.policy"] == "delete")
    }

    @Test("does not mind a topic that exists, and says why another cannot be")
    func failures() throws {
        let admin = try admin()
        let name = try RealKafka.topic()
        let failures = try admin.create([
            NewTopic(name: name, partitions: 1), NewTopic(name: "a b", partitions: 1),
            NewTopic(name: "\(name)-much", partitions: 1, replication: 3),
            NewTopic(name: "\(name)-wrong", partitions: 1, configuration: ["retention.ms": "long"]),
        ])
        #expect(failures[name] == nil)
        #expect(failures["a b"]?.code == "topic_exception")
        #expect(failures["\(name)-much"]?.code == "invalid_replication_factor")
        #expect(failures["\(name)-wrong"]?.code == "invalid_config")
        #expect(failures["\(name)-wrong"]?.message.contains("retention.ms") == true)
        #expect(failures.count == 3)
    }

    @Test("knows where partitions begin and end, and leaves out those that do not exist")
    func ends() throws {
        let topic = try RealKafka.topic(partitions: 2)
        let producer = try KafkaProducer(RealKafka.configuration(), timeout: .seconds(30))
        try producer.fill(topic, partition: 1, ["a", "b", "c"])
        let partitions = (0..<3).map { TopicPartition(topic: topic, partition: $0) }
        let ends = try admin().ends(of: partitions + [TopicPartition(topic: "\(topic)-not", partition: 0)])
        #expect(ends.count == 2)
        #expect(ends[partitions[0]]?.low == 0 && ends[partitions[0]]?.high == 0)
        #expect(ends[partitions[1]]?.low == 0 && ends[partitions[1]]?.high == 3)
        #expect(try admin().topics()["\(topic)-not"] == nil)
    }

    @Test("finds offsets by time, and the end where nothing is as young")
    func times() async throws {
        let topic = try RealKafka.topic()
        let place = TopicPartition(topic: topic, partition: 0)
        let producer = try KafkaProducer(RealKafka.configuration(), timeout: .seconds(30))
        for time in [1000, 2000, 3000] as [Int64] {
            let record = KafkaRecord(topic: topic, partition: 0, timestampMs: 1_700_000_000_000 + time, value: [0x61])
            _ = try await producer.send(record).get()
        }
        let admin = try admin()
        for (time, offset) in [(0, 0), (1000, 0), (1001, 1), (3000, 2), (3001, 3)] as [(Int64, Int64)] {
            #expect(try admin.offsets(at: 1_700_000_000_000 + time, of: [place]) == [place: offset])
        }
    }

    @Test("deletes topics and groups, and does not mind those that are not there")
    func deletion() async throws {
        let topic = try RealKafka.topic()
        let admin = try admin()
        try admin.delete(topics: [topic, "\(topic)-not"])
        #expect(await poll(deadline: .seconds(60)) { (try? admin.topics()).map { $0[topic] == nil } == true })
        try admin.deleteGroup("group-of-\(topic)")
    }

    @Test("says within its time that there is no broker")
    func down() throws {
        let cluster = try MockCluster()
        cluster.goDown()
        let admin = try KafkaAdmin(KafkaConfiguration(cluster.brokers), timeout: .milliseconds(500))
        #expect { try admin.topics() } throws: { ["transport", "timed_out"].contains(($0 as? KafkaFailure)?.code) }
        #expect { try admin.create([NewTopic(name: "a", partitions: 1)]) } throws: {
            ($0 as? KafkaFailure)?.code == "timed_out"
        }
    }

    @Test("does not connect to an address that the guard refuses, and says so")
    func guarded() throws {
        let cluster = try MockCluster()
        let admin = try KafkaAdmin(
            KafkaConfiguration(brokers: cluster.brokers, addressGuard: .init()), timeout: .milliseconds(500))
        #expect { try admin.topics() } throws: { ($0 as? KafkaFailure)?.code == "address_refused" }
    }
}
