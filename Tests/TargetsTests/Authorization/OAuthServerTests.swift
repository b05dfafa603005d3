import Events
import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import Targets

/// Authlib's authorization server, which many services are built with, answers for the token endpoint.
@Suite("An authorization server that is not ours", .enabled(if: PythonEnvironment.isAvailable))
struct OAuthServerTests {
    private static let program = #"""
        import json, os, sys
        from urllib.parse import parse_qsl
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, InvalidClientError, OAuth2Request
        from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
        from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
        from authlib.oauth2.rfc6750 import BearerTokenGenerator
        from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey, RSAKey

        given = json.load(sys.stdin)
        known = given["client"]
        seen = {}

        class Client(ClientMixin):
            def get_client_id(self): return known["id"]
            def get_allowed_scope(self, scope): return scope if scope == "crm write" else None
            def check_client_secret(self, secret): return secret == known["secret"]
            def check_endpoint_auth_method(self, method, endpoint): return method == known["method"]
            def check_grant_type(self, grant_type): return grant_type == "client_credentials"

        class Assertion(JWTBearerClientAssertion):
            def get_audiences(self): return [given["url"]]
            def resolve_client_public_key(self, client):
                return (ECKey if known["kind"] == "EC" else RSAKey).import_key(known["public_key"])
            def extract_assertion(self, assertion):
                header, claims = super().extract_assertion(assertion)
                seen.update(header=header, claims=claims)
                return header, claims
            def validate_jti(self, claims, jti): return jti not in given["used"]
            # By itself it does not recommend PS256, which Microsoft's services do.
            def process_assertion_claims(self, assertion, key):
                try:
                    claims = jwt.decode(assertion, key, algorithms=["RS256", "PS256", "ES256"]).claims
                except JoseError as error:
                    raise InvalidClientError(description=error.description)
                self.verify_claims(claims)

        class Grant(ClientCredentialsGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", Assertion.CLIENT_AUTH_METHOD]

        class Request(OAuth2Request):
            form = dict(parse_qsl(given["body"], keep_blank_values=True, strict_parsing=True))

        class Server(AuthorizationServer):
            def query_client(self, client_id): return Client() if client_id == known["id"] else None
            def save_token(self, token, request): pass
            def send_signal(self, name, *args, **kwargs): pass
            def create_oauth2_request(self, request):
                made = Request("POST", given["url"], headers=given["headers"])
                made.payload = BasicOAuth2Payload(made.form)
                return made
            def handle_response(self, status, body, headers): return {"status": status, "body": body}

        server = Server()
        server.register_grant(Grant)
        server.register_client_auth_method(Assertion.CLIENT_AUTH_METHOD, Assertion(leeway=0))
        server.register_token_generator(
            "default", BearerTokenGenerator(lambda **_: os.urandom(12).hex(), expires_generator=3600))
        print(json.dumps({**server.create_token_response(None), **seen}))
        """#

    /// A client as the server knows it, and how the configuration says that it is that client.
    private struct Client {
        var known: [String: String]
        var keys: String
        var environment: [String: String] = [:]
    }

    private final class Endpoint: Sendable {
        /// What the server read out of assertions.
        let assertions = Collected<[String: String]>()
        let server: ScriptedServer

        init(_ client: [String: String]) throws {
            let (tokens, assertions) = (Collected<String>(), assertions)
            let address = Mutex("")
            server = ScriptedServer(answering: { request in
                guard request.target == "/token" else {
                    let isKnown = tokens.values.contains { request.headers["Authorization"] == "Bearer \($0)" }
                    return HTTPResponse(status: isKnown ? 204 : 401)
                }
                let given: [String: Any] = [
                    "client": client, "url": address.withLock { $0 },
                    "used": assertions.values.compactMap { $0["jti"] },
                    "body": String(decoding: request.body, as: UTF8.self),
                    "headers": Dictionary(request.headers.fields.map { ($0.name, $0.value) }) { $1 },
                ]
                guard let input = try? JSONSerialization.data(withJSONObject: given),
                    let run = try? run(
                        PythonEnvironment.program("python"), ["-c", OAuthServerTests.program],
                        input: String(decoding: input, as: UTF8.self)),
                    let answer = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any],
                    let status = answer["status"] as? Int, let body = answer["body"] as? [String: Any],
                    let text = try? JSONSerialization.data(withJSONObject: body)
                else {
                    Issue.record("the authorization server does not work")
                    return HTTPResponse(status: 500)
                }
                if let token = body["access_token"] as? String { tokens.append(token) }
                if let header = answer["header"] as? [String: Any], let claims = answer["claims"] as? [String: Any] {
                    assertions.append(header.merging(claims) { $1 }.mapValues { "\($0)" })
                }
                return .json(String(decoding: text, as: UTF8.self), status: status)
            })
            address.withLock { $0 = server.url("/token") }
        }

        func target(_ client: Client) throws -> any Target {
            let (blueprint, messages) = try decode(
                """
                {type: http, url: "\(server.url("/api"))", allow: 127.0.0.1/32,
                 auth: {oauth2: {token_url: "\(server.url("/token"))", scope: crm write, \(client.keys)}}}
                """, environment: client.environment)
            #expect(messages == [])
            return try #require(blueprint).make(testContext())
        }
    }

    @Test(
        "takes a client by its secret, whatever is in it, and no other",
        arguments: ["client_secret_basic", "client_secret_post"])
    func secrets(method: String) async throws {
        let (id, secret) = ("gate 1:ü&=+", #"s3 cr:et+/=&%41"é"#)
        let known = ["id": id, "secret": secret, "method": method]
        let endpoint = try Endpoint(known)
        let keys = "client_id: \(quoted(id)), client_secret: \"${env:SECRET}\", auth_method: \(method)"
        let event = Sample.outgoing(try Sample.event())
        let client = Client(known: known, keys: keys, environment: ["SECRET": secret])
        #expect(await (try endpoint.target(client)).send(event).receipt?.status == 204)
        let stranger = Client(known: known, keys: keys, environment: ["SECRET": "s3 cr:et"])
        let failure = await (try endpoint.target(stranger)).send(event).failure
        #expect(failure?.code == "oauth_invalid_client" && failure?.blame == .target)
        #expect(failure?.message.contains("(The client cannot authenticate with methods") == true)
    }

    @Test(
        "takes an assertion that a key of the client has signed, and no other", arguments: ["RS256", "PS256", "ES256"])
    func assertions(algorithm: String) async throws {
        let folder = TemporaryDirectory()
        func key(_ name: String) throws -> String {
            let kind =
                algorithm == "ES256"
                ? ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            let file = "\(folder.path)/\(name).pem"
            #expect(try run("openssl", ["genpkey", "-quiet", "-out", file, "-algorithm"] + kind).status == 0)
            return try String(contentsOfFile: file, encoding: .utf8)
        }
        let (own, strange) = (try key("own"), try key("strange"))
        let published = try run("openssl", ["pkey", "-pubout", "-in", folder.path + "/own.pem"]).output
        let known = [
            "id": "gate", "public_key": published, "kind": algorithm == "ES256" ? "EC" : "RSA",
            "method": "client_assertion_jwt",
        ]
        let endpoint = try Endpoint(known)
        let keys = "client_id: gate, private_key: \"${env:KEY}\", algorithm: \(algorithm), key_id: key-7"
        let event = Sample.outgoing(try Sample.event())
        // Two clients, so that two assertions are made.
        for _ in 0..<2 {
            let client = Client(known: known, keys: keys, environment: ["KEY": own])
            #expect(await (try endpoint.target(client)).send(event).receipt?.status == 204)
        }
        let failure = await (try endpoint.target(Client(known: known, keys: keys, environment: ["KEY": strange]))).send(
            event
        ).failure
        #expect(failure?.code == "oauth_invalid_client")
        let read = endpoint.assertions.values
        #expect(read.count == 3 && Set(read.compactMap { $0["jti"] }).count == 3)
        let first = try #require(read.first)
        #expect(first["alg"] == algorithm && first["kid"] == "key-7" && first["typ"] == "JWT")
        #expect(first["iss"] == "gate" && first["sub"] == "gate" && first["aud"] == endpoint.server.url("/token"))
        let (issued, ends) = (Int(first["iat"] ?? "") ?? 0, Int(first["exp"] ?? "") ?? 0)
        #expect(issued > 0 && ends > issued && ends <= issued + 300)
    }

    @Test("says what is wrong with a scope")
    func scope() async throws {
        let known = ["id": "gate", "secret": "s3cret", "method": "client_secret_basic"]
        let endpoint = try Endpoint(known)
        let (blueprint, _) = try decode(
            """
            {type: http, url: "\(endpoint.server.url("/api"))", allow: 127.0.0.1/32, auth: {oauth2: {
             token_url: "\(endpoint.server.url("/token"))", scope: all, client_id: gate, client_secret: s3cret}}}
            """)
        let target = try #require(blueprint).make(testContext())
        #expect(await target.send(Sample.outgoing(try Sample.event())).failure?.code == "oauth_invalid_scope")
    }
}
