/// Every scheme known by name.
package enum SignatureSchemes {
    package static let all: [SignatureScheme] = [
        .signinapp,
        .alocity,
        .envoy,
        .standardWebhooks,
        .github,
        .stripe,
        .slack,
        .shopify,
        .verkada,
    ]

    package static func named(_ name: String) -> SignatureScheme? {
        all.first { $0.name == name }
    }
}
