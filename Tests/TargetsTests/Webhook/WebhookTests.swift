import Events
import Foundation
import HTTPClient
import HTTPTypes
import Signatures
import Testing
import YAML

@testable import Targets

/// What a receiver does with one scheme, in plain code: it shares nothing with ours but the wire.
struct Receiver: Sendable {
    var key: [UInt8]
    /// The signed content of a request, and its signature, decoded.
    var read: @Sendable (ScriptedHeaders, [UInt8]) -> (content: [UInt8], signature: [UInt8])?

    typealias ScriptedHeaders = [String: String]

    func accepts(_ headers: HeaderFields, _ body: [UInt8]) -> Bool {
        var named: ScriptedHeaders = [:]
        for field in headers.fields {
            // A header that stands there twice could be read in two ways.
            guard named.updateValue(field.value, forKey: field.name.lowercased()) == nil else { return false }
        }
        guard let (content, signature) = read(named, body) else { return false }
        return PlainHMAC.sha256(key: key, message: content) == signature
    }

    static let secret = "c2VjcmV0IG9mIHRoZSB0ZXN0"
    static let timestamp = "1614265330"

    /// One row a scheme, from the page of the senders.
    static let all: [String: Receiver] = [
        "signinapp": pairs("x-signinapp-webhook-signature", "t=", "s1=", hex),
        "stripe": pairs("stripe-signature", "t=", "v1=", hex),
        "alocity": pairs("alocity-signature", "t:", "sig:", base64),
        "envoy": whole("x-envoy-signature", "", base64),
        "shopify": whole("x-shopify-hmac-sha256", "", base64),
        "github": whole("x-hub-signature-256", "sha256=", hex),
        "slack": Receiver(key: Array(secret.utf8)) { headers, body in
            guard let time = headers["x-slack-request-timestamp"], time == timestamp,
                let value = headers["x-slack-signature"], value.hasPrefix("v0="),
                let signature = hex(String(value.dropFirst(3)))
            else { return nil }
            return (Array("v0:\(time):".utf8) + body, signature)
        },
        "verkada": Receiver(key: Array(secret.utf8)) { headers, body in
            guard let parts = headers["verkada-signature"]?.split(separator: "|"), parts.count == 2,
                parts[0] == timestamp, let signature = hex(String(parts[1]))
            else { return nil }
            return (body + Array("|\(parts[0])".utf8), signature)
        },
        "standard-webhooks": Receiver(key: Array(Data(base64Encoded: secret)!)) { headers, body in
            guard let id = headers["webhook-id"], id == Sample.id, let time = headers["webhook-timestamp"],
                time == timestamp, let value = headers["webhook-signature"], value.hasPrefix("v1,"),
                let signature = base64(String(value.dropFirst(3)))
            else { return nil }
            return (Array("\(id).\(time).".utf8) + body, signature)
        },
    ]

    private static func pairs(
        _ header: String, _ time: String, _ name: String, _ decode: @escaping @Sendable (String) -> [UInt8]?
    ) -> Receiver {
        Receiver(key: Array(secret.utf8)) { headers, body in
            guard let parts = headers[header]?.split(separator: ","), parts.count == 2, parts[0] == time + timestamp,
                parts[1].hasPrefix(name), let signature = decode(String(parts[1].dropFirst(name.count)))
            else { return nil }
            return (Array("\(timestamp).".utf8) + body, signature)
        }
    }

    private static func whole(
        _ header: String, _ prefix: String, _ decode: @escaping @Sendable (String) -> [UInt8]?
    ) -> Receiver {
        Receiver(key: Array(secret.utf8)) { headers, body in
            guard let value = headers[header], value.hasPrefix(prefix),
                let signature = decode(String(value.dropFirst(prefix.count)))
            else { return nil }
            return (body, signature)
        }
    }

    private static func base64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }

    private static func hex(_ text: String) -> [UInt8]? {
        guard text.count == 64 else { return nil }
        let digits = text.compactMap { $0.isUppercase ? nil : $0.hexDigitValue }
        guard digits.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

@Suite("A webhook's request")
struct WebhookTests {
    private func blueprint(_ keys: String = "") throws -> WebhookBlueprint {
        let (blueprint, messages) = try decode("{type: webhook, url: \"https://partner.example/hook?a=b\"\(keys)}")
        #expect(messages == [])
        return try #require(blueprint as? WebhookBlueprint)
    }

    private func render(
        _ blueprint: WebhookBlueprint, _ event: EventView, at seconds: Int64 = 1_614_265_330
    ) throws -> HTTPClientRequest {
        try blueprint.render(
            [Sample.outgoing(event)], headers: blueprint.request.headers(contentType: blueprint.contentType),
            timestampSeconds: seconds)
    }

    @Test("has receivers for every scheme")
    func everyScheme() {
        #expect(Set(Receiver.all.keys) == Set(SignatureSchemes.all.map(\.name)))
    }

    @Test(
        "is verified by the receiver's own code, for every scheme and body",
        arguments: SignatureSchemes.all.map(\.name), WebhookBody.allCases)
    func signatures(scheme: String, body: WebhookBody) throws {
        let receiver = try #require(Receiver.all[scheme])
        let blueprint = try blueprint(
            ", body: \(body.rawValue), sign: {scheme: \(scheme), secrets: [\(Receiver.secret)]}")
        for name in Hostile.texts where name.utf8.count < 2000 {
            let request = try render(blueprint, try Sample.event(name: name))
            #expect(receiver.accepts(request.headers, request.body))
            #expect(request.headers.values("webhook-id") == [Sample.id])
        }
        let request = try render(blueprint, try Sample.event())
        var flipped = request.body
        flipped[flipped.count / 2] ^= 1
        #expect(!receiver.accepts(request.headers, flipped))
    }

    @Test("carries the canonical event as it is kept")
    func canonical() throws {
        let event = try Sample.event()
        let request = try render(try blueprint(), event)
        #expect(request.method == "POST" && request.url == "https://partner.example/hook?a=b")
        #expect(request.body == event.payload)
        #expect(request.headers["content-type"] == "application/cloudevents+json; charset=utf-8")
        #expect(request.headers["webhook-id"] == Sample.id)
        #expect(request.addressGuard == AddressGuardOf.nothing)
        #expect(request.timeout == .seconds(30))
    }

    @Test("carries the sender's own bytes")
    func original() throws {
        let text = "{ \"a\" :\t1.50,\n \"b\": \"\\ud83d\" }"
        let request = try render(try blueprint(", body: original"), try Sample.event(original: text))
        #expect(request.body == Array(text.utf8))
        #expect(request.headers["content-type"] == "application/json")
        #expect(throws: RenderingError.self) {
            try render(try blueprint(", body: original"), try Sample.event(original: nil))
        }
    }

    @Test("carries data with the attributes as headers, percent-encoded")
    func binary() throws {
        let event = try Sample.event("visitor.signin", time: "2020-01-01T12:00:01.000Z")
        let request = try render(try blueprint(", body: cloudevent-binary, original: false"), event)
        let body = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
        #expect(body?["vendor"] as? String == "signinapp" && body?["original"] == nil)
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["ce-specversion"] == "1.0" && request.headers["ce-id"] == Sample.id)
        #expect(request.headers["ce-type"] == "visitor.signin" && request.headers["ce-source"] == "/sources/london")
        #expect(request.headers["ce-subject"] == "visitor/1234" && request.headers["ce-partitionkey"] == "4567/1234")
        #expect(request.headers["ce-time"] == "2020-01-01T12:00:01.000Z")
        #expect(request.headers["ce-data"] == nil && request.headers["ce-datacontenttype"] == nil)
        #expect(CloudEvents.percentEncoded("Zoë \"100%\"\r\n\u{0}") == "Zo%C3%AB%20%22100%25%22%0D%0A%00")
    }

    @Test("keeps its id and body over all tries, and takes a new timestamp for each")
    func tries() throws {
        let blueprint = try blueprint(", sign: {scheme: standard-webhooks, secrets: [whsec_c2VjcmV0]}")
        let event = try Sample.event()
        let (first, second) = (try render(blueprint, event, at: 1000), try render(blueprint, event, at: 2000))
        #expect(first.body == second.body)
        #expect(first.headers["webhook-id"] == second.headers["webhook-id"])
        #expect(first.headers["webhook-timestamp"] == "1000" && second.headers["webhook-timestamp"] == "2000")
        #expect(first.headers["webhook-signature"] != second.headers["webhook-signature"])
    }

    @Test("carries two signatures while a secret is changed")
    func rotation() throws {
        let blueprint = try blueprint(", sign: {scheme: standard-webhooks, secrets: [whsec_b25l, whsec_dHdv]}")
        let request = try render(blueprint, try Sample.event())
        let message = Array("\(Sample.id).1614265330.".utf8) + request.body
        let expected = ["one", "two"].map { secret in
            "v1," + Data(PlainHMAC.sha256(key: Array(secret.utf8), message: message)).base64EncodedString()
        }
        #expect(request.headers["webhook-signature"] == expected.joined(separator: " "))
    }

    @Test("signs by a scheme written out in the configuration")
    func freeScheme() throws {
        let blueprint = try blueprint(
            ", sign: {header: x-sig, algorithm: sha256, encoding: hex, content: \"{url}\\n{body}\", secrets: [s]}")
        let request = try render(blueprint, try Sample.event())
        let message = Array("/hook?a=b\n".utf8) + request.body
        let expected = PlainHMAC.sha256(key: Array("s".utf8), message: message).map { String(format: "%02x", $0) }
            .joined()
        #expect(request.headers["x-sig"] == expected)
    }

    @Test(
        "signs into no header that it has for something else, nor twice into one",
        arguments: [
            ("header: webhook-id", "webhook-id is written by the target itself"),
            ("header: Content-Type", "Content-Type is written by the target itself"),
            ("header: gatehouse-test", "gatehouse-test is written by the target itself"),
            ("header: ce-id", "ce-id is written by the target itself"),
            ("header: Host", "Host is written by the target"),
            ("header: x, timestamp: webhook-id, content: \"{ts}{body}\"", "webhook-id is written by the target itself"),
            ("header: x, timestamp: X, content: \"{ts}{body}\"", "x stands here for two things"),
            ("header: webhook-id, content: \"{id}{body}\"", "webhook-id stands here for two things"),
        ])
    func clashingHeaders(sign: String, expected: String) throws {
        let (_, messages) = try decode(
            "{type: webhook, url: \"https://partner.example/\", sign: {\(sign), secrets: [some secret]}}")
        #expect(messages.count == 1 && messages[0].contains(expected), "\(messages)")
    }

    @Test(
        "is sent with no header that somebody could have broken out of, or that says who signed",
        arguments: [
            "X-A: \"a\\r\\nX-B: c\"", "X-A: \"a\\nb\"", "X-A: \"a\\0\"", "\"X A\": b", "\"X:\": b",
            "Webhook-Signature: v1", "webhook-id: x",
            "Webhook-Timestamp: 1", "CE-Source: x", "Host: x", "Content-Length: 1", "Transfer-Encoding: chunked",
            "Gatehouse-Test: x", "X-A: \"${env:BROKEN}\"",
        ])
    func hostileHeaders(header: String) throws {
        let (blueprint, messages) = try decode(
            "{type: webhook, url: \"https://partner.example/\", headers: {\(header)}}",
            environment: ["BROKEN": "a\r\nwebhook-id: x"])
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }

    @Test("carries the configured headers")
    func headers() throws {
        let request = try render(
            try blueprint(", headers: {X-Team: london, content-type: application/json, Authorization: Token x}"),
            try Sample.event())
        #expect(request.headers["x-team"] == "london" && request.headers["authorization"] == "Token x")
        #expect(request.headers.values("content-type") == ["application/json"])
        #expect(request.headers["user-agent"] == "Gatehouse")
    }

    @Test("plain SHA-256 and HMAC of this test are right")
    func plainCryptography() {
        // FIPS 180-4's example and RFC 4231, case 2.
        #expect(
            Data(PlainSHA256.hash(Array("abc".utf8))).base64EncodedString()
                == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
        let code = PlainHMAC.sha256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
        #expect(
            code.map { String(format: "%02x", $0) }.joined()
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
