import Cryptography

extension SignatureScheme {
    /// `X-Shopify-Hmac-Sha256: BASE64` (Shopify, Validate the origin of your webhook).
    package static let shopify = SignatureScheme(
        name: "shopify",
        header: "X-Shopify-Hmac-Sha256",
        encoding: .base64,
        content: SignedContent(known: "{body}"),
        variants: [SignatureVariant(.hmac(.sha256))])
}
