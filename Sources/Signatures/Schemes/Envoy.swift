import Cryptography

extension SignatureScheme {
    /// `X-Envoy-Signature: BASE64` over the raw body, keyed with the client secret (the verifier of Envoy's SDK).
    package static let envoy = SignatureScheme(
        name: "envoy",
        header: "X-Envoy-Signature",
        encoding: .base64,
        content: SignedContent(known: "{body}"),
        variants: [SignatureVariant(.hmac(.sha256))])
}
