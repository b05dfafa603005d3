import Cryptography
import HTTPTypes
import Signatures
import Testing

/// Signatures that others published, or that a second implementation of HMAC makes.
@Suite struct VectorTests {
    @Test(
        "the published Standard Webhooks vectors are made and taken",
        arguments: [
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            (
                "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
                "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
            ),
        ])
    func standardWebhooks(_ secret: String, _ signature: String) throws {
        let body = Array(#"{"test": 2432232314}"#.utf8)
        let secrets = [NamedSecret(name: "1", value: secret)]
        let signer = try SignatureSigner(scheme: .standardWebhooks, secrets: secrets)
        let headers = HeaderFields(
            signer.headers(body: body, id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1_614_265_330))
        #expect(headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(headers["webhook-timestamp"] == "1614265330")
        #expect(headers["webhook-signature"] == signature)
        let verifier = try SignatureVerifier(
            scheme: .standardWebhooks, secrets: secrets, tolerance: SchemeSamples.tolerance)
        let verified = try verifier.verify(headers: headers, body: body, nowSeconds: 1_614_265_330).get()
        #expect(verified.id == "msg_p5jXN8AQM9LWM0D4loKWxJek")
    }

    @Test("a public key verifies what its secret key signed, and cannot sign")
    func publicKey() throws {
        let key = try Ed25519PrivateKey(seed: randomBytes(32))
        let publicKey = NamedSecret(name: "public", value: "whpk_" + Base64.encode(key.publicKey))
        let seed = randomBytes(32)
        let pair = try Ed25519PrivateKey(seed: seed)
        let secret = NamedSecret(name: "secret", value: "whsk_" + Base64.encode(seed + pair.publicKey))
        let matching = NamedSecret(name: "matching", value: "whpk_" + Base64.encode(pair.publicKey))
        let headers = try SchemeSamples.signed(.standardWebhooks, [secret])
        #expect(
            try SchemeSamples.verify(.standardWebhooks, [publicKey, matching], headers).get().secretName == "matching")
        #expect(try SchemeSamples.verify(.standardWebhooks, [publicKey], headers).code == .signatureMismatch)
        let error = #expect(throws: SignatureError.self) {
            try SignatureSigner(scheme: .standardWebhooks, secrets: [publicKey])
        }
        #expect(error?.description == "secret public: a public key cannot sign; give the secret key")
    }

    @Test("a v1 signature does not pass as v1a, nor the other way round")
    func versionsAreKeptApart() throws {
        let secrets = SchemeSamples.secrets(.standardWebhooks)
        let shared = try SchemeSamples.signed(.standardWebhooks, [secrets[0]])
        var renamed = shared
        renamed.set("webhook-signature", "v1a," + (shared["webhook-signature"] ?? "").dropFirst(3))
        #expect(try SchemeSamples.verify(.standardWebhooks, [secrets[0]], renamed).code == .signatureMismatch)
        #expect(try SchemeSamples.verify(.standardWebhooks, [secrets[1]], shared).code == .signatureMismatch)
    }

    /// Codes computed with Python's hmac module.
    static let made: [(SignatureScheme, HeaderFields)] = [
        (
            .signinapp,
            [
                "x-signinapp-webhook-signature":
                    "t=1644316744,s1=b3e45fcf238ab1980b06add0a49d402ea6c4717437767d9efc8b943b910bf6b4"
            ]
        ),
        (
            .alocity,
            [
                "Alocity-Signature": "t:1644316744,sig:s+RfzyOKsZgLBq3QpJ1ALqbEcXQ3dn2e/IuUO5EL9rQ="
            ]
        ),
        (
            .envoy,
            [
                "X-Envoy-Signature": "0ddHwxYnsfnM0JLu8kUp+cWdVLWXF69s/64vAgZS9UA="
            ]
        ),
        (
            .github,
            [
                "X-Hub-Signature-256": "sha256=d1d747c31627b1f9ccd092eef24529f9c59d54b59717af6cffae2f020652f540"
            ]
        ),
        (
            .stripe,
            [
                "Stripe-Signature": "t=1644316744,v1=b3e45fcf238ab1980b06add0a49d402ea6c4717437767d9efc8b943b910bf6b4"
            ]
        ),
        (
            .slack,
            [
                "X-Slack-Request-Timestamp": "1644316744",
                "X-Slack-Signature": "v0=cb2100721af621e7ffe1c23cf3de6ec285567000241b73c500bf148fc3f979c9",
            ]
        ),
        (
            .shopify,
            [
                "X-Shopify-Hmac-Sha256": "0ddHwxYnsfnM0JLu8kUp+cWdVLWXF69s/64vAgZS9UA="
            ]
        ),
        (
            .verkada,
            [
                "Verkada-Signature": "1644316744|f2edfa84c3a23a63d4a8d39dbfa055714656684a016e8a17153ff84ae30580dc"
            ]
        ),
    ]

    @Test("every named scheme reads its sender's own header", arguments: made)
    func others(_ scheme: SignatureScheme, _ headers: HeaderFields) throws {
        let secrets = [NamedSecret(name: "1", value: "MySharedSecret")]
        let body = Array(#"{"event":"visitor.signin"}"#.utf8)
        let verifier = try SignatureVerifier(scheme: scheme, secrets: secrets, tolerance: SchemeSamples.tolerance)
        #expect(verifier.verify(headers: headers, body: body, nowSeconds: 1_644_316_744).success != nil)
        let signer = try SignatureSigner(scheme: scheme, secrets: secrets)
        #expect(HeaderFields(signer.headers(body: body, timestampSeconds: 1_644_316_744)) == headers)
    }
}
