import Events
import HTTPTypes
import TestSupport
import Testing

@testable import Targets

@Suite("What is kept of what a receiver was sent and repeats")
struct SecretMaskTests {
    @Test(
        "is kept without what authenticates the target",
        arguments: [
            "token: \"${env:TOKEN}\"", "auth: {bearer: t0ken/of-some+length}", "headers: {X-Key: \"${env:TOKEN}\"}",
            "auth: {api_key: {header: X-Key, value: \"Key t0ken/of-some+length\"}}",
            "auth: {basic: {user: gate, password: \"${env:TOKEN}\"}}", "body: {key: \"${env:TOKEN}\"}",
            "form: {key: \"${env:TOKEN}\"}",
        ], [200, 422, 503])
    func echo(keys: String, status: Int) async throws {
        let secret = "t0ken/of-some+length"
        let server = ScriptedServer(answering: { request in
            // As echo services and error pages do, some with the slashes of JSON escaped.
            var text = "\(request.headers.fields.map { "\($0.name)=\($0.value)" }) \(secret)"
            text += " \(secret.replacing("/", with: "\\/")) \(String(decoding: request.body, as: UTF8.self))"
            return HTTPResponse(status: status, headers: ["X-You-Sent": secret], body: Array(text.utf8))
        })
        let (blueprint, messages) = try decode(
            "{type: http, url: \"\(server.url())\", allow: 127.0.0.1/32, \(keys)}", environment: ["TOKEN": secret])
        #expect(messages == [])
        let outcome = await (try #require(blueprint).make(testContext())).send(Sample.outgoing(try Sample.event()))
        let exchange = try #require(outcome.exchange)
        let answer = try #require(exchange.answer)
        for bytes in [answer.body, answer.headerLines, outcome.failure?.response ?? []] {
            for hidden in [secret, "t0ken\\/of-some", "Z2F0ZTp0MGtlbi9vZi1zb21lK2xlbmd0aA=="] {
                #expect(!text(bytes).contains(hidden), "\(text(bytes))")
            }
        }
        #expect(text(answer.body).contains("***") && text(answer.headerLines).contains("X-You-Sent: ***"))
    }

    @Test(
        "and what is kept of a request that failed: the references stand in it as they are written",
        arguments: ["body", "form"])
    func requests(key: String) async throws {
        let bodies = Collected<[UInt8]>()
        let server = ScriptedServer(answering: { request in
            bodies.append(request.body)
            return HTTPResponse(status: 400)
        })
        for secret in ["s3", "t0ken/of \"some\" length&+é"] {
            let (blueprint, _) = try decode(
                """
                {type: http, url: "\(server.url())", allow: 127.0.0.1/32,
                 \(key): {key: "${env:TOKEN}", name: "{visitor.name}"}}
                """, environment: ["TOKEN": secret])
            let target = try #require(blueprint).make(testContext())
            let failure = try #require(await target.send(Sample.outgoing(try Sample.event())).failure)
            let exchange = try #require(failure.exchange)
            let sent = try #require(bodies.values.last)
            #expect(
                text(exchange.request ?? [])
                    == (key == "form"
                        ? "key=${env:TOKEN}&name=John%20Smith" : #"{"key":"${env:TOKEN}","name":"John Smith"}"#))
            #expect(exchange.digest == PlainSHA256.hash(sent) && exchange.size == sent.count)
        }
    }

    @Test("is found wherever it stands, the longest first, and what is short is left")
    func places() {
        func hidden(_ text: String, _ secrets: [String]) -> String {
            var bytes = Array(text.utf8)
            SecretMask(secrets).hide(in: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(hidden("secretsecret a secret", ["secret"]) == "****** a ***")
        #expect(hidden("ababababac", ["ababac"]) == "abab***")
        #expect(hidden("longer-secret", ["secret", "longer-secret"]) == "***")
        #expect(hidden("abc abcde", ["abc", "abcde"]) == "abc abcde")
        #expect(hidden("", ["secret"]) == "" && hidden("secre", ["secret"]) == "secre")
        #expect(hidden("text", []) == "text")
    }

    @Test("is kept without what stands in the query of the URL, and with the scheme of an access token")
    func queries() async throws {
        let server = ScriptedServer(answering: { request in
            guard request.target == "/token" else {
                let header = request.headers["Authorization"] ?? ""
                return HTTPResponse(status: 200, body: Array("\(header) \(request.target)".utf8))
            }
            return .json(#"{"access_token":"t0ken-of-some-length"}"#)
        })
        let (blueprint, messages) = try decode(
            """
            {type: http, url: "\(server.url("/hook?code=s3cret-code&v=2"))", allow: 127.0.0.1/32,
             auth: {oauth2: {token_url: "\(server.url("/token"))", client_id: a, client_secret: b}}}
            """)
        #expect(messages == [])
        let outcome = await (try #require(blueprint).make(testContext())).send(Sample.outgoing(try Sample.event()))
        #expect(text(outcome.exchange?.answer?.body ?? []) == "Bearer *** /hook?code=***&v=2")
    }

    @Test("is read whole before anything of it is hidden: `response:` may ask for it")
    func judged() async throws {
        let server = ScriptedServer(answering: { _ in .json(#"{"account":"account-7"}"#) })
        let (blueprint, _) = try decode(
            """
            {type: http, url: "\(server.url())", allow: 127.0.0.1/32, headers: {X-Account: account-7},
             response: {ok: {/account: account-7}}}
            """)
        let outcome = await (try #require(blueprint).make(testContext())).send(Sample.outgoing(try Sample.event()))
        #expect(outcome.receipt?.status == 200)
        #expect(text(outcome.exchange?.answer?.body ?? []) == #"{"account":"***"}"#)
    }
}
