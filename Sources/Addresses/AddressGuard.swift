/// Decides which addresses a target may be reached at: public ones, and what the target's own `allow:` names.
///
/// Every resolved address is asked about, and the very address that was asked about is connected to.
package struct AddressGuard: Sendable, Hashable {
    package let allow: [IPNetwork]

    package init(allow: [IPNetwork] = []) {
        self.allow = allow
    }

    /// Why the address must not be connected to (`loopback`, `private`, `IPv4-mapped loopback`, …); nil when it may.
    package func refusal(of address: IPAddress) -> String? {
        guard let kind = SpecialNetworks.kind(of: address) else { return nil }
        guard let embedded = Self.embeddedIPv4(in: address) else { return allows(address) ? nil : kind }
        // Where an IPv4 address hides inside, naming the outer network opens nothing that the inner one would refuse.
        if kind == "IPv4-mapped", allows(embedded) { return nil }
        let inner = refusal(of: embedded)
        if allows(address), inner == nil { return nil }
        return inner.map { "\(kind) \($0)" } ?? kind
    }

    /// The setting that would permit the address: `allow: [127.0.0.1/32]`.
    package static func suggestion(for address: IPAddress) -> String {
        let address = address.unmapped
        return "allow: [\(IPNetwork(around: address, prefixLength: address.width))]"
    }

    private func allows(_ address: IPAddress) -> Bool {
        allow.contains { $0.contains(address) }
    }

    /// The IPv4 address that traffic to this IPv6 address ends at: the mapped, translated and compatible forms,
    /// NAT64 (RFC 6052, section 2.1) and 6to4 (RFC 3056, section 2).
    private static func embeddedIPv4(in address: IPAddress) -> IPAddress? {
        guard !address.isIPv4 else { return nil }
        if address.high >> 48 == 0x2002 {
            return IPAddress(ipv4: UInt32(truncatingIfNeeded: address.high >> 16))
        }
        let endsInIPv4 = ["IPv4-mapped", "IPv4-translated", "IPv4-compatible", "NAT64"]
        guard let kind = SpecialNetworks.kind(of: address), endsInIPv4.contains(kind) else { return nil }
        return IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low))
    }
}
