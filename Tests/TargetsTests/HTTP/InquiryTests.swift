import Events
import HTTPTypes
import Signatures
import Synchronization
import TestSupport
import Testing

@testable import Targets

@Suite("Asking a target")
struct InquiryTests {
    private func inquiry(_ text: String) throws -> TargetInquiry {
        let (blueprint, messages) = try decode(text)
        #expect(messages == [])
        let known = try #require(blueprint)
        return try #require(TargetInquiry(known))
    }

    private func ask(
        _ server: ScriptedServer, _ keys: String = "", within time: Duration = .seconds(20)
    ) async throws -> Result<[UInt8], InquiryFailure> {
        let inquiry = try inquiry("{type: webhook, url: \"\(server.url("/ask"))\", allow: [127.0.0.1/32]\(keys)}")
        let event = try Sample.event()
        return await withCheckedContinuation { continuation in
            inquiry.ask(about: event, within: time, testContext()) { continuation.resume(returning: $0) }
        }
    }

    private func code(_ result: Result<[UInt8], InquiryFailure>) -> String {
        switch result {
        case .success: "200"
        case .failure(let failure): failure.code
        }
    }

    @Test("posts the canonical event once, signed, and hands back what is answered")
    func asking() async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(status: 200, body: Array("{}".utf8))
        })
        let answer = try await ask(server, ", sign: {scheme: standard-webhooks, secrets: [whsec_c2VjcmV0]}")
        #expect(try answer.get() == Array("{}".utf8))
        let request = try #require(requests.values.first)
        #expect(requests.count == 1)
        let payload = try Sample.event().payload
        #expect(request.method == "POST" && request.body == payload)
        let verifier = try SignatureVerifier(
            scheme: .standardWebhooks, secrets: [NamedSecret(name: "s", value: "whsec_c2VjcmV0")],
            tolerance: .seconds(300))
        let verified = verifier.verify(
            headers: request.headers, url: server.url("/ask"), body: request.body,
            nowSeconds: Timestamp.now().milliseconds / 1000)
        #expect((try? verified.get()) != nil)
    }

    @Test(
        "takes nothing but a 200 for an answer, and asks no second time",
        arguments: [201, 204, 302, 404, 412, 500, 503])
    func statuses(_ status: Int) async throws {
        let requests = Collected<ScriptedRequest>()
        let server = ScriptedServer(answering: { request in
            requests.append(request)
            return HTTPResponse(
                status: status, headers: ["Location": "/other", "Retry-After": "1"],
                body: Array(#"{"decision":"admit"}"#.utf8))
        })
        #expect(code(try await ask(server)) == "http_\(status)")
        #expect(requests.count == 1)
    }

    @Test("takes no answer that is too long, nor one that does not come in time")
    func bounds() async throws {
        let huge = ScriptedServer(answering: { _ in
            HTTPResponse(status: 200, body: [UInt8](repeating: 0x20, count: TargetInquiry.maximumAnswer + 1))
        })
        #expect(code(try await ask(huge)) == "answer_too_large")
        let silent = ScriptedServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        #expect(code(try await ask(silent, within: .milliseconds(300))) == "timeout")
    }

    @Test("is for targets of type http and webhook that are enabled")
    func kinds() throws {
        for (text, canBeAsked) in [
            ("{type: webhook, url: \"https://a.example/\"}", true), ("{type: http, url: \"https://a.example/\"}", true),
            ("{type: http, url: \"https://a.example/\", enabled: false}", false), ("{type: file, path: x}", false),
            ("{type: syslog, address: \"tcp://a.example:6514\"}", false),
            ("{type: webhook, url: \"${env:NONE}\"}", false),
        ] {
            let blueprint = try decode(text).blueprint
            #expect((blueprint?.canBeAsked ?? false) == canBeAsked, "\(text)")
        }
    }
}
