import Cryptography
import HTTPTypes
import Signatures

/// Secrets in the form a scheme wants, and requests signed with them.
enum SchemeSamples {
    static let now: Int64 = 1_700_000_000
    static let tolerance = Duration.seconds(300)
    static let body = Array(#"{"event":"visitor.signin","name":"Zoë 🎫","note":"a=b.c|d,e;f"}"#.utf8)
    static let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
    static let url = "https://gatehouse.example/in/custom?a=b"
    /// What the receiver sees of it.
    static let target = "/in/custom?a=b"

    /// One secret for each way the scheme can sign.
    static func secrets(_ scheme: SignatureScheme, seed: UInt8 = 1) -> [NamedSecret] {
        scheme.variants.filter { $0.keyRole != .publicKey }.map { variant in
            let bytes = (0..<32).map { UInt8(truncatingIfNeeded: Int(seed) &* 31 &+ $0) }
            let value =
                switch variant.keyEncoding {
                case .utf8: "MySharedSecret\(seed)"
                case .base64: variant.keyPrefix + Base64.encode(bytes)
                case .hex: variant.keyPrefix + Hex.encode(bytes)
                }
            return NamedSecret(name: "SECRET_\(seed)", value: value)
        }
    }

    static func signed(
        _ scheme: SignatureScheme, _ secrets: [NamedSecret], at time: Int64 = now, body: [UInt8] = body
    ) throws -> HeaderFields {
        let signer = try SignatureSigner(scheme: scheme, secrets: secrets)
        return HeaderFields(signer.headers(body: body, id: id, url: url, timestampSeconds: time))
    }

    static func verify(
        _ scheme: SignatureScheme, _ secrets: [NamedSecret], _ headers: HeaderFields, body: [UInt8] = body,
        now: Int64 = now
    ) throws -> Result<VerifiedSignature, SignatureFailure> {
        try SignatureVerifier(scheme: scheme, secrets: secrets, tolerance: tolerance)
            .verify(headers: headers, url: target, body: body, nowSeconds: now)
    }
}

extension Result where Failure == SignatureFailure {
    var code: SignatureFailure.Code? {
        if case .failure(let failure) = self { failure.code } else { nil }
    }

    var success: Success? { try? get() }
}

extension SignatureScheme {
    /// Written out as configuration would, to stand in the conformance suite beside the named ones.
    static let freeForms: [SignatureScheme] = [
        SignatureScheme(
            name: "custom sha1", header: "x-sig", encoding: .hex, content: SignedContent(known: "{url}\n{body}"),
            variants: [SignatureVariant(.hmac(.sha1), keyEncoding: .hex)]),
        SignatureScheme(
            name: "custom sha512", header: "x-sig",
            layout: .positional(separator: UInt8(ascii: "|"), timestampFirst: false),
            encoding: .base64, timestamp: SignatureTimestamp(.position, unit: .milliseconds),
            content: SignedContent(known: "{ts}{body}"), variants: [SignatureVariant(.hmac(.sha512))]),
        SignatureScheme(
            name: "custom ed25519", header: "x-signature-ed25519", encoding: .hex,
            timestamp: SignatureTimestamp(.header("x-signature-timestamp")),
            content: SignedContent(known: "{ts}{body}"),
            variants: [SignatureVariant(.ed25519, keyEncoding: .hex, keyRole: .secretKey)]),
    ]
}
