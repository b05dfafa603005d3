/// A block that is no ordinary destination on the public internet.
struct SpecialNetwork: Sendable {
    let network: IPNetwork
    /// What the block is, as it reads after "the address is".
    let kind: String

    init(_ cidr: StaticString, _ kind: String) {
        guard let network = IPNetwork("\(cidr)") else { preconditionFailure("not a network: \(cidr)") }
        self.network = network
        self.kind = kind
    }
}

/// The IANA special-purpose registries (RFC 6890 and what was added since), globally reachable ones included, which serve
/// protocols and no people, and the public address at which a cloud's own machinery answers every machine in it (its others
/// are link-local, unique local or CGNAT); most specific blocks first.
enum SpecialNetworks {
    static let ipv4: [SpecialNetwork] = [
        SpecialNetwork("127.0.0.0/8", "loopback"),
        SpecialNetwork("10.0.0.0/8", "private"),
        SpecialNetwork("172.16.0.0/12", "private"),
        SpecialNetwork("192.168.0.0/16", "private"),
        SpecialNetwork("169.254.0.0/16", "link-local"),
        SpecialNetwork("100.64.0.0/10", "CGNAT"),
        SpecialNetwork("224.0.0.0/4", "multicast"),
        SpecialNetwork("255.255.255.255/32", "broadcast"),
        SpecialNetwork("0.0.0.0/32", "unspecified"),
        SpecialNetwork("0.0.0.0/8", "this network"),
        SpecialNetwork("192.0.0.0/24", "reserved"),
        SpecialNetwork("192.0.2.0/24", "documentation"),
        SpecialNetwork("198.51.100.0/24", "documentation"),
        SpecialNetwork("203.0.113.0/24", "documentation"),
        SpecialNetwork("192.88.99.0/24", "6to4 relay"),
        SpecialNetwork("192.31.196.0/24", "AS112"),
        SpecialNetwork("192.175.48.0/24", "AS112"),
        SpecialNetwork("192.52.193.0/24", "AMT"),
        SpecialNetwork("198.18.0.0/15", "benchmarking"),
        SpecialNetwork("168.63.129.16/32", "Azure platform"),
        SpecialNetwork("240.0.0.0/4", "reserved"),
    ]

    static let ipv6: [SpecialNetwork] = [
        SpecialNetwork("::1/128", "loopback"),
        SpecialNetwork("::/128", "unspecified"),
        SpecialNetwork("::ffff:0:0/96", "IPv4-mapped"),
        SpecialNetwork("::ffff:0:0:0/96", "IPv4-translated"),
        SpecialNetwork("::/96", "IPv4-compatible"),
        SpecialNetwork("64:ff9b::/96", "NAT64"),
        SpecialNetwork("64:ff9b:1::/48", "NAT64"),
        SpecialNetwork("2002::/16", "6to4"),
        SpecialNetwork("2001::/32", "Teredo"),
        SpecialNetwork("2001:2::/48", "benchmarking"),
        SpecialNetwork("2001:3::/32", "AMT"),
        SpecialNetwork("2001:4:112::/48", "AS112"),
        SpecialNetwork("2620:4f:8000::/48", "AS112"),
        SpecialNetwork("100::/64", "discard-only"),
        SpecialNetwork("2001::/23", "reserved"),
        SpecialNetwork("2001:db8::/32", "documentation"),
        SpecialNetwork("3fff::/20", "documentation"),
        SpecialNetwork("fc00::/7", "unique local"),
        SpecialNetwork("fe80::/10", "link-local"),
        SpecialNetwork("fec0::/10", "site-local"),
        SpecialNetwork("ff00::/8", "multicast"),
    ]

    /// The only block IANA has given out for global unicast addresses (RFC 4291, section 2.4); the rest is reserved.
    static let globalUnicast = IPNetwork(around: IPAddress(high: 0x2000 << 48, low: 0), prefixLength: 3)

    /// What the address is, or nil for an ordinary public one.
    static func kind(of address: IPAddress) -> String? {
        if let special = (address.isIPv4 ? ipv4 : ipv6).first(where: { $0.network.contains(address) }) {
            return special.kind
        }
        return address.isIPv4 || globalUnicast.contains(address) ? nil : "reserved"
    }
}
