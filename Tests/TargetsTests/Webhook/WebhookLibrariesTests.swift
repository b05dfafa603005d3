import Events
import Foundation
import HTTPClient
import HTTPTypes
import Signatures
import TestSupport
import Testing

@testable import Targets

/// The libraries that Stripe and Slack publish for their receivers, as a receiver has them.
@Suite("The senders' own libraries", .enabled(if: PythonEnvironment.isAvailable))
struct WebhookLibrariesTests {
    struct Library: Sendable, CustomTestStringConvertible {
        var scheme: String
        /// Prints whether a request is good; knows `given`, `body` and `headers`, whose names are in lower case.
        var verifies: String
        /// Sets `signed`, the headers of `body`, at `now`.
        var signs: String

        var testDescription: String { scheme }
    }

    static let libraries = [
        Library(
            scheme: "stripe",
            verifies: """
                import stripe
                try:
                    stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], given["secret"], 300)
                    print("verified")
                except stripe.SignatureVerificationError:
                    print("refused")
                """,
            signs: """
                import stripe
                mac = stripe.WebhookSignature._compute_signature(f"{now}.{body.decode()}", given["secret"])
                signed = {"Stripe-Signature": f"t={now},v1={mac}"}
                """),
        Library(
            scheme: "slack",
            verifies: """
                from slack_sdk.signature import SignatureVerifier
                print("verified" if SignatureVerifier(given["secret"]).is_valid_request(body, headers) else "refused")
                """,
            signs: """
                from slack_sdk.signature import SignatureVerifier
                mac = SignatureVerifier(given["secret"]).generate_signature(timestamp=str(now), body=body)
                signed = {"X-Slack-Signature": mac, "X-Slack-Request-Timestamp": str(now)}
                """),
    ]

    private func python(_ script: String, _ given: [String: Any]) throws -> String {
        let opening = """
            import base64, json, sys, time
            given = json.load(sys.stdin)
            body = base64.b64decode(given["body"])
            headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
            now = int(time.time())

            """
        let input = String(decoding: try JSONSerialization.data(withJSONObject: given), as: UTF8.self)
        let (status, output) = try run(
            PythonEnvironment.program("python"), ["-c", opening + script], input: input)
        #expect(status == 0, "\(output)")
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func verdict(_ library: Library, _ request: HTTPClientRequest, _ secret: String) throws -> String {
        let headers = Dictionary(uniqueKeysWithValues: request.headers.fields.map { ($0.name, $0.value) })
        return try python(
            library.verifies,
            ["secret": secret, "headers": headers, "body": Data(request.body).base64EncodedString()])
    }

    private func request(_ scheme: String, _ secrets: [String], body: WebhookBody) throws -> HTTPClientRequest {
        let (blueprint, _) = try decode(
            "{type: webhook, url: \"https://x.example/\", body: \(body.rawValue), sign: {scheme: \(scheme), secrets: [\(secrets.joined(separator: ", "))]}}"
        )
        let webhook = try #require(blueprint as? WebhookBlueprint)
        let event = try Sample.event(name: "Zoë \"名前\"\n\u{1F3F4} \\", original: #"{ "a" : 1.50, "ü":"\u00fc" }"#)
        return try webhook.render(
            [Sample.outgoing(event)], headers: webhook.request.headers(contentType: webhook.contentType),
            timestampSeconds: Timestamp.now().milliseconds / 1000)
    }

    @Test("verify what we sign, whatever is in it, and nothing else", arguments: libraries)
    func verify(library: Library) throws {
        let (old, new) = ("the old secret", "the new secret")
        for body in WebhookBody.allCases {
            #expect(try verdict(library, try request(library.scheme, [new], body: body), new) == "verified")
        }
        #expect(try verdict(library, try request(library.scheme, [old], body: .canonical), new) == "refused")
        var changed = try request(library.scheme, [new], body: .canonical)
        changed.body[changed.body.count / 2] ^= 1
        #expect(try verdict(library, changed, new) == "refused")
        // During a change of secrets the receiver may have either, where the scheme carries both signatures.
        let both = try request(library.scheme, [old, new], body: .canonical)
        let scheme = try #require(SignatureSchemes.named(library.scheme))
        #expect(try verdict(library, both, old) == "verified")
        #expect(try verdict(library, both, new) == (scheme.carriesSeveralSignatures ? "verified" : "refused"))
    }

    @Test("sign what we verify", arguments: libraries)
    func sign(library: Library) throws {
        let body = Array("{\"name\": \"Zoë\"}".utf8)
        let output = try python(
            library.signs + "\nprint(json.dumps(signed))",
            ["secret": "a secret", "body": Data(body).base64EncodedString()])
        let signed = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: String])
        let headers = HeaderFields(signed.map { HeaderField($0.key, $0.value) })
        let scheme = try #require(SignatureSchemes.named(library.scheme))
        for (secret, isGood) in [("a secret", true), ("another", false)] {
            let verifier = try SignatureVerifier(
                scheme: scheme, secrets: [NamedSecret(name: "1", value: secret)], tolerance: .seconds(300))
            let result = verifier.verify(
                headers: headers, body: body, nowSeconds: Timestamp.now().milliseconds / 1000)
            #expect(((try? result.get()) != nil) == isGood, "\(result)")
        }
    }
}
