/// A block of addresses in CIDR notation (RFC 4632).
package struct IPNetwork: Hashable, Sendable {
    /// The lowest address of the block.
    package let base: IPAddress
    package let prefixLength: Int

    /// Reads `10.0.0.0/8`, `fc00::/7`, or one address alone (`/32` or `/128`). Bits set beyond the prefix
    /// (`10.1.2.3/8`) are refused, because they are a slip more often than not; `nearest(to:)` says what was meant.
    package init?(_ cidr: String) {
        guard let (address, prefixLength) = Self.parts(cidr), address.masked(to: prefixLength) == address else {
            return nil
        }
        base = address
        self.prefixLength = prefixLength
    }

    /// The block of this length around an address; the length is held within the address's width.
    package init(around address: IPAddress, prefixLength: Int) {
        self.prefixLength = min(max(prefixLength, 0), address.width)
        base = address.masked(to: self.prefixLength)
    }

    /// One address alone.
    init(only address: IPAddress) {
        self.init(around: address, prefixLength: address.width)
    }

    /// The network a refused text most likely means: `10.0.0.0/8` for `10.1.2.3/8`.
    package static func nearest(to cidr: String) -> IPNetwork? {
        parts(cidr).map { IPNetwork(around: $0.0, prefixLength: $0.1) }
    }

    /// Whether the address lies in the block. An IPv4 network holds no IPv4-mapped address: unmap it first.
    package func contains(_ address: IPAddress) -> Bool {
        base.shares(prefix: prefixLength, with: address)
    }

    private static func parts(_ cidr: String) -> (IPAddress, Int)? {
        let halves = cidr.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(halves[0])) else { return nil }
        guard halves.count == 2 else { return (address, address.width) }
        guard let prefixLength = AddressText.decimal(halves[1].utf8), prefixLength <= address.width else { return nil }
        return (address, Int(prefixLength))
    }
}

extension IPNetwork: CustomStringConvertible {
    package var description: String { "\(base)/\(prefixLength)" }
}
