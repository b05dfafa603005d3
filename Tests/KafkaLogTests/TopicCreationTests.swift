import EventLog
import Events
import Kafka
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KafkaLog

@Suite("The topics on a broker", .enabled(if: KafkaCluster.isAvailable))
struct TopicCreationTests {
    let folder = TemporaryDirectory()

    private func administration(_ options: KafkaLogOptions, logger: Logger = .silent) throws -> TopicAdministration {
        TopicAdministration(options, admin: try KafkaAdmin(options.kafka), logger: logger)
    }

    @Test("those that are missing are created as they are to be")
    func created() throws {
        var options = try SharedKafka.options(prefix: SharedKafka.prefix(), folder: folder)
        options.retentionAge = .seconds(7200)
        let topics = try administration(options)
        try topics.prepare()
        try topics.ensure(target: "siem")
        try topics.ensure(.faceMatched)
        let admin = try KafkaAdmin(options.kafka)
        let found = try admin.topics()
        let wanted =
            options.standingTopics + options.topics(ofTarget: "siem")
            + [options.topic(of: .visitorSignin), options.topic(of: .faceMatched)]
        let configurations = try admin.configuration(ofTopics: wanted.map(\.name))
        for topic in wanted {
            #expect(found[topic.name]?.partitions == topic.partitions)
            for (key, value) in topic.configuration { #expect(configurations[topic.name]?[key] == value) }
        }
        #expect(found[options.layout.topic(.visitorSignout)] == nil, "nobody needs it")
        #expect(topics.presentTypes == [.visitorSignin, .faceMatched])
        try administration(options).prepare()
    }

    @Test("one with another count of partitions is refused")
    func wrongCount() throws {
        var options = try SharedKafka.options(prefix: SharedKafka.prefix(), folder: folder)
        try administration(options).prepare()
        options.partitions = 5
        let error = #expect(throws: KafkaLogError.self) { try administration(options).prepare() }
        #expect(error?.code == .topicUnfit)
        #expect(error?.message.contains("\(options.prefix).visitor.signin has 3 partitions, and 5 are wanted") == true)
    }

    @Test("one that keeps less than was asked for is used, and told of")
    func weak() throws {
        let prefix = SharedKafka.prefix()
        var options = try SharedKafka.options(prefix: prefix, folder: folder)
        try administration(options).prepare()
        options.replication = 3
        let told = Mutex<[String]>([])
        let logger = Logger { line in told.withLock { $0.append(line.message) } }
        try administration(options, logger: logger).prepare()
        #expect(told.withLock { $0 }.contains { $0.contains("\(prefix).visitor.signin has 1 copy") })
    }

    @Test("none is created where the administrator does it, and the command that helps is named")
    func notCreated() throws {
        var options = try SharedKafka.options(prefix: SharedKafka.prefix(), folder: folder)
        options.createsTopics = false
        let error = #expect(throws: KafkaLogError.self) { try administration(options).prepare() }
        #expect(error?.code == .topicMissing)
        #expect(error?.message.contains("gatehouse kafka topics") == true)
        let failure = #expect(throws: KafkaFailure.self) { try administration(options).ensure(.pinOk) }
        #expect(failure?.code == "topic_missing")
        #expect(try KafkaAdmin(options.kafka).topics().keys.allSatisfy { !$0.hasPrefix(options.prefix + ".") })
    }

    @Test("one that is deleted while it is in use is told of, and named")
    func deleted() async throws {
        let lines = Mutex<[LogLine]>([])
        let options = try SharedKafka.options(prefix: SharedKafka.prefix(), folder: folder)
        let log = try KafkaEventLog.open(options, logger: Logger { line in lines.withLock { $0.append(line) } })
        defer { log.close(within: .zero) }
        try await log.append([event(1), event(2)])
        #expect(log.damage == nil)
        let topic = options.layout.topic(.visitorSignin)
        try KafkaAdmin(options.kafka).delete(topics: [topic])
        #expect(await poll(deadline: .seconds(90)) { log.damage != nil })
        #expect(log.damage?.contains(topic) == true)
        #expect(lines.withLock { $0.contains { $0.event == "kafka_topic_cut" && $0.level == .error } })
    }

    @Test("a cluster that is not there is told of")
    func unreachable() throws {
        let options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: ["127.0.0.1:1"]), spoolFolder: TemporaryDirectory().path)
        let topics = TopicAdministration(
            options, admin: try KafkaAdmin(options.kafka, timeout: .milliseconds(500)), logger: .silent)
        let error = #expect(throws: KafkaLogError.self) { try topics.prepare() }
        #expect(error?.code == .unreachable)
    }
}
