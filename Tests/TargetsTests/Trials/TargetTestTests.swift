import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("Trying a target out")
struct TargetTestTests {
    private func report(_ text: String) async throws -> TargetTestReport {
        let (blueprint, messages) = try decode(text, environment: ["TOKEN": "s3cret"])
        #expect(messages == [])
        let made = try #require(blueprint)
        let target = try made.make(testContext())
        defer { target.close() }
        return await withCheckedContinuation { continuation in
            TargetTest.run(target, made.settings, now: .now()) { continuation.resume(returning: $0) }
        }
    }

    @Test("shows what was sent and what came back, and no secret", arguments: ["", ", batch: {}"])
    func exchange(batch: String) async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(
                status: 201, headers: ["X-Trace": "7", "Set-Cookie": "session=abc"], body: Array("taken".utf8))
        })
        let report = try await report(
            """
            {type: http, url: "\(server.url("/contacts?key=abc"))", allow: 127.0.0.1/32, token: "${env:TOKEN}",
             body: {email: "{visitor.email}", secret: "${env:TOKEN}"}\(batch)}
            """)
        let request = try #require(requests.values.first)
        #expect(request.headers["gatehouse-test"] == "true" && request.headers["authorization"] == "Bearer s3cret")
        #expect(request.headers["idempotency-key"] == report.event && report.event.hasPrefix(SampleEvent.idPrefix))
        #expect(text(request.body).contains("s3cret"))
        let shown = text(report.json)
        for secret in ["s3cret", "key=abc", "session=abc"] { #expect(!shown.contains(secret), "\(shown)") }
        let object = try JSONTape.object(report.json)
        #expect(object["delivered"] as? Bool == true && object["status"] as? Int == 201)
        let answer = try #require(object["answer"] as? [String: Any])
        #expect(answer["body"] as? String == "taken" && answer["cut"] as? Bool == false)
        #expect(shown.contains(#"{"name":"X-Trace","value":"7"}"#))
        let sent = try #require(object["request"] as? [String: Any])
        #expect(sent["method"] as? String == "POST" && sent["destination"] as? String == server.url("/contacts"))
        #expect((sent["body"] as? String)?.contains("gatehouse-test@example.com") == true)
        #expect((sent["body"] as? String)?.hasPrefix("[") == !batch.isEmpty)
    }

    @Test("shows what the token endpoint was asked and said, and neither secret nor token")
    func tokens() async throws {
        let server = ScriptedServer(answering: { request in
            guard request.target == "/token" else {
                return HTTPResponse(status: 200, body: Array((request.headers["Authorization"] ?? "").utf8))
            }
            return .json(#"{"access_token":"acc3ss","refresh_token":"refr3sh","expires_in":3600,"scope":"acc3ss b"}"#)
        })
        func report(_ url: String) async throws -> (shown: String, object: [String: Any]) {
            let report = try await self.report(
                """
                {type: http, url: "\(server.url("/api"))", allow: 127.0.0.1/32, auth: {oauth2: {token_url: "\(url)",
                 client_id: gate, client_secret: "${env:TOKEN}", auth_method: client_secret_post, scope: a b,
                 parameters: {tenant_key: k3y-of-mine, resource: r}}}}
                """)
            return (text(report.json), try JSONTape.object(report.json))
        }
        let (shown, object) = try await report(server.url("/token"))
        for secret in ["s3cret", "acc3ss", "refr3sh", "k3y-of-mine"] { #expect(!shown.contains(secret), "\(shown)") }
        let token = try #require(object["token"] as? [String: Any])
        let request = try #require(token["request"] as? [String: Any])
        #expect(request["method"] as? String == "POST" && request["destination"] as? String == server.url("/token"))
        #expect(
            request["body"] as? String
                == "grant_type=client_credentials&scope=a%20b&tenant_key=***&resource=r&client_id=gate&client_secret=***"
        )
        #expect(token["status"] as? Int == 200 && (token["age_seconds"] as? Int).map { 0...600 ~= $0 } == true)
        let answer = try #require(token["answer"] as? [String: String])
        #expect(answer == ["expires_in": "3600", "scope": "*** b"])
        #expect(object["delivered"] as? Bool == true && object["request"] is [String: Any])

        // Without a token nothing is sent, and nothing shown as sent.
        let (_, failed) = try await report(server.url("/api"))
        #expect(failed["reason"] as? String == "oauth_bad_response" && failed["request"] is NSNull)
        #expect((failed["token"] as? [String: Any])?["answer"] is NSNull)
        #expect((failed["advice"] as? String)?.contains("token_url") == true)
    }

    @Test("shows the whole URL that was sent, with the values in it and without its query")
    func resource() async throws {
        let targets = Collected<String>()
        let server = ScriptedServer(answering: { request in
            targets.append(request.target)
            return HTTPResponse(status: 204)
        })
        let path = "/api/data/v9.2/a-name-that-is-rather-long-for-its-purpose/contacts"
        let report = try await report(
            """
            {type: http, method: PATCH, allow: 127.0.0.1/32,
             url: "\(server.url(path))(email='{visitor.email|odata}')?key=abc"}
            """)
        #expect(targets.values == ["\(path)(email='gatehouse-test%40example.com')?key=abc"])
        #expect(report.sent?.destination == server.url("\(path)(email='gatehouse-test%40example.com')"))
    }

    @Test("keeps 4 KiB of an answer")
    func longAnswer() async throws {
        let server = ScriptedServer(answering: { _ in
            HTTPResponse(status: 422, body: [UInt8](repeating: UInt8(ascii: "x"), count: 5000))
        })
        let report = try await report("{type: webhook, url: \"\(server.url())\", allow: 127.0.0.1/32}")
        let object = try JSONTape.object(report.json)
        let answer = try #require(object["answer"] as? [String: Any])
        #expect((answer["body"] as? String)?.utf8.count == 4096 && answer["cut"] as? Bool == true)
        #expect(object["reason"] as? String == "http_422" && object["delivered"] as? Bool == false)
        #expect((object["advice"] as? String)?.isEmpty == false)
    }

    @Test("says why it failed and what to do")
    func failure() async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        let port = server.port
        server.stop()
        for text in [
            "{type: webhook, url: \"http://127.0.0.1:\(port)/\", allow: 127.0.0.1/32}",
            "{type: syslog, address: \"tcp://127.0.0.1:\(port)\", allow: 127.0.0.1/32}",
        ] {
            let object = try JSONTape.object(try await report(text).json)
            #expect(object["reason"] as? String == "connect_refused" && object["answer"] is NSNull)
            #expect((object["advice"] as? String)?.contains("receiver runs") == true)
            #expect(object["request"] is [String: Any])
        }
    }

    @Test("writes a marked line where the target is a file or a syslog receiver")
    func lines() async throws {
        let folder = TemporaryDirectory()
        let file = folder.path + "/archive.ndjson"
        let written = try await report("{type: file, path: \(file)}")
        let line = try String(contentsOfFile: file, encoding: .utf8)
        #expect(line.contains(SampleEvent.type) && line.contains(written.event))
        #expect(text(try #require(written.sent).bytes) == line)

        let received = Collected<[UInt8]>()
        let server = ScriptedServer(script: { connection in received.append(connection.read()) })
        let sent = try await report(
            "{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32, format: cef}")
        #expect(text(try #require(sent.sent).bytes).contains("Gatehouse test"))
        #expect(sent.outcome.receipt != nil)
    }

    @Test(
        "goes to a target of any type, and tells what was sent and what came of it",
        arguments: TargetTypes.all.map(\.name))
    func everyType(type: String) async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        let datagrams = DatagramReceiver()
        let folder = TemporaryDirectory()
        let unused = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        unused.stop()
        let keys = [
            "syslog": "address: \"udp://127.0.0.1:\(datagrams.port)\", allow: 127.0.0.1/32",
            "http": "url: \"\(server.url())\", allow: 127.0.0.1/32",
            "webhook": "url: \"\(server.url())\", allow: 127.0.0.1/32",
            "file": "path: \(folder.path)/a.ndjson",
            "kafka": "brokers: [\"127.0.0.1:\(unused.port)\"], topic: t, allow: 127.0.0.1/32, timeout: 1s",
        ]
        let report = try await report("{type: \(type), \(try #require(keys[type], "say how to reach one"))}")
        let object = try JSONTape.object(report.json)
        let sent = try #require(object["request"] as? [String: Any])
        #expect((sent["body"] as? String)?.contains("Gatehouse test") == true)
        #expect((sent["destination"] as? String)?.isEmpty == false && object["type"] as? String == type)
        #expect(object["delivered"] as? Bool == (type != "kafka"))
        #expect((object["reason"] as? String)?.isEmpty == (type == "kafka" ? false : nil))
    }

    @Test("has a sample that every format can write, with a new id every time")
    func sample() throws {
        let (one, two) = (SampleEvent.make(now: .now()), SampleEvent.make(now: .now()))
        #expect(one.type == SampleEvent.type && one.attribute("id") != two.attribute("id"))
        for event in [one, two] {
            let id = try #require(event.attribute("id"))
            #expect(id.count == 32 && id.hasPrefix(SampleEvent.idPrefix))
            for format in Formats.all {
                let options = RenderingOptions(
                    policy: ContentPolicy(includesOriginal: true, includesBiometrics: false), hostname: "gate")
                #expect(text(try format.render(Sample.outgoing(event), options)).contains("Gatehouse test"))
            }
        }
    }
}

@Suite("Marks on requests")
struct RequestMarkTests {
    private func headers(_ type: String, _ events: [OutgoingEvent]) throws -> HeaderFields {
        let (decoded, _) = try decode("{type: \(type), url: \"https://x.example/\", batch: {}}")
        let blueprint = try #require(decoded as? any RequestBlueprint)
        return try blueprint.render(events, headers: [:], timestampSeconds: 0).headers
    }

    @Test("a replay's request names it, and no other request does", arguments: ["http", "webhook"])
    func replays(type: String) throws {
        let events = try BatchTests.outgoing()
        #expect(try headers(type, events)["gatehouse-replay"] == nil)
        #expect(try headers(type, events)["gatehouse-test"] == nil)
        var replayed = events
        replayed[0].replay = 12
        #expect(try headers(type, replayed).values("gatehouse-replay") == ["12"])
        replayed[1].replay = 12
        #expect(try headers(type, replayed).values("gatehouse-replay") == ["12"])
        replayed[1].replay = 3
        #expect(try headers(type, replayed).values("gatehouse-replay") == ["3, 12"])
    }

    @Test(
        "nobody else may set them",
        arguments: ["http", "webhook"], ["gatehouse-replay", "Gatehouse-Replay", "gatehouse-test"])
    func reserved(type: String, name: String) throws {
        let (blueprint, messages) = try decode(
            "{type: \(type), url: \"https://x.example/\", headers: {\(name): \"1\"}}")
        #expect(blueprint == nil && messages.first?.contains("written by the target itself") == true, "\(messages)")
    }
}
