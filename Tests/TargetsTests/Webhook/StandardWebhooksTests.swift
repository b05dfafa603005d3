import Events
import Foundation
import HTTPClient
import HTTPTypes
import Signatures
import TestSupport
import Testing

@testable import Targets

/// The library that Standard Webhooks publishes, as a receiver has it.
@Suite("Standard Webhooks' own library", .enabled(if: PythonEnvironment.isAvailable))
struct StandardWebhooksTests {
    private static let receiver = """
        import base64, json, sys
        from standardwebhooks.webhooks import Webhook, WebhookVerificationError
        given = json.load(sys.stdin)
        try:
            Webhook(given["secret"]).verify(base64.b64decode(given["body"]), given["headers"], json_parse=False)
            print("verified")
        except WebhookVerificationError as error:
            print("refused:", error)
        """

    private func ask(_ request: HTTPClientRequest, secret: String) throws -> String {
        let headers = Dictionary(uniqueKeysWithValues: request.headers.fields.map { ($0.name, $0.value) })
        let given: [String: Any] = [
            "secret": secret, "headers": headers, "body": Data(request.body).base64EncodedString(),
        ]
        let input = String(decoding: try JSONSerialization.data(withJSONObject: given), as: UTF8.self)
        let (status, output) = try run(PythonEnvironment.program("python"), ["-c", Self.receiver], input: input)
        #expect(status == 0, "\(output)")
        return output
    }

    private func request(_ secrets: [String], body: String, _ event: EventView) throws -> HTTPClientRequest {
        let (blueprint, messages) = try decode(
            "{type: webhook, url: \"https://x.example/\", body: \(body), sign: {scheme: standard-webhooks, secrets: [\(secrets.joined(separator: ", "))]}}"
        )
        #expect(messages == [])
        let webhook = try #require(blueprint as? WebhookBlueprint)
        return try webhook.render(
            [Sample.outgoing(event)], headers: webhook.request.headers(contentType: webhook.contentType),
            timestampSeconds: Timestamp.now().milliseconds / 1000)
    }

    @Test("verifies what we sign, whatever is in it", arguments: ["canonical", "original", "cloudevent-binary"])
    func verifies(body: String) throws {
        let (old, new) = ("whsec_b2xkIHNlY3JldCBvZiBzb21lIGxlbmd0aA==", "whsec_bmV3IHNlY3JldCBvZiBzb21lIGxlbmd0aA==")
        let event = try Sample.event(name: "Zoë \"名前\"\n\u{1F3F4} \\", original: #"{ "a" : 1.50, "ü":"\u00fc" }"#)
        for secrets in [[new], [new, old], [old, new]] {
            #expect(try ask(request(secrets, body: body, event), secret: new) == "verified\n")
        }
        #expect(try ask(request([old], body: body, event), secret: new).hasPrefix("refused"))
        var changed = try request([new], body: body, event)
        changed.body[changed.body.count / 2] ^= 1
        #expect(try ask(changed, secret: new).hasPrefix("refused"))
    }

    @Test("verifies the one signature it knows beside one of Ed25519")
    func mixed() throws {
        let shared = "whsec_c2hhcmVkIHNlY3JldCBvZiBzb21lIGxlbmd0aA=="
        let pair = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
        let request = try request([pair, shared], body: "canonical", try Sample.event())
        let header = try #require(request.headers["webhook-signature"])
        let signatures = header.split(separator: " ")
        #expect(signatures.count == 2 && signatures[0].hasPrefix("v1a,") && signatures[1].hasPrefix("v1,"))
        #expect(try ask(request, secret: shared) == "verified\n")
        // And the other one by the public key alone.
        let verifier = try SignatureVerifier(
            scheme: .standardWebhooks,
            secrets: [NamedSecret(name: "1", value: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=")],
            tolerance: .seconds(300))
        let result = unsafe request.body.withUnsafeBytes { body in
            unsafe verifier.verify(
                headers: request.headers, url: request.url, body: body, nowSeconds: Timestamp.now().milliseconds / 1000)
        }
        #expect(throws: Never.self) { try result.get() }
    }
}
