import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("A target under a field policy")
struct PoliciedTargetTests {
    private let redacting = "redact: [visitor.name, visitor.email, host, personal, additional]"

    private func body(_ request: ScriptedRequest) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
    }

    @Test(
        "is sent what is left, by itself and in batches, with the id the event has everywhere",
        arguments: ["", ", batch: {}"])
    func sending(batch: String) async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 200)
        })
        let (blueprint, messages) = try decode(
            "{type: webhook, url: \"\(server.url())\", allow: 127.0.0.1/32, \(redacting)\(batch)}")
        #expect(messages == [])
        let target = try #require(blueprint).make(testContext())
        defer { target.close() }
        let outgoing = Sample.outgoing(try Sample.event())
        if batch.isEmpty { _ = await target.send(outgoing) } else { _ = await target.send([outgoing, outgoing]) }
        let request = try #require(requests.values.first)
        let text = text(request.body)
        for gone in ["John", "john@", "Adele", "Director", "ABC 123", "Acme Ltd", "original"] {
            #expect(!text.contains(gone), "\(gone)")
        }
        #expect(text.contains(#""visitor":{"id":"1234","returning":false}"#) && text.contains(Sample.id))
        #expect(text.hasPrefix("[") == !batch.isEmpty)
    }

    @Test("is shown, and shown again as it was sent, under its policy")
    func history() throws {
        let blueprint = try #require(
            try decode(
                "{type: http, url: \"https://crm.example/\", body: {n: \"{visitor.name}\", i: \"{visitor.id}\"}, \(redacting)}"
            )
            .blueprint)
        let outgoing = Sample.outgoing(try Sample.event())
        let shown = try blueprint.rendition(of: outgoing, hostname: "gate", now: .now())
        #expect(text(shown.bytes) == #"{"n":null,"i":"1234"}"#)
        let version = try #require(blueprint.settings.version)
        let then = try version.blueprint(present: nil, environment: { _ in nil }, readFile: { _ in "" })
        let digest = PlainSHA256.hash(shown.bytes)
        #expect(
            try then.sent([outgoing], hostname: "gate", timestampSeconds: nil, digest: digest)?.bytes == shown.bytes)
    }

    @Test("is asked about what is left")
    func asked() async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 200, body: Array("{}".utf8))
        })
        let blueprint = try #require(
            try decode("{type: http, url: \"\(server.url())\", allow: 127.0.0.1/32, \(redacting)}").blueprint)
        #expect(blueprint.canBeAsked)
        let inquiry = try #require(TargetInquiry(blueprint))
        let event = try Sample.event()
        let answer = await withCheckedContinuation { continuation in
            inquiry.ask(about: event, within: .seconds(10), testContext()) { continuation.resume(returning: $0) }
        }
        #expect(try answer.get() == Array("{}".utf8))
        let request = try #require(requests.values.first)
        #expect(!text(request.body).contains("John"))
    }

    @Test("is tried out under it")
    func trial() async throws {
        let folder = TemporaryDirectory()
        let blueprint = try #require(
            try decode("{type: file, path: \(folder.path)/a.ndjson, only: visitor.id}").blueprint)
        let target = try blueprint.make(testContext())
        defer { target.close() }
        let report = await withCheckedContinuation { continuation in
            TargetTest.run(target, blueprint.settings, now: .now()) { continuation.resume(returning: $0) }
        }
        let line = try String(contentsOfFile: "\(folder.path)/a.ndjson", encoding: .utf8)
        #expect(line.contains("gatehouse-test") && !line.contains("Gatehouse test") && !line.contains("example.com"))
        #expect(text(try #require(report.sent).bytes) == line)
    }

    @Test(
        "never gets the sender's own payload, whoever asks for it",
        arguments: [
            (
                "{type: webhook, url: \"https://x.example/\", body: original, redact: visitor.name}",
                "this target has a field policy"
            ),
            ("{type: webhook, url: \"https://x.example/\", original: true, redact: visitor.name}", "never sent"),
            (
                "{type: webhook, url: \"https://x.example/\", biometrics: send, only: visitor.id}",
                "no target under a field policy"
            ),
            ("{type: http, url: \"https://x.example/\", only: visitor.id, body: {a: \"{original}\"}}", "original"),
        ])
    func original(text: String, expected: String) throws {
        let (blueprint, messages) = try decode(text)
        #expect(blueprint == nil && messages.contains { $0.contains(expected) }, "\(messages)")
    }

    @Test("of whose hash no key is known here shows no hash that will never be")
    func unresolvedKey() throws {
        let (decoded, _) = try decode(
            "{type: file, path: /x/a.ndjson, hash: {key: \"${env:HASH_KEY}\", fields: visitor.name}}")
        let blueprint = try #require(decoded)
        let shown = try blueprint.rendition(of: Sample.outgoing(try Sample.event()), hostname: "gate", now: .now())
        #expect(text(shown.bytes).contains(#""name":"***""#))
        #expect(throws: TargetError.self) { try blueprint.make(testContext()) }
    }

    @Test("keeps its key out of what is kept of its configuration")
    func keyIsSecret() throws {
        let blueprint = try #require(
            try decode("{type: file, path: /x/a.ndjson, hash: {key: some-secret-of-length, fields: visitor.name}}")
                .blueprint)
        let version = try #require(blueprint.settings.version)
        #expect(!text(version.source).contains("some-secret"))
    }
}

@Suite("The types a webhook is there for")
struct EventTypeSelectionTests {
    @Test("are types, beginnings of types, or both")
    func selection() throws {
        let (blueprint, messages) = try decode(
            "{type: webhook, url: \"https://x.example/\", events: [visitor.signin, session.*]}")
        #expect(messages == [])
        let webhook = try #require(blueprint)
        let events = try #require(webhook.settings.events)
        for type in ["visitor.signin", "session.denied"] { #expect(events.takes(type)) }
        for type in ["visitor.signin.requested", "visitor.signout", "other", "system.dead_letter"] {
            #expect(!events.takes(type))
        }
        #expect(try decode("{type: webhook, url: \"https://x.example/\"}").blueprint?.settings.events == nil)
    }

    @Test(
        "must be types that there are",
        arguments: [("visitor.sigin", "visitor.signin"), ("vistor.*", "visitor.*"), ("*", nil)])
    func errors(name: String, suggestion: String?) throws {
        #expect(try decode("{type: webhook, url: \"https://x.example/\", events: []}").messages.count == 1)
        let (_, messages) = try decode("{type: webhook, url: \"https://x.example/\", events: [\"\(name)\"]}")
        #expect(messages.count == 1 && messages[0].contains("no type of event"), "\(messages)")
        if let suggestion { #expect(messages[0].contains("mean \(suggestion)?"), "\(messages)") }
    }
}
