import Events
import Kafka
import TestSupport
import Testing

@testable import KafkaLog

@Suite("The topics of a log")
struct TopicTests {
    private let options = KafkaLogOptions(
        kafka: KafkaConfiguration(brokers: ["one:9092", "two:9092"]), prefix: "gate", partitions: 4, replication: 3,
        minimumInSyncReplicas: 2, retentionAge: .seconds(86_400), types: [.visitorSignin],
        spoolFolder: TemporaryDirectory().path)

    private func complaints(
        partitions: Int = 4, replication: Int = 3, _ configuration: [String: String] = [:],
        compacted: Bool = false
    ) -> [TopicComplaint] {
        let wanted = compacted ? options.topics(ofTarget: "siem")[0] : options.topic(of: .visitorSignin)
        return wanted.complaints(
            about: TopicDescription(name: wanted.name, partitions: partitions, replication: replication),
            ["cleanup.policy": compacted ? "compact" : "delete", "min.insync.replicas": "2"].merging(configuration) {
                $1
            })
    }

    @Test("one that is as wanted is not complained of")
    func fit() {
        #expect(complaints().isEmpty)
        #expect(
            complaints(replication: 4, ["min.insync.replicas": "3", "message.timestamp.type": "CreateTime"]).isEmpty)
        #expect(complaints(compacted: true).isEmpty)
    }

    @Test("one that would lose or tear apart what is in it is refused, and people are told what to do")
    func unfit() {
        let found = [
            complaints(partitions: 6), complaints(["cleanup.policy": "compact"]),
            complaints(["cleanup.policy": "compact,delete"]), complaints(["cleanup.policy": "delete"], compacted: true),
            complaints(["min.insync.replicas": "5"]),
        ]
        for complaint in found {
            #expect(complaint.count == 1 && complaint[0].isFatal)
            #expect(complaint[0].message.hasPrefix("the topic gate."))
        }
        #expect(found[0][0].message.contains("has 6 partitions, and 4 are wanted: say `partitions: 6`"))
        #expect(found[1][0].message.contains("--add-config cleanup.policy=delete"))
        #expect(found[3][0].message.contains("--add-config cleanup.policy=compact"))
    }

    @Test("one that keeps less than was asked for is complained of")
    func weak() {
        for found in [
            complaints(replication: 2), complaints(["min.insync.replicas": "1"]),
            complaints(["message.timestamp.type": "LogAppendTime"]), complaints(["max.message.bytes": "1048588"]),
        ] {
            #expect(found.count == 1 && !found[0].isFatal)
        }
        #expect(complaints(replication: 2)[0].message.contains("has 2 copies of each event, and 3 are wanted"))
    }

    @Test("the commands for an administrator name every topic with all its settings")
    func commands() {
        let commands = TopicAdministration.commands(options, targets: ["siem", "crm"])
        #expect(
            commands[0]
                == "kafka-topics.sh --bootstrap-server one:9092,two:9092 --create --if-not-exists --topic "
                + "gate.visitor.signin --partitions 4 --replication-factor 3 --config cleanup.policy=delete --config "
                + "max.message.bytes=4194304 --config message.timestamp.type=CreateTime --config "
                + "min.insync.replicas=2 --config retention.ms=86400000")
        let names = [
            "visitor.signin", "attempts", "cursors", "quarantine", "audit", "retry.crm", "dead.crm", "retry.siem",
            "dead.siem",
        ]
        #expect(commands.count == names.count)
        #expect(commands[5].contains("max.message.bytes=6291456"), "what waits has more beside it")
        for (command, name) in zip(commands, names) { #expect(command.contains("--topic gate.\(name) ")) }
        var all = options
        all.types = []
        #expect(TopicAdministration.commands(all, targets: []).count == CanonicalType.allCases.count + 4)
    }

    @Test("a topic's name tells the target it is of")
    func names() {
        let names = StateTopics(prefix: "gate")
        #expect(names.target(ofTopic: names.retry("siem.eu")) == "siem.eu")
        #expect(names.target(ofTopic: names.dead("siem")) == "siem")
        #expect(names.target(ofTopic: names.attempts) == nil)
        #expect(names.target(ofTopic: "other.retry.siem") == nil)
    }

    @Test("every partition of the log is one of a topic, and back")
    func layout() {
        let layout = LogLayout(prefix: "gate", partitions: 4)
        #expect(layout.count == CanonicalType.allCases.count * 4)
        for index in 0..<Int32(layout.count) {
            let place = layout.topicPartition(index)
            #expect(layout.index(topic: place.topic, partition: place.partition) == index)
            #expect(layout.indices(ofShard: layout.shard(of: index)).contains(index))
        }
        #expect(layout.index(topic: "gate.visitor.signin", partition: 4) == nil)
        #expect(layout.index(topic: "gate.retry.siem", partition: 0) == nil)
        #expect(layout.index(topic: "visitor.signin", partition: 0) == nil)
    }
}
