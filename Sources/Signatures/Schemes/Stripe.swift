import Cryptography

extension SignatureScheme {
    /// `Stripe-Signature: t=…,v1=…,v1=…` (Stripe, Verify webhook signatures manually).
    package static let stripe = SignatureScheme(
        name: "stripe",
        header: "Stripe-Signature",
        layout: .parts(separators: [UInt8(ascii: ",")], written: ","),
        encoding: .hex,
        timestamp: SignatureTimestamp(.part(prefix: "t=")),
        content: SignedContent(known: "{ts}.{body}"),
        variants: [SignatureVariant(.hmac(.sha256), signaturePrefix: "v1=")])
}
