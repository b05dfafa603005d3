import Cryptography

extension SignatureScheme {
    /// `Verkada-Signature: TIMESTAMP|HEX` (Verkada, Webhook signature validation).
    package static let verkada = SignatureScheme(
        name: "verkada",
        header: "Verkada-Signature",
        layout: .positional(separator: UInt8(ascii: "|"), timestampFirst: true),
        encoding: .hex,
        timestamp: SignatureTimestamp(.position),
        content: SignedContent(known: "{body}|{ts}"),
        variants: [SignatureVariant(.hmac(.sha256))])
}
