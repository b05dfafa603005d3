/// The reverse proxies whose word about a client's address is believed.
package struct TrustedProxies: Sendable, Hashable {
    private let networks: [IPNetwork]

    package init(_ networks: [IPNetwork]) {
        self.networks = networks
    }

    /// The client's address: `X-Forwarded-For` is walked from its right end, each entry being what the trusted proxy
    /// to its right saw, up to the first address that is no trusted proxy. What stands further left is the
    /// client's own claim and is not read.
    ///
    /// - Parameters:
    ///   - peer: The other end of the connection.
    ///   - forwardedFor: The values of every `X-Forwarded-For` field, in the order received.
    /// - Returns: The client's address, IPv4-mapped ones unmapped; `peer` when an entry on the way is not an address.
    package func client(peer: IPAddress, forwardedFor: [String]) -> IPAddress {
        let peer = peer.unmapped
        var client = peer
        for value in forwardedFor.reversed() {
            for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard isTrusted(client) else { return client }
                guard let address = Self.address(entry) else { return peer }
                client = address
            }
        }
        return client
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// An entry is an address; some proxies add the port (`192.0.2.1:4711`, `[2001:db8::1]:4711`).
    private static func address(_ entry: Substring) -> IPAddress? {
        var text = entry.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]"), isPort(text[text.index(after: end)...], mayBeAbsent: true) else {
                return nil
            }
            let inside = IPAddress(String(text[text.index(after: text.startIndex)..<end]))
            return inside.flatMap { $0.isIPv4 ? nil : $0.unmapped }
        }
        if let colon = text.firstIndex(of: ":"), text[..<colon].contains(".") {
            guard isPort(text[colon...], mayBeAbsent: false) else { return nil }
            text = text[..<colon]
        }
        return IPAddress(String(text))?.unmapped
    }

    private static func isPort(_ text: Substring, mayBeAbsent: Bool) -> Bool {
        if text.isEmpty { return mayBeAbsent }
        let digits = text.dropFirst()
        return text.first == ":" && (1...5).contains(digits.utf8.count)
            && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
