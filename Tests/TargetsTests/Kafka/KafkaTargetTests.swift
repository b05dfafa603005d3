import Addresses
import Events
import Foundation
import Kafka
import TestSupport
import Testing

@testable import Targets

@Suite("A kafka target") struct KafkaTargetTests {
    private static func configuration(_ cluster: MockCluster, _ more: String = "") -> String {
        let brokers = cluster.brokers.map { "\"\($0)\"" }.joined(separator: ", ")
        return "{type: kafka, brokers: [\(brokers)], topic: visitors, allow: 127.0.0.0/8\(more)}"
    }

    private func target(_ text: String) throws -> any Target {
        let (blueprint, messages) = try decode(text)
        #expect(messages == [])
        return try #require(blueprint).make(testContext())
    }

    @Test("publishes the data as value and the attributes as headers, under the event's key")
    func binary() async throws {
        let cluster = try MockCluster()
        let target = try target(Self.configuration(cluster))
        let event = try Sample.event(name: "Zoë \"}{\n")
        _ = try #require(await target.send(Sample.outgoing(event)).receipt)
        target.close()
        let record = try #require(try readTopic("visitors", cluster.brokers).first)
        #expect(record.key == "4567/1234")
        #expect(
            record.headers == [
                "ce_specversion": "1.0", "ce_id": Sample.id, "ce_source": "/sources/london",
                "ce_type": "visitor.signin", "ce_subject": "visitor/1234", "ce_time": "2020-01-01T12:00:01.000Z",
                "ce_dataschema": "urn:gatehouse:event:1", "ce_partitionkey": "4567/1234",
                "content-type": "application/json",
            ])
        #expect(
            Array(record.value.utf8) == ContentPolicy(includesOriginal: true, includesBiometrics: false).data(of: event)
        )
    }

    @Test("publishes the whole event where it is asked to")
    func structured() async throws {
        let cluster = try MockCluster()
        let target = try target(Self.configuration(cluster, ", format: structured, original: false"))
        let event = try Sample.event()
        _ = try #require(await target.send(Sample.outgoing(event)).receipt)
        target.close()
        let record = try #require(try readTopic("visitors", cluster.brokers).first)
        #expect(record.headers == ["content-type": "application/cloudevents+json; charset=utf-8"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(record.value.utf8)) as? [String: Any])
        #expect(object["id"] as? String == Sample.id)
        #expect((object["data"] as? [String: Any])?["original"] == nil)
    }

    @Test("marks what a replay sends")
    func replay() async throws {
        let cluster = try MockCluster()
        let target = try target(Self.configuration(cluster))
        var outgoing = Sample.outgoing(try Sample.event())
        outgoing.replay = 7
        _ = try #require(await target.send(outgoing).receipt)
        target.close()
        #expect(try readTopic("visitors", cluster.brokers).first?.headers["gatehouse-replay"] == "7")
    }

    @Test("blames the event for what no broker takes, and the target for the rest")
    func blame() async throws {
        let cluster = try MockCluster()
        let target = try target(Self.configuration(cluster, ", timeout: 500ms, properties: {message.max.bytes: 4000}"))
        let large = try Sample.event(name: String(repeating: "x", count: 5000))
        let tooLarge = try #require(await target.send(Sample.outgoing(large)).failure)
        #expect(tooLarge.code == "kafka_msg_size_too_large" && tooLarge.blame == .event)
        cluster.goDown()
        let down = try #require(await target.send(Sample.outgoing(try Sample.event())).failure)
        #expect(down.code == "kafka_msg_timed_out" && down.blame == .target)
        target.close()
        let closed = try #require(await target.send(Sample.outgoing(try Sample.event())).failure)
        #expect(closed.blame == .target)
    }

    @Test(
        "refuses what cannot be right, and says what is",
        arguments: [
            ("brokers: kafka.example, topic: a", "expected host:port, such as kafka-1:9092, found `kafka.example`"),
            ("brokers: \"127.0.0.1:9092\", topic: a", "127.0.0.1 is a loopback address"),
            ("brokers: \"kafka.example:9092\", topic: \"a b\"", "letters, digits, dots, underscores and hyphens"),
            (
                "brokers: \"kafka.example:9092\", topic: a, properties: {acks: 1}",
                "`acks` cannot be set: every event is"
            ),
            (
                "brokers: \"kafka.example:9092\", topic: a, properties: {sasl.pasword: hunter2}",
                "`sasl.pasword`: librdkafka has no such property"
            ),
            ("brokers: \"kafka.example:9092\", topic: a, format: cef", "binary"),
            ("brokers: \"kafka.example:9092\"", "topic"),
        ])
    func errors(keys: String, expected: String) throws {
        let (_, messages) = try decode("{type: kafka, \(keys)}")
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
        #expect(!messages.contains { $0.contains("hunter2") })
    }

    @Test("speaks TLS where `tls:` says so, by the files it names")
    func tls() throws {
        let (blueprint, messages) = try decode(
            "{type: kafka, brokers: \"kafka.example:9093\", topic: a, tls: {ca: /ca.pem, cert: /c.pem, key: /k.pem}}")
        #expect(messages == [])
        let properties = try #require(blueprint as? KafkaBlueprint).configuration.properties
        #expect(
            properties == [
                "security.protocol": "ssl", "ssl.ca.location": "/ca.pem", "ssl.certificate.location": "/c.pem",
                "ssl.key.location": "/k.pem",
            ])
    }
}
