/// The IPv4 addresses inside IPv6 ones: where a translator or a tunnel on the way makes traffic end.
extension IPAddress {
    /// Those that traffic to this address may end at; empty where there is none. What is not a whole IPv4 address by its
    /// form is none.
    var embeddedIPv4: [IPAddress] {
        guard !isIPv4 else { return [] }
        switch SpecialNetworks.kind(of: self) {
        // RFC 4291, section 2.5.5; RFC 2765, section 2.1; RFC 6052, section 2.1.
        case "IPv4-mapped", "IPv4-translated", "IPv4-compatible": return [lastFourBytes]
        case "NAT64": return translated
        // RFC 3056, section 2.
        case "6to4": return [IPAddress(ipv4: UInt32(truncatingIfNeeded: high >> 16))]
        // RFC 4380, section 4: the server, and the client behind its NAT with every bit turned over.
        case "Teredo":
            return [
                IPAddress(ipv4: UInt32(truncatingIfNeeded: high)), IPAddress(ipv4: ~UInt32(truncatingIfNeeded: low)),
            ]
        default: return isISATAP ? [lastFourBytes] : []
        }
    }

    /// RFC 5214, section 6.1: the interface's id is `0:5efe` or, for a global address, `200:5efe`, then the IPv4 address.
    var isISATAP: Bool { low >> 32 & ~0x0200_0000 == 0x0000_5efe }

    private var lastFourBytes: IPAddress { IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) }

    /// RFC 6052, section 2.2. How long the prefix is, nobody but the translator knows: with anything between a /48 and the
    /// last four bytes it may be /48, /56 or /64, and the middle byte of those is skipped.
    private var translated: [IPAddress] {
        let middle = (high & 0xffff) << 32 | low >> 32
        guard middle != 0 else { return [lastFourBytes] }
        let (ending, beginning) = (UInt32(truncatingIfNeeded: high), low << 8)
        let readings = [
            IPAddress(ipv4: ending << 16 | UInt32(truncatingIfNeeded: beginning >> 48)),
            IPAddress(ipv4: ending << 24 | UInt32(truncatingIfNeeded: beginning >> 40)),
            IPAddress(ipv4: UInt32(truncatingIfNeeded: beginning >> 32)), lastFourBytes,
        ]
        return readings.filter { $0.low != 0 }
    }
}
