import Addresses
import HTTPClient
import Kafka
import YAML

/// `brokers:`, each `host:port`.
struct KafkaBrokers {
    var names: [String] = []
    /// For people: references as they are written.
    var display: String

    /// Nil when errors were reported, or a reference has no value yet.
    init?(_ node: YAMLNode, _ addressGuard: AddressGuard, _ diagnostics: inout Diagnostics) {
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
            guard Endpoint.permits(host, element, addressGuard, &diagnostics) else { continue }
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

/// `properties:`: whatever librdkafka knows, but for what the target's promises rest on.
enum ConfiguredProperties {
    /// And the key that says it instead.
    private static let ours: KeyValuePairs = [
        "bootstrap.servers": "`brokers:` says it", "metadata.broker.list": "`brokers:` says it",
        "message.timeout.ms": "`timeout:` says it", "delivery.timeout.ms": "`timeout:` says it",
        "acks": "every event is acknowledged by all in-sync replicas",
        "request.required.acks": "every event is acknowledged by all in-sync replicas",
        "enable.idempotence": "it is always on",
    ]

    static func decode(_ node: YAMLNode?, _ diagnostics: inout Diagnostics) -> [String: String] {
        var properties: [String: String] = [:]
        for entry in node?.mapping("properties", &diagnostics) ?? [] {
            let name = entry.name
            if let reason = ours.first(where: { $0.key == name })?.value {
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
