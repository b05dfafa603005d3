import Addresses
import Foundation
import Synchronization
import TestSupport

@testable import Kafka

let loopback = AddressGuard(allow: [IPNetwork("127.0.0.0/8")!])

extension KafkaConfiguration {
    init(_ servers: [String], _ properties: [String: String] = [:], clientID: String = "gatehouse") {
        self.init(brokers: servers, properties: properties, addressGuard: loopback, clientID: clientID)
    }
}

/// One broker for all tests of this module.
enum RealKafka {
    static func cluster() throws -> KafkaCluster { try .common() }

    static func configuration(
        _ properties: [String: String] = [:], clientID: String = "gatehouse"
    ) throws -> KafkaConfiguration {
        KafkaConfiguration(try cluster().servers, properties, clientID: clientID)
    }

    /// A new topic of a test's own.
    static func topic(partitions: Int = 1, _ configuration: [String: String] = [:]) throws -> String {
        let name = "t-\(UUID().uuidString.prefix(8))"
        let admin = try KafkaAdmin(try self.configuration(), timeout: .seconds(30))
        let failures = try admin.create([NewTopic(name: name, partitions: partitions, configuration: configuration)])
        if let failure = failures.values.first { throw failure }
        // A broker may hear of a topic a moment after the controller has made it.
        let deadline = ContinuousClock.now + .seconds(60)
        while try admin.topics()[name]?.partitions != partitions {
            guard .now < deadline else { throw KafkaFailure(code: "test", message: "\(name) is not listed") }
            usleep(10_000)
        }
        return name
    }
}

extension KafkaProducer {
    func send(_ record: KafkaRecord) async -> Result<KafkaPlace, KafkaFailure> {
        await withCheckedContinuation { continuation in
            send(record) { continuation.resume(returning: $0) }
        }
    }

    /// Publishes values to one partition, all at once.
    func fill(_ topic: String, partition: Int32 = 0, _ values: some Sequence<String>) throws {
        let failure = Mutex<KafkaFailure?>(nil)
        for value in values {
            send(KafkaRecord(topic: topic, partition: partition, value: Array(value.utf8))) { result in
                if case .failure(let error) = result { failure.withLock { $0 = error } }
            }
        }
        guard flush(within: .seconds(60)) else { throw KafkaFailure(code: "test", message: "not acknowledged") }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}

extension KafkaReader {
    /// What comes until something is as it should be, or a deadline that only a hang meets.
    func events(until isLast: (KafkaReadEvent) -> Bool) -> [KafkaReadEvent] {
        var events: [KafkaReadEvent] = []
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline {
            let event = poll(within: .milliseconds(200))
            if case .nothing = event { continue }
            events.append(event)
            if isLast(event) { break }
        }
        return events
    }
}

extension [KafkaReadEvent] {
    var messages: [KafkaMessage] {
        compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    var failures: [KafkaFailure] {
        compactMap { if case .failure(_, let failure) = $0 { failure } else { nil } }
    }

    var ends: [TopicPartition: Int64] {
        reduce(into: [:]) { if case .end(let place, let offset) = $1 { $0[place] = offset } }
    }
}

extension KafkaReadEvent {
    var isEnd: Bool { if case .end = self { true } else { false } }
}

/// A membership, and what it has been told.
final class Member: Sendable {
    private struct Told {
        var events: [KafkaMembership.Event] = []
        var owned: Set<Int32> = []
    }

    let membership: KafkaMembership
    private let told: Told_

    private final class Told_: Sendable {
        let value = Mutex(Told())
    }

    init(
        _ configuration: KafkaConfiguration, group: String, topic: String, releases: Bool = true,
        onStatistics: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws {
        let told = Told_()
        self.told = told
        let holder = Holder()
        membership = try KafkaMembership(configuration, group: group, topic: topic, onStatistics: onStatistics) {
            event in
            told.value.withLock { told in
                told.events.append(event)
                switch event {
                case .assigned(let partitions): told.owned = partitions
                case .revoked, .lost: told.owned = []
                }
            }
            if releases, case .revoked = event { holder.membership.withLock { $0?.value?.released() } }
        }
        holder.membership.withLock { $0 = Weak(value: membership) }
    }

    private struct Weak { weak var value: KafkaMembership? }
    private final class Holder: Sendable { let membership = Mutex<Weak?>(nil) }

    var owned: Set<Int32> { told.value.withLock { $0.owned } }
    var events: [KafkaMembership.Event] { told.value.withLock { $0.events } }

    func owns(_ partitions: Set<Int32>) async -> Bool {
        await poll(deadline: .seconds(60)) { owned == partitions }
    }

    func commit(_ offsets: [TopicPartition: KafkaCommit]) async -> Result<Void, KafkaFailure> {
        await withCheckedContinuation { continuation in
            membership.commit(offsets) { continuation.resume(returning: $0) }
        }
    }
}
