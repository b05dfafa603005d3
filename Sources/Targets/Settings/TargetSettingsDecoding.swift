import Addresses
import Events
import FieldPolicies
import Glibc
import HTTPClient
import YAML

extension TargetSettings {
    /// Reads the keys that all types share.
    mutating func decode(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        description = reader.optional("description")?.string(&diagnostics)
        enabled = reader.optional("enabled")?.boolean(&diagnostics) ?? enabled
        start = reader.optional("start").flatMap { Self.start($0, &diagnostics) } ?? start
        allow = reader.optional("allow").map { Self.networks($0, &diagnostics) } ?? allow
        concurrency = reader.optional("concurrency")?.integer(in: 1...1024, &diagnostics) ?? concurrency
        timeout =
            reader.optional("timeout")?.duration(in: .milliseconds(100) ... .seconds(600), &diagnostics) ?? timeout
        attempts = reader.optional("attempts")?.integer(in: 1...1000, &diagnostics) ?? attempts
        giveUpAfter =
            reader.optional("give_up_after")?
            .duration(in: .seconds(1) ... .seconds(36_525 * 86_400), &diagnostics)
        rate = reader.optional("rate").flatMap { Self.rate($0, &diagnostics) }
        order =
            reader.optional("order")?.choice(of: DeliveryOrder.allCases.map(\.rawValue), &diagnostics)
            .flatMap(DeliveryOrder.init(rawValue:)) ?? order
        sendsOriginal = reader.optional("original")?.boolean(&diagnostics) ?? sendsOriginal
        sendsBiometrics = reader.optional("biometrics")?.choice(of: ["send"], &diagnostics) != nil
        decodePolicy(&reader, &diagnostics)
        admission = AdmissionSettings(&reader, &diagnostics)
        if let node = reader.optional("tls") { tls = Self.tls(node, &diagnostics) }
    }

    private mutating func decodePolicy(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        fieldPolicy = FieldPolicy.decode(&reader, at: .target, &diagnostics)
        guard FieldPolicy.keys.contains(where: { reader[$0] != nil }) else { return }
        if let node = reader["original"], sendsOriginal {
            diagnostics.error(
                at: node.location,
                "under a field policy (\(FieldPolicy.keys.joined(separator: ", "))) the sender's own payload, which holds the same things under names of its own, is never sent; leave `original:` out"
            )
        }
        if let node = reader["biometrics"] {
            diagnostics.error(
                at: node.location,
                "biometrics stand in the sender's own payload, which no target under a field policy gets")
        }
        sendsOriginal = false
    }

    private static func rate(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RateLimit? {
        guard let text = node.string(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        if let rate = RateLimit(text) { return rate }
        diagnostics.error(
            at: node.location,
            "expected a rate such as 100/s, 190/10s or 5/m, over a day at most, found `\(scalar.displayText)`")
        return nil
    }

    private static func start(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> StartPosition? {
        guard let text = node.string(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        switch text {
        case "now": return .now
        case "beginning": return .beginning
        default:
            if let time = Timestamp(text) { return .time(time) }
            diagnostics.error(
                at: node.location,
                "expected now, beginning or a time such as 2026-01-31T08:00:00Z, found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? nearest(text, among: ["now", "beginning"]) : nil)
            return nil
        }
    }

    private static func networks(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [IPNetwork] {
        node.list(&diagnostics).compactMap { element in
            guard let text = element.string(&diagnostics), let scalar = element.scalar, scalar.isResolved else {
                return nil
            }
            if let network = IPNetwork(text) { return network }
            diagnostics.error(
                at: element.location,
                "expected a network such as 10.0.0.0/8 or fd00::/8, found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? IPNetwork.nearest(to: text)?.description : nil)
            return nil
        }
    }

    static func tls(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> TLSOptions {
        var options = TLSOptions()
        guard var reader = MappingReader(node, "tls", &diagnostics) else { return options }
        options.caFile = reader.optional("ca")?.path(&diagnostics)
        options.certFile = reader.optional("cert")?.path(&diagnostics)
        options.keyFile = reader.optional("key")?.path(&diagnostics)
        options.pinSHA256 = reader.optional("pin").flatMap { pin($0, &diagnostics) }
        if options.keyFile != nil, reader.node["cert"] == nil {
            diagnostics.error(at: node.location, "`key:` is the key of a client certificate: add `cert:`")
        }
        reader.finish(&diagnostics)
        return options
    }

    private static func pin(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let text = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        if CertificatePin(text) != nil { return text }
        diagnostics.error(
            at: node.location,
            "expected sha256//… (the Base64 of the public key's SHA-256) or a certificate's SHA-256 in hexadecimal, found `\(scalar.displayText)`"
        )
        return nil
    }
}
