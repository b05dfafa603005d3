internal import Addresses
internal import HTTPServer
internal import YAML

extension HTTPListenAddress {
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> HTTPListenAddress? {
        guard let text = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        do throws(HTTPServerError) {
            return try HTTPListenAddress(parsing: text)
        } catch {
            // The reason quotes the text: not one that is secret, too long or hostile to a terminal.
            let isQuotable = scalar.reference == nil && displayable(text) == text
            diagnostics.error(
                at: node.location,
                isQuotable
                    ? error.message
                    : "expected an address and a port such as 127.0.0.1:8080, found `\(displayable(scalar.displayText))`"
            )
            return nil
        }
    }
}

extension ListenSettings {
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> ListenSettings? {
        guard node.entries != nil else {
            return HTTPListenAddress.decode(node, &diagnostics).map { ListenSettings(address: $0) }
        }
        guard var reader = MappingReader(node, "listen", &diagnostics) else { return nil }
        let address = reader.required("address", &diagnostics).flatMap { HTTPListenAddress.decode($0, &diagnostics) }
        let tls = reader.optional("tls").flatMap { HTTPServerTLS.decode($0, &diagnostics) }
        let proxies = reader.optional("trusted_proxies").map { networks($0, &diagnostics) }
        let connections = reader.optional("connections")?.integer(in: 1...1_000_000, &diagnostics)
        reader.finish(&diagnostics)
        guard let address else { return nil }
        var settings = ListenSettings(address: address, tls: tls, trustedProxies: proxies ?? [])
        if let connections { settings.connections = connections }
        return settings
    }
}

extension HTTPServerTLS {
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> HTTPServerTLS? {
        guard var reader = MappingReader(node, "tls", &diagnostics) else { return nil }
        let certificate = reader.required("cert", &diagnostics)?.path(&diagnostics)
        let key = reader.required("key", &diagnostics)?.path(&diagnostics)
        reader.finish(&diagnostics)
        guard let certificate, let key else { return nil }
        return HTTPServerTLS(certificatePath: certificate, keyPath: key)
    }
}

/// One network or a list of them.
func networks(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [IPNetwork] {
    var result: [IPNetwork] = []
    for element in node.list(&diagnostics) {
        guard let text = element.name(&diagnostics), element.scalar?.isResolved ?? false else { continue }
        if let network = IPNetwork(text) {
            result.append(network)
        } else {
            diagnostics.error(
                at: element.location,
                "expected a network such as 192.0.2.0/24, found `\(element.scalar?.displayText ?? "")`")
        }
    }
    return result
}
