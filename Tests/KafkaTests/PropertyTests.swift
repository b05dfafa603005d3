import TestSupport
import Testing

@testable import Kafka

@Suite("Properties of the operator") struct PropertyTests {
    /// Properties of one kind of client, which an operator writes once for all.
    private static let ofOneKind = [
        "compression.type": "lz4", "batch.size": "100000", "queue.buffering.max.messages": "5000",
        "delivery.timeout.ms": "30000", "session.timeout.ms": "12000", "fetch.min.bytes": "1",
        "auto.offset.reset": "earliest", "group.id": "mine", "enable.auto.commit": "true",
        "group.instance.id": "fixed", "partition.assignment.strategy": "cooperative-sticky",
        "queued.max.messages.kbytes": "100", "enable.partition.eof": "false", "check.crcs": "false",
        "message.max.bytes": "2000000", "log_level": "7", "debug": "all",
    ]

    @Test("of one kind of client do not keep another from starting", arguments: ofOneKind.keys.sorted())
    func kinds(name: String) throws {
        let cluster = try MockCluster()
        let configuration = KafkaConfiguration(cluster.brokers, [name: Self.ofOneKind[name]!])
        #expect(configuration.flaw() == nil)
        try KafkaProducer(configuration, timeout: .seconds(30)).close()
        _ = try KafkaAdmin(configuration).topics()
        try KafkaReader(configuration, maximumBufferedBytes: 1 << 20).close()
        try KafkaMembership(configuration, group: "g", topic: "t") { _ in }.close(within: .seconds(10))
    }

    @Test("that a client depends on are not the operator's to change")
    func settled() throws {
        let cluster = try MockCluster()
        cluster.create("visitors", partitions: 1)
        let configuration = KafkaConfiguration(cluster.brokers, Self.ofOneKind)
        let reader = try KafkaReader(configuration, maximumBufferedBytes: 1 << 20)
        try reader.assign([TopicPartition(topic: "visitors", partition: 0): 0])
        #expect(reader.events { $0.isEnd }.ends.count == 1)
    }

    @Test("that no client takes are named, and their values are not")
    func refused() {
        let configuration = KafkaConfiguration([], ["sasl.password": "hunter2", "socket.timeout.ms": "hunter3"])
        let starts: [() throws -> Void] = [
            { _ = try KafkaAdmin(configuration) },
            { _ = try KafkaReader(configuration, maximumBufferedBytes: 1) },
            { _ = try KafkaMembership(configuration, group: "g", topic: "t") { _ in } },
            { _ = try KafkaProducer(configuration, timeout: .seconds(1)) },
        ]
        for start in starts {
            #expect {
                try start()
            } throws: { error in
                guard let failure = error as? KafkaFailure else { return false }
                return failure.code == "configuration" && failure.message.contains("socket.timeout.ms")
                    && !failure.message.contains("hunter")
            }
        }
    }

    @Test(
        "that are secret are taken out of what librdkafka says",
        arguments: [
            ("login of bob with hunter2 failed", "login of *** with *** failed"), ("hunter2hunter2", "******"),
            ("the broker says nothing", "the broker says nothing"), ("", ""),
        ])
    func redaction(said: String, told: String) {
        let redaction = Redaction([
            "sasl.password": "hunter2", "sasl.username": "bob", "security.protocol": "sasl_ssl", "ssl.key.password": "",
        ])
        #expect(redaction.apply(said) == told)
    }
}
