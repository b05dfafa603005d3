import Events
import Foundation
import HTTPTypes
import JSON
import Signatures
import Synchronization
import TestSupport
import Testing

@testable import Targets

@Suite("A target that speaks HTTP, over the wire")
struct LiveHTTPTests {
    private func target(_ text: String) throws -> any Target {
        let (blueprint, messages) = try decode(text)
        #expect(messages == [])
        return try #require(blueprint).make(testContext())
    }

    private func webhook(_ server: ScriptedServer, _ keys: String = "") throws -> any Target {
        try target("{type: webhook, url: \"\(server.url("/hook"))\", allow: [127.0.0.1/32]\(keys)}")
    }

    @Test("delivers a webhook that our own verifier takes")
    func webhook() async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 204)
        })
        let target = try webhook(server, ", sign: {scheme: standard-webhooks, secrets: [whsec_c2VjcmV0]}")
        let event = try Sample.event()
        let outcome = await target.send(Sample.outgoing(event))
        #expect(outcome.receipt?.status == 204 && outcome.receipt?.bytes == event.payload.count)
        let request = try #require(requests.values.first)
        #expect(request.method == "POST" && request.target == "/hook" && request.body == event.payload)
        let verifier = try SignatureVerifier(
            scheme: .standardWebhooks, secrets: [NamedSecret(name: "s", value: "whsec_c2VjcmV0")],
            tolerance: .seconds(300))
        let verified = verifier.verify(
            headers: request.headers, url: server.url("/hook"), body: request.body,
            nowSeconds: Timestamp.now().milliseconds / 1000)
        #expect((try? verified.get())?.id == Sample.id)
    }

    @Test("delivers an http request built from its template")
    func http() async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 201)
        })
        let target = try target(
            """
            type: http
            url: \(server.url("/contacts?upsert=1"))
            allow: 127.0.0.1/32
            method: PUT
            auth: {basic: {user: me, password: "p:w"}}
            headers: {X-Api-Version: "3"}
            body: {email: "{visitor.email}", name: "{visitor.name}", phone: "{?visitor.phone}", tags: [gatehouse]}
            """)
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt?.status == 201)
        let request = try #require(requests.values.first)
        #expect(request.method == "PUT" && request.target == "/contacts?upsert=1")
        #expect(text(request.body) == #"{"email":"john@example.com","name":"John Smith","tags":["gatehouse"]}"#)
        #expect(request.headers["content-type"] == "application/json" && request.headers["x-api-version"] == "3")
        #expect(request.headers["authorization"] == "Basic " + Data("me:p:w".utf8).base64EncodedString())
        #expect(request.headers["idempotency-key"] == Sample.id)
    }

    @Test("without a template sends the canonical event, and nothing with GET", arguments: ["POST", "GET"])
    func withoutTemplate(method: String) async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 200)
        })
        let target = try target(
            "{type: http, url: \"\(server.url())\", allow: 127.0.0.1/32, method: \(method), token: t0ken}")
        let event = try Sample.event()
        #expect(await target.send(Sample.outgoing(event)).receipt != nil)
        let request = try #require(requests.values.first)
        #expect(request.method == method && request.body == (method == "POST" ? event.payload : []))
        #expect(request.headers["authorization"] == "Bearer t0ken")
    }

    @Test("never follows a redirect, and blames the target", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        let reached = Collected<String>()
        let elsewhere = ScriptedServer(answering: { request in
            reached.append(request.target)
            return HTTPResponse(status: 200)
        })
        let location = elsewhere.url("/stolen")
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: status, headers: ["Location": location]) })
        let failure = await (try webhook(server)).send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "http_\(status)" && failure?.blame == .target)
        #expect(reached.count == 0)
    }

    @Test("tells a receiver that is gone, busy, or does not want the event")
    func statuses() async throws {
        let server = ScriptedServer(answering: { request in
            switch request.headers["webhook-id"]?.first {
            case "a": HTTPResponse(status: 410)
            case "b": HTTPResponse(status: 429, headers: ["Retry-After": "17"])
            default: HTTPResponse(status: 422, body: Array("no such site".utf8))
            }
        })
        let target = try webhook(server)
        func failure(_ first: String) async throws -> DeliveryFailure? {
            await target.send(Sample.outgoing(try Sample.event(id: first + Sample.id.dropFirst()))).failure
        }
        #expect(try await failure("a")?.blame == .gone)
        #expect(try await failure("b")?.retryAfter == .seconds(17))
        let refused = try await failure("c")
        #expect(refused?.blame == .event && refused?.response == Array("no such site".utf8))
    }

    @Test("blames the target when nobody listens, and names no path")
    func refused() async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        let target = try webhook(server)
        server.stop()
        let failure = await target.send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "connect_refused" && failure?.blame == .target)
        #expect(failure?.message.contains("/hook") == false)
    }

    @Test("reaches no forbidden address by a name that resolves to one")
    func guarded() async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        // The name is refused when it is read, so the settings are made by hand.
        var settings = TargetSettings(name: "x", type: "webhook")
        settings.timeout = .seconds(5)
        let allowed = try #require(
            try decode("{type: webhook, url: \"http://localhost:\(server.port)/\", allow: [127.0.0.1/32, \"::1/128\"]}")
                .blueprint as? WebhookBlueprint)
        let request = RequestSettings(settings: settings, endpoint: allowed.request.endpoint, headers: [:])
        let blueprint = WebhookBlueprint(
            request: request, body: .canonical, signer: nil, policy: ContentPolicy(settings))
        let failure = await (try blueprint.make(testContext())).send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "address_refused" && failure?.blame == .target)
        #expect(server.connectionCount == 0)
    }

    @Test("verifies TLS by its own authority and tells why it does not")
    func tls() async throws {
        let authority = try LocalAuthority()
        let server = ScriptedServer(
            tls: ServerTLS(try authority.issue()), answering: { _ in HTTPResponse(status: 200) })
        let url = server.url("/", scheme: "https")
        let trusting = try target("{type: webhook, url: \"\(url)\", allow: 127.0.0.1, tls: {ca: \(authority.caFile)}}")
        #expect(await trusting.send(Sample.outgoing(try Sample.event())).receipt != nil)
        let strange = try target("{type: webhook, url: \"\(url)\", allow: 127.0.0.1}")
        let failure = await strange.send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "tls_untrusted" && failure?.blame == .target)
    }

    @Test("waits for a certificate file that is not there, and goes on once it is")
    func missingFile() async throws {
        let authority = try LocalAuthority()
        let server = ScriptedServer(
            tls: ServerTLS(try authority.issue()), answering: { _ in HTTPResponse(status: 200) })
        let folder = TemporaryDirectory()
        let url = server.url("/", scheme: "https")
        let target = try target(
            "{type: webhook, url: \"\(url)\", allow: 127.0.0.1, tls: {ca: \(folder.path)/ca.pem}}")
        let failure = await target.send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "tls_credentials" && failure?.blame == .target)
        try FileManager.default.copyItem(atPath: authority.caFile, toPath: folder.path + "/ca.pem")
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
    }

    @Test("sends nothing after it was closed")
    func closed() async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        let target = try webhook(server)
        target.close()
        #expect(await target.send(Sample.outgoing(try Sample.event())).failure?.code == "target_closed")
        #expect(server.connectionCount == 0)
    }
}
