package import Addresses
internal import CRdKafka
internal import Glibc

/// How to reach a cluster.
package struct KafkaConfiguration: Sendable {
    /// `host:port`; some of the cluster's brokers, by which the others are found.
    package var brokers: [String]
    /// librdkafka's own properties, as the operator wrote them. Values may be secrets.
    package var properties: [String: String]
    /// Asked about every address before it is connected to; nil: any is good.
    package var addressGuard: AddressGuard?
    /// What brokers know this client by.
    package var clientID: String

    package init(
        brokers: [String], properties: [String: String] = [:], addressGuard: AddressGuard? = nil,
        clientID: String = "gatehouse"
    ) {
        self.brokers = brokers
        self.properties = properties
        self.addressGuard = addressGuard
        self.clientID = clientID
    }

    /// In an order that does not change from run to run.
    var sortedProperties: [(String, String)] { properties.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// The first of the properties that librdkafka does not take, and what it says of it. The value is not in it.
    package func flaw() -> (property: String, message: String)? {
        let properties = KafkaProperties()
        for (name, value) in sortedProperties {
            if let message = properties.set(name, value) { return (name, message) }
        }
        return nil
    }
}

/// librdkafka as it is on this machine.
package enum KafkaLibrary {
    package static var version: String { unsafe rd_kafka_version_str().map { unsafe String(cString: $0) } ?? "unknown" }

    /// Before 2.6.1 it sends its nonce twice (RFC 5802, section 5.1), which brokers accept up to Kafka 3.
    package static var speaksSCRAM: Bool { rd_kafka_version() >= 0x0206_01ff }
}

/// Properties on their way into a client.
@safe final class KafkaProperties {
    /// Nil once a client has taken them over.
    private(set) var pointer: OpaquePointer?

    init() {
        unsafe pointer = rd_kafka_conf_new()
    }

    deinit {
        if let pointer = unsafe pointer { unsafe rd_kafka_conf_destroy(pointer) }
    }

    /// - Returns: what is wrong, without the value; nil when it was taken.
    func set(_ name: String, _ value: String) -> String? {
        guard let pointer = unsafe pointer else { return "the client exists already" }
        var text = [CChar](repeating: 0, count: 512)
        let result = unsafe rd_kafka_conf_set(pointer, name, value, &text, text.count)
        switch result {
        case RD_KAFKA_CONF_OK: return nil
        case RD_KAFKA_CONF_UNKNOWN: return "librdkafka has no such property"
        default: return "librdkafka does not take this value for it"
        }
    }

    func takenOver() {
        unsafe pointer = nil
    }
}
