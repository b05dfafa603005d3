import TestSupport
import Testing

@testable import Kafka

@Suite("A broker with TLS that wants to know who comes", .enabled(if: KafkaCluster.isAvailable), .serialized)
struct SecurityTests {
    private static let started = Result { try KafkaCluster.start(security: .tlsAndSASL) }

    private static let mechanisms = KafkaSecurity.Mechanism.allCases.filter { $0 != .scram || KafkaLibrary.speaksSCRAM }

    private let servers: [String]
    private let security: KafkaSecurity

    init() throws {
        let cluster = try Self.started.get()
        servers = cluster.servers
        security = try #require(cluster.security)
    }

    @Test("lets every kind of client in, by each mechanism that the library speaks", arguments: mechanisms)
    func entrance(mechanism: KafkaSecurity.Mechanism) async throws {
        let configuration = KafkaConfiguration(servers, security.properties(mechanism))
        let admin = try KafkaAdmin(configuration, timeout: .seconds(30))
        let topic = "secured-\(mechanism.rawValue.lowercased())"
        #expect(try admin.create([NewTopic(name: topic, partitions: 1)]) == [:])
        let producer = try KafkaProducer(configuration, timeout: .seconds(30))
        try producer.fill(topic, ["a"])
        let place = TopicPartition(topic: topic, partition: 0)
        let reader = try KafkaReader(configuration, maximumBufferedBytes: 1 << 20)
        try reader.assign([place: 0])
        #expect(reader.events { $0.isEnd }.messages.count == 1)
        let member = try Member(configuration, group: topic, topic: topic)
        #expect(await member.owns([0]))
        try await member.commit([place: .init(offset: 1)]).get()
        member.membership.close(within: .seconds(10))
        #expect(try admin.committed(group: topic, [place]) == [place: .init(offset: 1)])
    }

    @Test(
        "refuses a wrong password, which each client says without a secret",
        arguments: [.plain, .scram] as [KafkaSecurity.Mechanism])
    func wrongPassword(mechanism: KafkaSecurity.Mechanism) async throws {
        let secret = "this-is-the-wrong-one"
        let configuration = KafkaConfiguration(servers, security.properties(mechanism, password: secret))
        var failures: [KafkaFailure] = []
        do throws(KafkaFailure) {
            _ = try KafkaAdmin(configuration, timeout: .seconds(3)).topics()
        } catch { failures.append(error) }
        let producer = try KafkaProducer(configuration, timeout: .seconds(3))
        if case .failure(let failure) = await producer.send(KafkaRecord(topic: "secured", value: [0x61])) {
            failures.append(failure)
        }
        let reader = try KafkaReader(configuration, maximumBufferedBytes: 1 << 20)
        try reader.assign([TopicPartition(topic: "secured", partition: 0): 0])
        failures += reader.events { if case .failure = $0 { true } else { false } }.failures
        let member = try Member(configuration, group: "secured", topic: "secured")
        #expect(await poll(deadline: .seconds(30)) { member.membership.trouble?.code == "authentication" })
        failures += [member.membership.trouble].compactMap { $0 }
        member.membership.close(within: .seconds(1))
        #expect(failures.count == 4)
        for failure in failures {
            #expect(failure.code == "authentication")
            #expect(failure.message.contains("sasl"))
            for word in [secret, KafkaSecurity.user] { #expect(!failure.message.contains(word)) }
        }
    }

    @Test("by SCRAM is not logged in to by an old library, which says so", .enabled(if: !KafkaLibrary.speaksSCRAM))
    func oldLibrary() throws {
        let configuration = KafkaConfiguration(servers, security.properties(.scram))
        #expect {
            try KafkaAdmin(configuration, timeout: .seconds(3)).topics()
        } throws: { error in
            guard let failure = error as? KafkaFailure else { return false }
            return failure.code == "authentication" && failure.message.contains("librdkafka \(KafkaLibrary.version)")
        }
    }

    @Test("whose certificate nobody trusted has signed is not talked to")
    func strangeAuthority() throws {
        let another = try LocalAuthority()
        var properties = security.properties()
        properties["ssl.ca.location"] = another.caFile
        let admin = try KafkaAdmin(KafkaConfiguration(servers, properties), timeout: .seconds(3))
        #expect {
            try admin.topics()
        } throws: { error in
            guard let failure = error as? KafkaFailure else { return false }
            return failure.code == "ssl" && failure.message.contains("certificate")
        }
    }
}
