import Foundation
import HTTPClient
import HTTPTypes
import Ingest
import Signatures
import TestSupport
import Testing
import Vendors

@Suite("A sender with Standard Webhooks' own library", .enabled(if: PythonEnvironment.isAvailable))
struct StandardWebhooksSenderTests {
    private static let sender = """
        import datetime, json, sys
        from standardwebhooks.webhooks import Webhook
        given = json.load(sys.stdin)
        now = datetime.datetime.now(datetime.timezone.utc)
        signature = Webhook(given["secret"]).sign(msg_id=given["id"], timestamp=now, data=given["body"])
        print(json.dumps({"webhook-id": given["id"], "webhook-timestamp": str(int(now.timestamp())),
                          "webhook-signature": signature}))
        """

    @Test("is believed, and its webhook-id is what its events are recognised by")
    func believed() throws {
        let secret = "whsec_c2VjcmV0IG9mIGEgc2VuZGVyIG9mIHBpcGVz"
        let fixture = try IntakeFixture({ source in
            guard source.vendor.name == "generic", let scheme = SignatureSchemes.named("standard-webhooks"),
                let verifier = try? SignatureVerifier(
                    scheme: scheme, secrets: [NamedSecret(name: "1", value: secret)], tolerance: .seconds(300))
            else { return }
            source.authentication = SourceAuthentication(signature: verifier)
        })
        let generic = try #require(Vendors.named("generic"))
        let body = #"{"type":"visitor.signin","name":"Zoë \u00e9 \"名前\""}"#
        for (id, kept) in [("msg_1", 1), ("msg_1", 1), ("msg_2", 2)] {
            let headers = try signed(id, body, secret)
            #expect(fixture.post(generic, Array(body.utf8), headers)?.status == 200)
            #expect(fixture.log.records.count == kept)
            let changed = Array(body.replacing("Zoë", with: "Zoe").utf8)
            #expect(fixture.post(generic, changed, headers)?.status == 401)
        }
    }

    private func signed(_ id: String, _ body: String, _ secret: String) throws -> HeaderFields {
        let given = try JSONSerialization.data(withJSONObject: ["id": id, "body": body, "secret": secret])
        let (status, output) = try run(
            PythonEnvironment.program("python"), ["-c", Self.sender], input: String(decoding: given, as: UTF8.self))
        #expect(status == 0, "\(output)")
        let headers = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: String])
        return HeaderFields(headers.map { HeaderField($0.key, $0.value) })
    }
}
