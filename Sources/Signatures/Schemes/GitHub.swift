import Cryptography

extension SignatureScheme {
    /// `X-Hub-Signature-256: sha256=…` (GitHub, Validating webhook deliveries).
    package static let github = SignatureScheme(
        name: "github",
        header: "X-Hub-Signature-256",
        encoding: .hex,
        content: SignedContent(known: "{body}"),
        variants: [SignatureVariant(.hmac(.sha256), signaturePrefix: "sha256=")])
}
