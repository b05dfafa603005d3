import Cryptography
import HTTPTypes
import Signatures
import Testing
import YAML

@Suite struct SchemeConfigurationTests {
    private func read(_ text: String) throws -> (SignatureScheme?, [String]) {
        let node = try #require(try parseYAML(Array(text.utf8), file: "g.yaml"))
        var diagnostics = Diagnostics()
        let scheme = SignatureScheme(yaml: node, &diagnostics)
        return (scheme, diagnostics.all.map(\.description))
    }

    @Test("every scheme is known by its name", arguments: SignatureSchemes.all)
    func named(_ scheme: SignatureScheme) throws {
        let (found, errors) = try read("{scheme: \(scheme.name)}")
        #expect(found == scheme)
        #expect(errors.isEmpty)
        #expect(try read(scheme.name).0 == scheme)
    }

    @Test("the names are the ones people write in their files")
    func names() {
        #expect(
            SignatureSchemes.all.map(\.name) == [
                "signinapp", "alocity", "envoy", "standard-webhooks", "github", "stripe", "slack", "shopify", "verkada",
            ])
    }

    @Test("the free form can say what every scheme with one kind of key says")
    func freeForms() throws {
        let written: [(SignatureScheme, String)] = [
            (
                .signinapp,
                "{header: x-signinapp-webhook-signature, separator: ',', prefix: s1=, timestamp: t=, content: '{ts}.{body}'}"
            ),
            (.envoy, "{header: X-Envoy-Signature, encoding: base64}"),
            (.github, "{header: X-Hub-Signature-256, algorithm: sha256, prefix: sha256=, content: '{body}'}"),
            (
                .stripe,
                "{header: Stripe-Signature, separator: ',', prefix: v1=, timestamp: {prefix: t=}, content: '{ts}.{body}'}"
            ),
            (
                .slack,
                "{header: X-Slack-Signature, prefix: v0=, timestamp: X-Slack-Request-Timestamp, content: 'v0:{ts}:{body}'}"
            ),
            (.shopify, "{header: X-Shopify-Hmac-Sha256, encoding: base64, key: utf8}"),
            (
                .verkada,
                "{header: Verkada-Signature, separator: '|', timestamp: {position: first, unit: seconds}, content: '{body}|{ts}'}"
            ),
        ]
        for (scheme, text) in written {
            let (found, errors) = try read(text)
            #expect(errors.isEmpty)
            var expected = scheme
            expected.name = "custom"
            #expect(found == expected, "\(text)")
        }
    }

    @Test("keys, ids, units and algorithms of a sender's own can be said")
    func otherKeys() throws {
        let (scheme, errors) = try read(
            """
            header: x-sig
            algorithm: sha512
            encoding: base64
            key: {encoding: base64, prefix: whsec_}
            timestamp: {header: x-time, unit: milliseconds}
            id: x-id
            content: "{id}.{ts}.{url}.{body}"
            """)
        #expect(errors.isEmpty)
        let found = try #require(scheme)
        #expect(found.variants == [SignatureVariant(.hmac(.sha512), keyEncoding: .base64, keyPrefix: "whsec_")])
        #expect(found.timestamp == SignatureTimestamp(.header("x-time"), unit: .milliseconds))
        #expect(found.headers == ["x-id", "x-time", "x-sig"])
        let secrets = [NamedSecret(name: "1", value: "whsec_" + Base64.encode(Array("key".utf8)))]
        let headers = try SchemeSamples.signed(found, secrets)
        #expect(headers["x-time"] == "1700000000000")
        #expect(try SchemeSamples.verify(found, secrets, headers).get().timestampSeconds == SchemeSamples.now)
    }

    @Test("an Ed25519 sender's public key verifies")
    func ed25519() throws {
        let (scheme, errors) = try read(
            "{header: x-sig, algorithm: ed25519, key: hex, timestamp: x-time, content: '{ts}{body}'}")
        #expect(errors.isEmpty)
        let found = try #require(scheme)
        let seed = randomBytes(32)
        let publicKey = try Ed25519PrivateKey(seed: seed).publicKey
        let headers = try SchemeSamples.signed(found, [NamedSecret(name: "1", value: Hex.encode(seed))])
        let secrets = [NamedSecret(name: "1", value: Hex.encode(publicKey))]
        #expect(try SchemeSamples.verify(found, secrets, headers).success != nil)
    }

    @Test(
        "what is wrong is said with its place and the nearest right thing",
        arguments: [
            ("{scheme: stripes}", "did you mean stripe?"),
            ("{scheme: github, header: x}", "unknown key `header`"),
            ("{algorithm: sha256}", "signature needs `header:`"),
            ("{header: x-sig, contents: '{body}'}", "did you mean content?"),
            ("{header: 'x sig'}", "a header's name is"),
            ("{header: x-sig, algorithm: sha265}", "did you mean sha256?"),
            ("{header: x-sig, encoding: hax}", "did you mean hex?"),
            ("{header: x-sig, key: base46}", "did you mean base64?"),
            ("{header: x-sig, content: '{bdy}'}", "did you mean body?"),
            ("{header: x-sig, content: '{body'}", "a { has no }"),
            ("{header: x-sig, content: 'x'}", "leaves out {body}"),
            ("{header: x-sig, content: '{ts}.{body}'}", "`timestamp:` does not say where"),
            ("{header: x-sig, timestamp: x-time}", "a timestamp that is not signed"),
            ("{header: x-sig, id: x-id}", "an id that is not signed"),
            ("{header: x-sig, timestamp: t=, content: '{ts}{body}'}", "needs `separator:`"),
            ("{header: x-sig, timestamp: {}, content: '{ts}{body}'}", "needs one of"),
            ("{header: x-sig, timestamp: {header: a, prefix: b}, content: '{ts}{body}'}", "only one"),
            ("{header: x-sig, separator: abc}", "neither letters nor digits"),
            ("{header: x-sig, prefix: 'a b'}", "visible ASCII"),
            ("[1]", "must be a mapping"),
        ])
    func errors(_ text: String, _ message: String) throws {
        let (scheme, errors) = try read(text)
        #expect(errors.count == 1, "\(errors)")
        #expect(errors.first?.hasPrefix("g.yaml:1:") == true)
        #expect(errors.first?.contains(message) == true, "\(errors)")
        _ = scheme
    }
}
