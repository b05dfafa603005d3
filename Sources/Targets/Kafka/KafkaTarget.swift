import Addresses
import Events
import Glibc
import HTTPClient
import JSON
import Kafka
import Synchronization
package import YAML

/// `kafka`: a topic of some cluster, by the CloudEvents Kafka protocol binding, version 1.0.2.
package struct KafkaTargetType: TargetType {
    package let name = "kafka"

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        let mode =
            reader.optional("format")?.choice(of: KafkaContentMode.allCases.map(\.rawValue), &diagnostics)
            .flatMap(KafkaContentMode.init(rawValue:)) ?? .binary
        let own = KafkaTLS(settings, reader["tls"], &diagnostics).properties
        let properties = ConfiguredProperties.decode(reader.optional("properties"), for: .target, &diagnostics)
        let brokersNode = reader.required("brokers", &diagnostics)
        let topicNode = reader.required("topic", &diagnostics)
        guard let brokers = brokersNode.flatMap({ KafkaBrokers($0, settings.addressGuard, &diagnostics) }),
            let topic = topicNode.flatMap({ Self.topic($0, &diagnostics) })
        else { return nil }
        let configuration = KafkaConfiguration(
            brokers: brokers.names, properties: own.merging(properties) { _, written in written },
            addressGuard: settings.addressGuard)
        return KafkaBlueprint(
            settings: settings, configuration: configuration, topic: topic, mode: mode,
            destination: "kafka://\(brokers.display)/\(topic)", policy: ContentPolicy(settings))
    }

    private static func topic(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let topic = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        guard KafkaTopicName.isAllowed(topic) else {
            diagnostics.error(
                at: node.location,
                "a topic's name is at most 249 letters, digits, dots, underscores and hyphens, found `\(scalar.displayText)`"
            )
            return nil
        }
        return topic
    }
}

/// Section 3 of the binding.
enum KafkaContentMode: String, CaseIterable, Sendable {
    /// `data` as the value, the other attributes as `ce_…` headers.
    case binary
    /// The whole event as the value.
    case structured
}

struct KafkaBlueprint: TargetBlueprint, RenderableBlueprint {
    let settings: TargetSettings
    let configuration: KafkaConfiguration
    let topic: String
    let mode: KafkaContentMode
    let destination: String
    let policy: ContentPolicy

    func make(_ context: TargetContext) throws -> any Target {
        try settings.tls.checkFiles(of: settings.name)
        do throws(KafkaFailure) {
            return KafkaTarget(self, try KafkaProducer(configuration, timeout: settings.timeout))
        } catch {
            throw TargetError("target \(settings.name): \(error.message)")
        }
    }

    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        .record(record(of: events[0]))
    }

    func record(of outgoing: OutgoingEvent) -> KafkaRecord {
        let event = outgoing.event
        var headers: [KafkaRecord.Header]
        switch mode {
        case .binary: headers = CloudEvents.recordHeaders(of: event)
        case .structured: headers = [KafkaRecord.Header("content-type", CloudEvents.structuredType)]
        }
        if let replay = outgoing.replay { headers.append(KafkaRecord.Header("gatehouse-replay", "\(replay)")) }
        if outgoing.test != nil { headers.append(KafkaRecord.Header("gatehouse-test", "true")) }
        return KafkaRecord(
            topic: topic, key: event.attribute("partitionkey").map { Array($0.utf8) }, headers: headers,
            value: mode == .binary ? policy.data(of: event) : policy.payload(of: event))
    }
}

extension CloudEvents {
    /// The attributes of binary content mode as record headers (Kafka protocol binding, section 3.2); the key is a record's
    /// own.
    fileprivate static func recordHeaders(of event: EventView) -> [KafkaRecord.Header] {
        let tape = event.tape
        var headers: [KafkaRecord.Header] = []
        for (key, value) in tape.members(tape.root) where value != event.data {
            guard let name = tape.text(key), let text = tape.scalarText(value) else { continue }
            headers.append(KafkaRecord.Header(name == "datacontenttype" ? "content-type" : "ce_\(name)", text))
        }
        if !headers.contains(where: { $0.name == "content-type" }) {
            headers.append(KafkaRecord.Header("content-type", "application/json"))
        }
        return headers
    }
}

/// Publishes one record an event; librdkafka puts those that wait together into batches of its own.
final class KafkaTarget: Target {
    private let blueprint: KafkaBlueprint
    private let producer: KafkaProducer

    init(_ blueprint: KafkaBlueprint, _ producer: KafkaProducer) {
        self.blueprint = blueprint
        self.producer = producer
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        let started = ContinuousClock.now
        let record = blueprint.record(of: outgoing)
        let bytes = record.value ?? []
        outgoing.test?.sends(TargetRendition(.record(record), of: blueprint, showsSignature: false))
        producer.send(record) { [blueprint] result in
            let duration = started.duration(to: .now)
            let outcome: DeliveryOutcome =
                switch result {
                case .success: .delivered(DeliveryReceipt(duration: duration, bytes: bytes.count))
                case .failure(let failure): .failed(FailureClassification.failure(failure, duration))
                }
            completion(
                outcome.carrying(
                    Exchange(bytes, version: blueprint.settings.version, isKept: !outcome.isDelivered)))
        }
    }

    func close() {
        producer.close()
    }
}

extension FailureClassification {
    fileprivate static func failure(_ failure: KafkaFailure, _ duration: Duration) -> DeliveryFailure {
        DeliveryFailure(
            code: failure.code == "address_refused" ? failure.code : "kafka_\(failure.code)",
            message: failure.message, blame: failure.concern == .record ? .event : .target, duration: duration)
    }
}

extension TLSOptions {
    /// - Throws: for a file that cannot be read, as the library says no more than that it could not be made.
    fileprivate func checkFiles(of target: String) throws(TargetError) {
        let files = [("tls.ca", caFile), ("tls.cert", certFile), ("tls.key", keyFile)]
        for case (let key, let path?) in files where unsafe access(path, R_OK) != 0 {
            throw TargetError("target \(target): \(key): \(displayable(path)): \(systemMessage(errno))")
        }
    }
}
