import Addresses
import Configuration
import Foundation
import Targets
import Testing

@Suite("Where the log is")
struct LogSettingsTests {
    private static func load(
        _ log: String, more: String = "", purpose: ConfigurationLoader.Purpose = .running,
        environment: [String: String] = ["SCRAM": "kingfisher"]
    ) throws -> (log: LogSettings?, messages: [String]) {
        let folder = try ConfigurationFolder(["gatehouse.yaml": "log: \(log)\nsources: {}\n\(more)\n"])
        let (configuration, messages) = folder.load(purpose, environment: environment)
        return (configuration?.log, messages)
    }

    @Test("is the data folder unless it is said to be in Kafka, where brokers are enough")
    func defaults() throws {
        #expect(try Self.load("embedded").log == .embedded)
        let (log, messages) = try Self.load("{kafka: {brokers: \"127.0.0.1:9092\"}}")
        let kafka = try #require(log?.kafka, "\(messages)")
        #expect(kafka.brokers == ["127.0.0.1:9092"])
        #expect(kafka.instance == nil)
        #expect(kafka.prefix == "gatehouse" && kafka.partitions == 6)
        #expect(kafka.replication == nil && kafka.minimumInSyncReplicas == nil)
        #expect(kafka.createsTopics && !kafka.isStructured)
        #expect(kafka.spoolBytes == 4 << 30)
        #expect(kafka.properties == [:])
        #expect(kafka.addressGuard == nil, "the operator's own brokers may be anywhere")
    }

    @Test("takes every key")
    func everything() throws {
        let (log, messages) = try Self.load(
            """
            {kafka: {brokers: ["kafka-1:9092", "[::1]:9093"], instance: gate-1, prefix: lobby.events, partitions: 12, \
            replication: 3, min_isr: 1, create_topics: false, spool: {size: 64MiB}, format: structured, \
            allow: [10.0.0.0/8, "::1/128"], properties: {sasl.password: "${env:SCRAM}", linger.ms: 5}}}
            """)
        let kafka = try #require(log?.kafka, "\(messages)")
        #expect(messages == [])
        #expect(kafka.brokers == ["kafka-1:9092", "[::1]:9093"])
        #expect(kafka.instance == "gate-1" && kafka.prefix == "lobby.events" && kafka.partitions == 12)
        #expect(kafka.replication == 3 && kafka.minimumInSyncReplicas == 1)
        #expect(!kafka.createsTopics && kafka.isStructured)
        #expect(kafka.spoolBytes == 64 << 20)
        #expect(kafka.properties == ["sasl.password": "kingfisher", "linger.ms": "5"])
        let private10 = try #require(IPAddress("10.1.2.3")), private192 = try #require(IPAddress("192.168.1.1"))
        #expect(kafka.addressGuard?.refusal(of: private10) == nil)
        #expect(kafka.addressGuard?.refusal(of: private192) == "private")
    }

    @Test("keeps events that wait on disk, unless it is told not to", arguments: [("on", 4 << 30), ("off", nil)])
    func spool(word: String, bytes: Int?) throws {
        let kafka = try #require(try Self.load("{kafka: {brokers: \"k:1\", spool: \(word)}}").log?.kafka)
        #expect(kafka.spoolBytes == bytes)
    }

    @Test(
        "asks for one copy less than two to be in sync, but for two of three or more",
        arguments: [(1, 1), (2, 1), (3, 2), (5, 2)])
    func inSync(replication: Int, least: Int) throws {
        let kafka = try Self.load("{kafka: {brokers: \"k:1\", replication: \(replication)}}").log?.kafka
        #expect(kafka?.minimumInSyncReplicas == least)
    }

    @Test(
        "is refused where it makes no sense, with the place",
        arguments: [
            ("kafka", "gatehouse.yaml:1:6: a log in Kafka needs its brokers"),
            ("embeded", "1:6: expected one of embedded, found `embeded` (did you mean embedded?)"),
            ("{kafka: {}}", "1:14: log: kafka needs `brokers:`"),
            ("{kafka: \"kafka-1:9092\"}", "1:14: log: kafka must be a mapping"),
            ("{kafak: {brokers: \"k:1\"}}", "1:7: unknown key `kafak` in log (did you mean kafka?)"),
            ("{kafka: {brokers: kafka-1}}", "expected host:port, such as kafka-1:9092, found `kafka-1`"),
            ("{kafka: {brokers: \"k:1\", topics: x}}", "unknown key `topics` in log: kafka"),
            ("{kafka: {brokers: \"k:1\", partitions: 0}}", "expected a whole number from 1 to 128, found `0`"),
            ("{kafka: {brokers: \"k:1\", prefix: \"a b\"}}", "a prefix is at most 100 letters"),
            ("{kafka: {brokers: \"k:1\", prefix: \"a.\"}}", "no dot at its end"),
            ("{kafka: {brokers: \"k:1\", instance: \"a/b\"}}", "cannot be an instance's name"),
            ("{kafka: {brokers: \"k:1\", spool: no}}", "expected one of on, off, found `no`"),
            ("{kafka: {brokers: \"k:1\", spool: {size: 1KiB}}}", "must be at least 1MiB"),
            ("{kafka: {brokers: \"k:1\", format: json}}", "expected one of binary, structured"),
            ("{kafka: {brokers: \"k:1\", create_topics: yes}}", "write true or false"),
            ("{kafka: {brokers: \"k:1\", replication: 2, min_isr: 3}}", "3 copies can never be in sync"),
            ("{kafka: {brokers: \"k:1\", properties: {sasl.pasword: hunter2}}}", "librdkafka has no such property"),
            ("{kafka: {brokers: \"127.0.0.1:1\", allow: 10.0.0.0/8}}", "127.0.0.1 is a loopback address"),
        ])
    func refusals(log: String, message: String) throws {
        let (settings, messages) = try Self.load(log)
        #expect(settings == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
        #expect(!messages.contains { $0.contains("hunter2") })
    }

    @Test("refuses properties that its promises rest on", arguments: ConfiguredProperties.refused(by: .log))
    func properties(name: String) throws {
        let beginning = "{kafka: {brokers: \"k:1\", properties: {"
        let (settings, messages) = try Self.load("\(beginning)\(name): \"1\"}}}")
        #expect(settings == nil)
        let place = "gatehouse.yaml:1:\("log: ".count + beginning.count + 1): "
        #expect(messages.contains { $0.contains("\(place)`\(name)` cannot be set: ") }, "\(messages)")
    }

    @Test("and targets' topics need names that Kafka tells apart")
    func collidingTargets() throws {
        let targets = "targets: {a.b: {type: file, path: ./a}, a_b: {type: file, path: ./b}}"
        let (settings, messages) = try Self.load("{kafka: {brokers: \"k:1\"}}", more: targets)
        #expect(settings == nil)
        #expect(
            messages.contains { $0.contains("3:41: the targets a.b and a_b cannot both have topics") }, "\(messages)")
        #expect(try Self.load("embedded", more: targets).log == .embedded)
    }

    @Test("stays in Kafka where its brokers or secrets have no value here, and says which")
    func unresolved() throws {
        let (log, messages) = try Self.load(
            "{kafka: {brokers: \"${env:BROKERS}\", properties: {sasl.password: \"${env:SCRAM}\"}}}",
            purpose: .checking, environment: [:])
        #expect(messages.count == 2 && messages.allSatisfy { $0.contains("is not set") }, "\(messages)")
        #expect(log?.kafka?.brokers == [])
        #expect(log?.kafka?.unresolved == ["${env:BROKERS}", "${env:SCRAM}"])
    }

    @Test("has the keys that the schema names, and no other")
    func schema() throws {
        let schema = try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.text.utf8)) as? [String: Any]
        let log = (schema?["properties"] as? [String: Any])?["log"] as? [String: Any]
        let choices = try #require(log?["anyOf"] as? [[String: Any]])
        let mapping = try #require(choices.compactMap { $0["properties"] as? [String: Any] }.first)
        let known = try #require((mapping["kafka"] as? [String: Any])?["properties"] as? [String: Any]).keys
        let keys = known.sorted().map { "\($0): [[]]" }.joined(separator: ", ")
        let unknown = try Self.load("{kafka: {\(keys), zzzzzzzz: 1}}").messages.filter { $0.contains("unknown key") }
        #expect(unknown.count == 1 && unknown[0].contains("zzzzzzzz"), "\(unknown)")
        #expect(known.count == 11)
    }

    @Test("never shows a secret")
    func secrets() throws {
        let (_, messages) = try Self.load(
            """
            {kafka: {brokers: "${env:SCRAM}", prefix: "${env:SCRAM}/", instance: "${env:SCRAM} x", spool: "${env:SCRAM}", \
            partitions: "${env:SCRAM}", properties: {statistics.interval.ms: "${env:SCRAM}"}}}
            """)
        #expect(messages.count >= 5)
        #expect(!messages.contains { $0.contains("kingfisher") }, "\(messages)")
    }
}
