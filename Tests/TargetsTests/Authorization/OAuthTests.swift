import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Synchronization
import TestSupport
import Testing

@testable import Targets

/// Against a token endpoint and a service on this machine.
@Suite("A target that asks for access tokens")
struct OAuthTests {
    /// A token endpoint and a service behind one address.
    private final class Service: Sendable {
        struct State {
            var tokenRequests: [ScriptedRequest] = []
            var requests: [ScriptedRequest] = []
            var good: Set<String> = []
            var answers: [HTTPResponse] = []
        }

        let state = Mutex(State())
        let server: ScriptedServer

        init() {
            let server = Mutex<(@Sendable (ScriptedRequest) -> HTTPResponse)?>(nil)
            self.server = ScriptedServer(answering: { request in
                server.withLock { $0 }?(request) ?? HTTPResponse(status: 500)
            })
            let state = WeakState(self)
            server.withLock { $0 = { request in state.answer(request) } }
        }

        private final class WeakState: Sendable {
            private let service = Mutex<Reference>(Reference())
            struct Reference { weak var service: Service? }
            init(_ service: Service) { self.service.withLock { $0.service = service } }
            func answer(_ request: ScriptedRequest) -> HTTPResponse {
                service.withLock { $0.service }?.answer(request) ?? HTTPResponse(status: 500)
            }
        }

        private func answer(_ request: ScriptedRequest) -> HTTPResponse {
            state.withLock { state in
                if request.target == "/token" {
                    state.tokenRequests.append(request)
                    if !state.answers.isEmpty { return state.answers.removeFirst() }
                    let token = "t\(state.tokenRequests.count)-secret"
                    state.good.insert("Bearer \(token)")
                    return .json(#"{"access_token":"\#(token)","token_type":"bearer","expires_in":3600}"#)
                }
                state.requests.append(request)
                let header = request.headers["Authorization"] ?? ""
                guard state.good.contains(header) else {
                    return .json(#"{"you sent":"\#(header)"}"#, status: 401)
                }
                return HTTPResponse(status: 204)
            }
        }

        var tokenCount: Int { state.withLock { $0.tokenRequests.count } }
        var requests: [ScriptedRequest] { state.withLock { $0.requests } }
        func revoke() { state.withLock { $0.good = [] } }
        func endpointAnswers(_ answers: HTTPResponse...) { state.withLock { $0.answers = answers } }

        func yaml(_ oauth: String) -> String {
            """
            {type: http, url: "\(server.url("/api"))", allow: 127.0.0.1/32,
             auth: {oauth2: {token_url: "\(server.url("/token"))", client_id: "gate:1", \(oauth)}}}
            """
        }

        func target(_ oauth: String = "client_secret: \"s3 cret\"", environment: [String: String] = [:]) throws
            -> any Target
        {
            let (blueprint, messages) = try decode(yaml(oauth), environment: environment)
            #expect(messages == [])
            return try #require(blueprint).make(testContext())
        }
    }

    private func form(_ service: Service) throws -> (form: Form, request: ScriptedRequest) {
        let request = try #require(service.state.withLock { $0.tokenRequests.first })
        return (Form(request.body), request)
    }

    @Test("asks once for many events, and sends each with it")
    func once() async throws {
        let service = Service()
        let target = try service.target()
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let id = Sample.id.dropLast(2) + (number < 10 ? "0\(number)" : "\(number)")
                    guard let event = try? Sample.event(id: String(id)) else { return false }
                    return await target.send(Sample.outgoing(event)).receipt != nil
                }
            }
            for await isDelivered in group { #expect(isDelivered) }
        }
        #expect(service.tokenCount == 1)
        #expect(service.requests.count == 40)
        #expect(service.requests.allSatisfy { $0.headers.values("Authorization") == ["Bearer t1-secret"] })
    }

    @Test("shows the secret in the header, form-encoded, or in the body")
    func secrets() async throws {
        let service = Service()
        _ = await
            (try service.target(
                "client_secret: \"s3 cr:et\", scope: \"a b\", audience: x, parameters: {resource: \"https://r\"}"))
            .send(Sample.outgoing(try Sample.event()))
        let (form, request) = try form(service)
        #expect(request.headers["Authorization"] == "Basic " + Data("gate%3A1:s3%20cr%3Aet".utf8).base64EncodedString())
        #expect(request.method == "POST" && request.headers["Content-Type"] == "application/x-www-form-urlencoded")
        #expect(form["grant_type"] == "client_credentials" && form["scope"] == "a b" && form["audience"] == "x")
        #expect(form["resource"] == "https://r" && form["client_secret"] == nil && form["client_id"] == nil)

        let other = Service()
        _ = await (try other.target("client_secret: \"s3 cr:et\", auth_method: client_secret_post"))
            .send(Sample.outgoing(try Sample.event()))
        let (body, plain) = try self.form(other)
        #expect(plain.headers["Authorization"] == nil)
        #expect(body["client_id"] == "gate:1" && body["client_secret"] == "s3 cr:et")
    }

    @Test("a 401 brings one new token and one more try", arguments: [true, false])
    func refused(endpointGivesGood: Bool) async throws {
        let service = Service()
        let target = try service.target()
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
        service.revoke()
        if !endpointGivesGood { service.endpointAnswers(.json(#"{"access_token":"never-good"}"#)) }
        let outcome = await target.send(Sample.outgoing(try Sample.event()))
        #expect(service.tokenCount == 2 && service.requests.count == 3)
        if endpointGivesGood {
            #expect(outcome.receipt?.status == 204)
        } else {
            #expect(outcome.failure?.code == "http_401" && outcome.failure?.blame == .target)
        }
    }

    @Test("many refused at once bring one new token")
    func refusedTogether() async throws {
        let service = Service()
        let target = try service.target()
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
        service.revoke()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    guard let event = try? Sample.event() else { return false }
                    return await target.send(Sample.outgoing(event)).receipt != nil
                }
            }
            for await isDelivered in group { #expect(isDelivered) }
        }
        #expect(service.tokenCount == 2)
    }

    @Test(
        "what the endpoint answers is the target's fault, under a code of its own",
        arguments: [
            (401, #"{"error":"invalid_client","error_description":"no: s3 cret\r\nTrace 7"}"#, "oauth_invalid_client"),
            (400, #"{"error":"invalid_scope"}"#, "oauth_invalid_scope"),
            (400, #"{"error":"something of its own"}"#, "oauth_http_400"), (400, "<html>", "oauth_http_400"),
            (429, "", "oauth_http_429"), (500, #"{"error":"invalid_client"}"#, "oauth_http_500"),
            (302, "", "oauth_http_302"), (204, "", "oauth_http_204"), (200, "", "oauth_bad_response"),
            (200, "[]", "oauth_bad_response"), (200, #"{"access_token":""}"#, "oauth_bad_response"),
            (200, #"{"access_token":"a b"}"#, "oauth_bad_response"),
            (200, #"{"access_token":"a\r\nX: y"}"#, "oauth_bad_response"),
            (200, #"{"access_token":"a","token_type":"mac"}"#, "oauth_bad_response"),
            (200, #"{"access_token":"\#(String(repeating: "a", count: 17_000))"}"#, "oauth_bad_response"),
            (200, #"{"access_token":"a","x":"\#(String(repeating: "a", count: 70_000))"}"#, "oauth_bad_response"),
        ])
    func failures(status: Int, body: String, code: String) async throws {
        let service = Service()
        service.endpointAnswers(HTTPResponse(status: status, headers: ["Retry-After": "9"], body: Array(body.utf8)))
        let failure = await (try service.target()).send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == code && failure?.blame == .target)
        #expect(failure?.message.contains("s3 cret") == false && failure?.response == [])
        #expect(failure?.retryAfter == .seconds(9) && service.requests.isEmpty)
        #expect(failure?.exchange?.answer == nil)
    }

    @Test("quotes the first line of what the endpoint says, without the secret")
    func explanation() async throws {
        let service = Service()
        service.endpointAnswers(
            .json(
                #"{"error":"invalid_client","error_description":"AADSTS7: no s3 cret, s3%20cret or Z2F0ZSUzQTE6czMlMjBjcmV0\r\nTrace"}"#,
                status: 401))
        let failure = await (try service.target()).send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.message.hasSuffix("answered 401: invalid_client (AADSTS7: no ***, *** or ***)") == true)
    }

    @Test(
        "reads a lifetime in all the ways it is written, and takes a token without one",
        arguments: [
            ("3599", 3599), ("\"3599\"", 3599), ("3599.0", 3599), ("3.6e3", 3600), ("0", nil), ("-1", nil),
            ("null", nil), ("\"soon\"", nil), ("[]", nil), ("1e300", 366 * 86_400),
            ("99999999999999999999999", 366 * 86_400),
        ] as [(String, Int?)])
    func lifetimes(text: String, seconds: Int?) throws {
        let endpoint = try #require(
            (try decode("{type: http, url: \"https://login.example/\"}").blueprint as? HTTPBlueprint)?.request.endpoint)
        let response = HTTPClientResponse(
            status: 200, body: Array(#"{"access_token":"odd","expires_in":\#(text)}"#.utf8))
        guard
            case .token("odd", let lifetime) = TokenAnswer(
                .success(response), from: endpoint, explanation: nil, now: .now())
        else { return #expect(Bool(false)) }
        #expect(lifetime == seconds.map { .seconds($0) })
    }

    @Test("shows the certificate of the target to both, and one of its own to the endpoint")
    func certificates() async throws {
        let authority = try LocalAuthority()
        let identity = try authority.issue()
        let tokens = Collected<ScriptedRequest>()
        let endpoint = ScriptedServer(
            tls: ServerTLS(identity, clientCAFile: authority.caFile),
            answering: { request in
                tokens.append(request)
                return .json(#"{"access_token":"t1","expires_in":3600}"#)
            })
        let service = ScriptedServer(
            tls: ServerTLS(identity, clientCAFile: authority.caFile),
            answering: { HTTPResponse(status: $0.headers["Authorization"] == "Bearer t1" ? 204 : 401) })
        let ours = try authority.issue(["DNS:gate.test"])
        let shown = "{ca: \(authority.caFile), cert: \(ours.certFile), key: \(ours.keyFile)}"
        func outcome(_ own: String) async throws -> DeliveryOutcome {
            let (blueprint, messages) = try decode(
                """
                {type: http, url: "\(service.url("/", scheme: "https"))", allow: 127.0.0.1/32, tls: \(shown),
                 auth: {oauth2: {token_url: "\(endpoint.url("/t", scheme: "https"))", client_id: a, client_secret: b\(own)}}}
                """)
            #expect(messages == [])
            return await (try #require(blueprint).make(testContext())).send(Sample.outgoing(try Sample.event()))
        }
        #expect(try await outcome("").receipt?.status == 204)
        #expect(try await outcome(", tls: \(shown)").receipt?.status == 204)
        #expect(tokens.count == 2)
        let refused = try await outcome(", tls: {ca: \(authority.caFile)}").failure
        #expect(["oauth_tls_refused", "oauth_connection_closed"].contains(refused?.code))
        let untrusted = try await outcome(", tls: {cert: \(ours.certFile), key: \(ours.keyFile)}").failure
        #expect(untrusted?.code == "oauth_tls_untrusted" && tokens.count == 2)
    }

    @Test("is another target with another secret, so that a reload takes it")
    func rotation() throws {
        let service = Service()
        let fingerprints = try ["one", "two"].map { secret in
            try #require(
                try decode(service.yaml("client_secret: \"${env:S}\""), environment: ["S": secret]).blueprint
            ).settings.fingerprint
        }
        #expect(fingerprints[0] != fingerprints[1])
    }

    @Test("an endpoint that cannot be reached, or may not be, is told apart from the service")
    func unreachable() async throws {
        let service = Service()
        let gone = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        let port = gone.port
        gone.stop()
        let oauth = "client_secret: s, "
        let text = service.yaml(oauth).replacing(service.server.url("/token"), with: "http://127.0.0.1:\(port)/token")
        let target = try #require(try decode(text).blueprint).make(testContext())
        let failure = await target.send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.code == "oauth_connect_refused" && failure?.blame == .target)
        #expect(service.requests.isEmpty)

        let (blueprint, messages) = try decode(
            """
            {type: http, url: "https://crm.example/", auth: {oauth2: {token_url: "http://127.0.0.1:\(port)/", client_id: a, client_secret: b}}}
            """)
        #expect(blueprint == nil && messages.count == 1 && messages[0].contains("loopback"))
    }

    @Test("the token stands in nothing that is kept or shown")
    func concealed() async throws {
        let service = Service()
        let (decoded, _) = try decode(
            service.yaml("client_secret: \"${env:SECRET}\""), environment: ["SECRET": "s3cret"])
        let blueprint = try #require(decoded)
        let target = try blueprint.make(testContext())
        let event = try Sample.event()
        #expect(await target.send(Sample.outgoing(event)).receipt != nil)
        // The service repeats what it was sent, twice refused.
        service.revoke()
        service.endpointAnswers(.json(#"{"access_token":"t9-secret"}"#))
        let failure = try #require(await target.send(Sample.outgoing(event)).failure)
        let answer = try #require(failure.exchange?.answer)
        for bytes in [failure.response, answer.body, answer.headerLines, answer.maskedHeaderLines] {
            #expect(!text(bytes).contains("-secret"))
        }
        #expect(text(answer.body).contains("***") && !failure.message.contains("secret"))
        let rendition = try blueprint.rendition(of: Sample.outgoing(event), hostname: "gate", now: .now())
        #expect(rendition.headers.first { $0.name == "Authorization" }?.value == "***")
        let version = try #require(blueprint.settings.version)
        #expect(!text(version.source).contains("s3cret") && text(version.source).contains("${env:SECRET}"))
    }

    @Test("a secret that stands in the configuration is not kept with it")
    func plainSecret() throws {
        let service = Service()
        let blueprint = try #require(try decode(service.yaml("client_secret: pla1n")).blueprint)
        #expect(try !text(#require(blueprint.settings.version).source).contains("pla1n"))
    }

    @Test("a certificate is that of the key")
    func certificate() throws {
        let folder = TemporaryDirectory()
        var files: [String: String] = [:]
        for name in ["OWN", "OTHER"] {
            let (key, certificate) = ("\(folder.path)/\(name).key", "\(folder.path)/\(name).pem")
            let made = try run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=gate",
                    "-keyout", key, "-out", certificate,
                ])
            #expect(made.status == 0)
            files[name + "_KEY"] = try String(contentsOfFile: key, encoding: .utf8)
            files[name] = try String(contentsOfFile: certificate, encoding: .utf8)
        }
        func messages(_ name: String) throws -> [String] {
            let yaml = Service().yaml("private_key: \"${env:OWN_KEY}\", certificate: \"${env:\(name)}\"")
            return try decode(yaml, environment: files).messages
        }
        #expect(try messages("OWN") == [])
        let other = try messages("OTHER")
        #expect(other.count == 1 && other[0].contains("of another key"), "\(other)")
    }

    @Test(
        "is checked when it is read",
        arguments: [
            ("", "needs one of `client_secret:` and `private_key:`"),
            ("client_secret: a, private_key: b", "needs one of"), ("client_secret: a, scop: b", "scop"),
            ("client_secret: a, auth_method: private_key_jwt", "goes with `private_key:`"),
            ("client_secret: a, auth_method: basic", "client_secret_basic"),
            ("client_secret: a, key_id: b", "goes with `private_key:`"), ("private_key: b", "cannot sign"),
            ("client_secret: \"\"", "an empty one"),
        ])
    func wrong(oauth: String, message: String) throws {
        let (blueprint, messages) = try decode(Service().yaml(oauth))
        #expect(blueprint == nil)
        #expect(messages.contains { $0.contains(message) && $0.hasPrefix("2:") }, "\(messages)")
    }
}
