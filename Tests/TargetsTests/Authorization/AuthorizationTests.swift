import Events
import Foundation
import HTTPTypes
import TestSupport
import Testing
import YAML

@testable import Targets

@Suite("How a target says who it is")
struct AuthorizationTests {
    private func headers(_ keys: String, url: String = "https://crm.example/") throws -> (HeaderFields?, [String]) {
        let (blueprint, messages) = try decode("{type: http, url: \"\(url)\", \(keys)}")
        return ((blueprint as? HTTPBlueprint)?.request.headers, messages)
    }

    @Test("nothing, a bearer token, a user and password, or a key in a header of its own")
    func forms() throws {
        #expect(try headers("auth: none").0?["Authorization"] == nil)
        #expect(try headers("token: abc").0?["Authorization"] == "Bearer abc")
        #expect(try headers("auth: {bearer: abc}").0?["Authorization"] == "Bearer abc")
        #expect(try headers("auth: {basic: {user: a, password: b}}").0?["Authorization"] == "Basic YTpi")
        let key = try headers("auth: {api_key: {header: X-Api-Key, value: k3y}}").0
        #expect(key?["X-Api-Key"] == "k3y" && key?["Authorization"] == nil)
        #expect(
            try headers("auth: {api_key: {header: Authorization, value: \"Token k3y\"}}").0?["Authorization"]
                == "Token k3y")
    }

    @Test("a key's header is never shown")
    func concealed() throws {
        let (decoded, _) = try decode(
            "{type: http, url: \"https://crm.example/\", auth: {api_key: {header: X-Gate, value: k3y}}}")
        let blueprint = try #require(decoded)
        let rendition = try blueprint.rendition(of: Sample.outgoing(try Sample.event()), hostname: "g", now: .now())
        #expect(rendition.headers.first { $0.name == "X-Gate" }?.value == "***")
        #expect(try !text(#require(blueprint.settings.version).source).contains("k3y"))
    }

    @Test("of files that cannot be read there is a warning, where the target stands, for each once")
    func files() throws {
        let folder = TemporaryDirectory()
        try "".write(toFile: folder.path + "/there.pem", atomically: true, encoding: .utf8)
        let (decoded, messages) = try decode(
            """
            type: http
            url: https://crm.example/
            tls: {ca: \(folder.path)/there.pem, cert: \(folder.path)/cert.pem}
            auth:
              oauth2:
                {token_url: "https://login.example/", client_id: a, client_secret: b, tls: {ca: \(folder.path)/ca.pem, cert: \(folder.path)/cert.pem}}
            """)
        #expect(messages == [])
        var diagnostics = Diagnostics()
        try #require(decoded).warnOfUnreadableFiles(&diagnostics)
        let told = diagnostics.sorted
        #expect(told.count == 2 && told.allSatisfy { $0.severity == .warning && $0.location.line == 1 }, "\(told)")
        for (key, file) in [("cert", "cert.pem"), ("ca", "ca.pem")] {
            #expect(told.contains { $0.message.contains("`tls: {\(key): …}`") && $0.message.contains(file) })
        }
    }

    @Test(
        "in one way only",
        arguments: [
            ("token: a, auth: {bearer: b}", "keep one of"), ("auth: {}", "takes `none`"),
            ("auth: {basic: {user: a, password: b}, api_key: {header: X, value: y}}", "keep one of"),
            ("auth: {api_key: {header: X, value: y}}, headers: {x: z}", "more than one way"),
            ("token: a, headers: {Authorization: b}", "more than one way"),
            ("auth: {api_key: {header: Host, value: y}}", "cannot be set"),
            ("auth: {api_key: {header: \"a b\", value: y}}", "no header name"),
            ("auth: {api_key: {header: X, value: \"a\\nb\"}}", "line end"),
            ("auth: {api_key: {header: X}}", "needs `value:`"),
            ("auth: {oauth: {}}", "oauth2"), ("auth: yes", "mapping"),
        ])
    func wrong(keys: String, message: String) throws {
        let (headers, messages) = try headers(keys)
        #expect(headers == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }
}
