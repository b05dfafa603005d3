/// Every sender known by name.
package enum Vendors {
    package static let all: [any Vendor] = [
        SignInApp(),
        Sine(),
        Netgraph(),
        Alocity(),
        Envoy(),
        Generic(),
    ]

    /// The events of Gatehouse's own. It is no sender, and not among `all`.
    package static let own: any Vendor = OwnEvents()

    package static func named(_ name: String) -> (any Vendor)? {
        all.first { $0.name == name }
    }
}
