import Cryptography

extension SignatureScheme {
    /// `Alocity-Signature: t:…,sig:…` (Alocity Selfie, Signed Header). What separates the two is not documented, so
    /// everything plausible is taken.
    package static let alocity = SignatureScheme(
        name: "alocity",
        header: "Alocity-Signature",
        layout: .parts(separators: Array(",; \t".utf8), written: ","),
        encoding: .base64,
        timestamp: SignatureTimestamp(.part(prefix: "t:")),
        content: SignedContent(known: "{ts}.{body}"),
        variants: [SignatureVariant(.hmac(.sha256), signaturePrefix: "sig:")])
}
