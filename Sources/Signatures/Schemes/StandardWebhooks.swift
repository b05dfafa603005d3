import Cryptography

extension SignatureScheme {
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,… v1a,…` (Standard Webhooks, Signature scheme).
    /// `whsec_` is for shared keys (v1); `whsk_` and `whpk_` for Ed25519 (v1a).
    package static let standardWebhooks = SignatureScheme(
        name: "standard-webhooks",
        header: "webhook-signature",
        layout: .parts(separators: [UInt8(ascii: " ")], written: " "),
        encoding: .base64,
        timestamp: SignatureTimestamp(.header("webhook-timestamp")),
        idHeader: "webhook-id",
        content: SignedContent(known: "{id}.{ts}.{body}"),
        variants: [
            SignatureVariant(
                .hmac(.sha256), signaturePrefix: "v1,", keyEncoding: .base64, keyPrefix: "whsec_"),
            SignatureVariant(
                .ed25519, signaturePrefix: "v1a,", keyEncoding: .base64, keyPrefix: "whsk_", keyRole: .secretKey),
            SignatureVariant(
                .ed25519, signaturePrefix: "v1a,", keyEncoding: .base64, keyPrefix: "whpk_", keyRole: .publicKey),
        ])
}
