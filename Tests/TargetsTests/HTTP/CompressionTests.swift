import Events
import Foundation
import HTTPTypes
import Signatures
import TestSupport
import Testing

@testable import Targets

@Suite("Compressed requests")
struct CompressionTests {
    /// As gzip's own program reads it; nil when it is not whole.
    static func inflated(_ bytes: [UInt8]) throws -> [UInt8]? {
        let folder = TemporaryDirectory()
        let file = folder.path + "/body"
        try Data(bytes).write(to: URL(fileURLWithPath: file + ".gz"))
        guard try run("gzip", ["-d", file + ".gz"]).status == 0 else { return nil }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
    }

    @Test(
        "are read back by gzip, whatever the body",
        arguments: [0, 1, 2, 100, 65_535, 65_536, 65_537, 1 << 20])
    func encoder(size: Int) throws {
        let encoder = try GzipEncoder()
        var random = SystemRandomNumberGenerator()
        let text = Array("{\"visitor\":{\"name\":\"Ada\"}}".utf8)
        let bodies = [
            (0..<size).map { text[$0 % text.count] }, (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) },
        ]
        for body in bodies {
            let compressed = encoder.compress(body)
            #expect(try Self.inflated(compressed) == body)
            #expect(encoder.compress(body) == compressed, "the same body, the same bytes")
            #expect(Array(compressed[4..<8]) == [0, 0, 0, 0], "no time")
        }
        if size >= 65_535 { #expect(encoder.compress(bodies[0]).count < size / 20) }
    }

    @Test("say so, are whole, and are counted as they went over the wire", arguments: ["http", "webhook"])
    func overTheWire(type: String) async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 200)
        })
        let (blueprint, messages) = try decode(
            "{type: \(type), url: \"\(server.url())\", allow: 127.0.0.1/32, compression: gzip}")
        #expect(messages == [])
        let target = try #require(blueprint).make(testContext())
        let event = try Sample.event(name: String(repeating: "Ada ", count: 500))
        for _ in 0..<3 {
            let receipt = try #require(await target.send(Sample.outgoing(event)).receipt)
            let request = try #require(requests.values.last)
            #expect(request.headers.values("Content-Encoding") == ["gzip"])
            #expect(request.headers["Content-Length"] == "\(request.body.count)")
            #expect(try Self.inflated(request.body) == event.payload)
            #expect(receipt.bytes == request.body.count && receipt.bytes < event.payload.count / 2)
        }
        #expect(Set(requests.values.map(\.body)).count == 1)
    }

    @Test("are signed as the receiver's program sees them: before compression, a batch whole")
    func signed() async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 204)
        })
        let (blueprint, _) = try decode(
            """
            {type: webhook, url: "\(server.url("/hook"))", allow: 127.0.0.1/32, compression: gzip, batch: {},
             sign: {scheme: standard-webhooks, secrets: [whsec_c2VjcmV0]}}
            """)
        let target = try #require(blueprint).make(testContext())
        let events = try BatchTests.outgoing()
        let outcome = await target.send(events)
        guard case .all(.delivered) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let request = try #require(requests.values.first)
        let body = try #require(try Self.inflated(request.body))
        #expect(text(body) == "[" + events.map { text($0.event.payload) }.joined(separator: ",") + "]")
        let verifier = try SignatureVerifier(
            scheme: .standardWebhooks, secrets: [NamedSecret(name: "s", value: "whsec_c2VjcmV0")],
            tolerance: .seconds(300))
        let verified = verifier.verify(
            headers: request.headers, url: server.url("/hook"), body: body,
            nowSeconds: Timestamp.now().milliseconds / 1000)
        #expect((try? verified.get()) != nil)
    }

    @Test(
        "are refused where there is nothing to compress, or not by this way",
        arguments: [
            "{type: http, url: \"https://x.example/\", compression: zstd}",
            "{type: http, url: \"https://x.example/\", method: GET, compression: gzip}",
            "{type: http, url: \"https://x.example/\", headers: {content-encoding: gzip}}",
            "{type: file, path: x, compression: gzip}",
        ])
    func refused(text: String) throws {
        let (blueprint, messages) = try decode(text)
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }
}
