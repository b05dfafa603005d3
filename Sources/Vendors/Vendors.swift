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

    package static func named(_ name: String) -> (any Vendor)? {
        all.first { $0.name == name }
    }
}
