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

    @Test(
        "what is signed of a URL is what its receiver sees of it",
        arguments: [
            ("https://gate.example/in/a?b=c%20d", "/in/a?b=c%20d"), ("http://gate.example:8080", "/"),
            ("https://u:p@gate.example?x=1", "/?x=1"), ("https://gate.example/a#b", "/a"),
            ("https://[2001:db8::1]:1/in/ä", "/in/ä"), ("/in/a?b", "/in/a?b"), ("", ""),
        ])
    func url(_ url: String, _ expected: String) throws {
        let scheme = SignatureScheme(
            name: "custom", header: "x-sig", encoding: .hex, content: SignedContent(known: "{url} {body}"),
            variants: [SignatureVariant(.hmac(.sha256))])
        let secrets = [NamedSecret(name: "1", value: "secret")]
        let signed = try SignatureSigner(scheme: scheme, secrets: secrets).headers(
            body: [0x61], url: url, timestampSeconds: 0)
        let plain = try HMACKey(algorithm: .sha256, key: Array("secret".utf8))
        #expect(signed.map(\.value) == [Hex.encode(plain.authenticate(Array("\(expected) a".utf8)))])
        let verifier = try SignatureVerifier(scheme: scheme, secrets: secrets, tolerance: SchemeSamples.tolerance)
        #expect(
            verifier.verify(headers: HeaderFields(signed), url: expected, body: [0x61], nowSeconds: 0).success != nil)
    }

    @Test(
        "a text that is no key of the scheme is told from one, whatever it decodes to",
        arguments: [
            (SignatureScheme.standardWebhooks, "abc", "only 2 bytes"), (.standardWebhooks, "c2VjcmV0", "has no whsec_"),
            (.github, "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbf=", "half of a key pair"),
            (.stripe, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "half of a key pair"),
        ])
    func noKeys(_ scheme: SignatureScheme, _ secret: String, _ expected: String) {
        let secrets = [NamedSecret(name: "PARTNER", value: secret)]
        let error = #expect(throws: SignatureError.self) { try SignatureSigner(scheme: scheme, secrets: secrets) }
        #expect(error?.description.hasPrefix("secret PARTNER: ") == true && error?.message.contains(expected) == true)
        #expect(error?.description.contains(secret) == false)
        #expect(throws: SignatureError.self) {
            try SignatureVerifier(scheme: scheme, secrets: secrets, tolerance: SchemeSamples.tolerance)
        }
    }

    @Test("a secret made for Standard Webhooks serves other schemes, as it stands")
    func markedSecrets() throws {
        for scheme in [SignatureScheme.github, .stripe, .standardWebhooks] {
            let secrets = [NamedSecret(name: "1", value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
            let headers = try SchemeSamples.signed(scheme, secrets)
            #expect(try SchemeSamples.verify(scheme, secrets, headers).success != nil)
        }
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
