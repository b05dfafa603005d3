package import Addresses
import HTTPClient
import Kafka
package import YAML

/// `brokers:`, each `host:port`.
package struct KafkaBrokers: Sendable, Hashable {
    package private(set) var names: [String] = []
    /// For people: references as they are written.
    package private(set) var display: String

    /// Nil when errors were reported, or a reference has no value yet.
    /// - Parameter addressGuard: which literal addresses may be reached; nil: any.
    package init?(_ node: YAMLNode, _ addressGuard: AddressGuard?, _ diagnostics: inout Diagnostics) {
        var shown: [String] = []
        for element in node.list(&diagnostics) {
            guard let text = element.name(&diagnostics), let scalar = element.scalar, scalar.isResolved else {
                continue
            }
            guard let host = Self.host(text) else {
                diagnostics.error(
                    at: element.location, "expected host:port, such as kafka-1:9092, found `\(scalar.displayText)`")
                continue
            }
            if let addressGuard, !Endpoint.permits(host, element, addressGuard, &diagnostics) { continue }
            names.append(text)
            shown.append(displayable(scalar.reference ?? text))
        }
        display = shown.joined(separator: ",")
        if names.isEmpty { return nil }
    }

    private static func host(_ text: String) -> String? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let isHost = host.utf8.allSatisfy { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",") }
        return host.isEmpty || !isHost ? nil : String(host)
    }
}

/// Kafka's own rule for names of topics.
package enum KafkaTopicName {
    package static let longest = 249

    package static func isAllowed(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isPlain && 1...longest ~= name.utf8.count && name != "." && name != ".."
    }
}

/// `properties:`: whatever librdkafka knows, but for what promises rest on.
package enum ConfiguredProperties {
    /// Whose properties they are.
    package enum Owner: Sendable {
        case target, log
    }

    /// Those that everybody's promises rest on, and the key that says it instead.
    private static let ofAll: KeyValuePairs = [
        "bootstrap.servers": "`brokers:` says it", "metadata.broker.list": "`brokers:` says it",
        "acks": "every event is acknowledged by all in-sync replicas",
        "request.required.acks": "every event is acknowledged by all in-sync replicas",
        "enable.idempotence": "it is always on",
    ]

    private static let ofTargets: KeyValuePairs = [
        "message.timeout.ms": "`timeout:` says it", "delivery.timeout.ms": "`timeout:` says it",
    ]

    private static let ofLogs: KeyValuePairs = [
        "client.id": "`instance:` says it",
        "message.timeout.ms": "how long an acknowledgement may take is fixed",
        "delivery.timeout.ms": "how long an acknowledgement may take is fixed",
        "partitioner": "instances have to put a visitor's events into the same partition",
        "queuing.strategy": "order rests on it",
        "transactional.id": "there are no transactions",
        "group.id": "each target has a group of its own",
        "group.instance.id": "a stopped instance would keep its share of the work for a while",
        "group.protocol.type": "each target has a group of its own",
        "partition.assignment.strategy": "instances have to share the work in the same way",
        "auto.offset.reset": "a target's `start:` says it",
        "enable.auto.commit": "places are kept when what was read is finished",
        "auto.commit.enable": "places are kept when what was read is finished",
        "auto.commit.interval.ms": "places are kept when what was read is finished",
        "enable.auto.offset.store": "places are kept when what was read is finished",
        "offset.store.method": "places are kept when what was read is finished",
        "session.timeout.ms": "how soon an instance's work is taken over rests on it",
        "heartbeat.interval.ms": "how soon an instance's work is taken over rests on it",
        "max.poll.interval.ms": "how soon an instance's work is taken over rests on it",
        "enable.partition.eof": "the reader needs it",
        "isolation.level": "the reader needs it",
        "check.crcs": "what is damaged must be noticed",
        "allow.auto.create.topics": "`create_topics:` says it",
    ]

    /// The names that cannot be set, for the pages.
    package static func refused(by owner: Owner) -> [String] { reasons(owner).map(\.name).sorted() }

    private static func reasons(_ owner: Owner) -> [(name: String, reason: String)] {
        (Array(ofAll) + Array(owner == .log ? ofLogs : ofTargets)).map { ($0.key, $0.value) }
    }

    /// - Returns: their values, which may be secrets.
    package static func decode(
        _ node: YAMLNode?, for owner: Owner, _ diagnostics: inout Diagnostics
    ) -> [String: String] {
        let reasons = reasons(owner)
        var properties: [String: String] = [:]
        for entry in node?.mapping("properties", &diagnostics) ?? [] {
            let name = entry.name
            if let reason = reasons.first(where: { $0.name == name })?.reason {
                diagnostics.error(at: entry.key.location, "`\(name)` cannot be set: \(reason)")
                continue
            }
            guard let value = entry.value.string(&diagnostics), entry.value.scalar?.isResolved == true else { continue }
            if let flaw = KafkaConfiguration(brokers: [], properties: [name: value]).flaw() {
                diagnostics.error(at: entry.key.location, "`\(displayable(name))`: \(flaw.message)")
                continue
            }
            properties[name] = value
        }
        return properties
    }
}

/// `tls:` in librdkafka's words.
struct KafkaTLS {
    private(set) var properties: [String: String] = [:]

    init(_ settings: TargetSettings, _ node: YAMLNode?, _ diagnostics: inout Diagnostics) {
        guard let node else { return }
        let tls = settings.tls
        if tls.pinSHA256 != nil {
            diagnostics.error(at: node.location, "a Kafka client knows no `pin:`: give the authority with `ca:`")
        }
        properties["security.protocol"] = "ssl"
        properties["ssl.ca.location"] = tls.caFile
        properties["ssl.certificate.location"] = tls.certFile
        properties["ssl.key.location"] = tls.certFile == nil ? nil : tls.keyFile ?? tls.certFile
    }
}
