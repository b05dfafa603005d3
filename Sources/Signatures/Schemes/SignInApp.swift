import Cryptography

extension SignatureScheme {
    /// `x-signinapp-webhook-signature: t=…,s1=…` (Sign In App, Webhooks, Signature Verification).
    package static let signinapp = SignatureScheme(
        name: "signinapp",
        header: "x-signinapp-webhook-signature",
        layout: .parts(separators: [UInt8(ascii: ",")], written: ","),
        encoding: .hex,
        timestamp: SignatureTimestamp(.part(prefix: "t=")),
        content: SignedContent(known: "{ts}.{body}"),
        variants: [SignatureVariant(.hmac(.sha256), signaturePrefix: "s1=")])
}
