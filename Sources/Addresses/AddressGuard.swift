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
        // Where an IPv4 address hides inside, naming the outer network opens nothing that the inner one would refuse.
        let embedded = address.embeddedIPv4
        let inner = embedded.lazy.compactMap { refusal(of: $0) }.first
        guard let kind = SpecialNetworks.kind(of: address) else {
            return inner.map { "ISATAP \($0)" }
        }
        if kind == "IPv4-mapped", embedded.allSatisfy(allows) { return nil }
        if allows(address), inner == nil { return nil }
        return inner.map { "\(kind) \($0)" } ?? kind
    }

    /// What must be allowed besides for the address to be permitted: `allow: [127.0.0.1/32]`.
    package func suggestion(for address: IPAddress) -> String {
        let address = address.unmapped
        var networks: [IPNetwork] = []
        if SpecialNetworks.kind(of: address) != nil, !allows(address) { networks.append(IPNetwork(only: address)) }
        for embedded in address.embeddedIPv4 where refusal(of: embedded) != nil {
            networks.append(IPNetwork(only: embedded))
        }
        // A public one in the form of another: itself.
        if networks.isEmpty { networks.append(IPNetwork(only: address)) }
        return "allow: [\(networks.map(\.description).joined(separator: ", "))]"
    }

    /// The indefinite article of what `refusal(of:)` gives.
    package static func article(_ kind: String) -> String {
        // `AS112` and `AMT` are spelt out, `unique` begins with a consonant.
        let vowels: [Character] = ["A", "I"]
        return kind.first.map(vowels.contains) == true || kind.hasPrefix("unspecified") ? "an" : "a"
    }

    private func allows(_ address: IPAddress) -> Bool {
        allow.contains { $0.contains(address) }
    }
}
