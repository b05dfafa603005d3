import Cryptography

extension SignatureScheme {
    /// `X-Slack-Signature: v0=…` and `X-Slack-Request-Timestamp` (Slack, Verifying requests).
    package static let slack = SignatureScheme(
        name: "slack",
        header: "X-Slack-Signature",
        encoding: .hex,
        timestamp: SignatureTimestamp(.header("X-Slack-Request-Timestamp")),
        content: SignedContent(known: "v0:{ts}:{body}"),
        variants: [SignatureVariant(.hmac(.sha256), signaturePrefix: "v0=")])
}
