import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Envoy's set-up") struct EnvoyTests {
        private static let token = "kestrel-envoy-access-token"

        private func installation() throws -> Installation {
            try Installation(
                targets: Installation.archive, routes: Installation.everythingToArchive,
                environment: ["ENVOY_TOKEN": Self.token])
        }

        private func validate(_ service: Service, _ id: String) async throws -> Answer {
            let body = "{\"meta\":{\"route\":\"validate\",\"install_id\":\(id)},\"payload\":{\"step\":\"done\"}}"
            return try await service.post("/in/lobby/validate", body, headers: Sender.envoy.headers(for: body))
        }

        /// Envoy's API: answers every request so, and notes it.
        private final class API: Sendable {
            private final class Notes: Sendable { let requests = Mutex<[ScriptedRequest]>([]) }

            private let notes = Notes()
            private let server: ScriptedServer

            init(status: Int, body: String = "{}") {
                server = ScriptedServer(answering: { [notes] request in
                    notes.requests.withLock { $0.append(request) }
                    return HTTPResponse(status: status, body: Array(body.utf8))
                })
            }

            var all: [ScriptedRequest] { notes.requests.withLock { $0 } }
            var url: String { server.url("") }
        }

        @Test("tells of the installation, which is kept over restarts, and can be registered by itself")
        func whole() async throws {
            let installation = try installation()
            let service = try await installation.start()
            let answer = try await validate(service, "3088")
            #expect(answer.status == 200 && answer.text == "{}")
            #expect(await service.waitForLog("installation_known"))
            _ = try await validate(service, "\"3088\"")
            #expect(await service.stop() == .exited(0))
            #expect(service.log.count { $0.event == "installation_known" } == 1)

            let list = try await installation.gatehouse("envoy", "list", "--json")
            #expect(try list.objects.map { $0["install"] as? String } == ["3088"], "\(list)")
            #expect(try list.objects.map { $0["source"] as? String } == ["lobby"])
            #expect(try await installation.gatehouse("envoy", "list").output.contains("3088"))

            let api = API(status: 200)
            let outcome = try await installation.gatehouse("envoy", "register", "--url", api.url + "/")
            #expect(outcome.status == 0, "\(outcome)")
            let request = try #require(api.all.first)
            #expect(request.method == "PUT")
            #expect(request.target == "/api/v2/plugin-services/installs/3088/purpose")
            #expect(request.headers["Authorization"] == "Bearer \(Self.token)")
            #expect(request.headers["Content-Type"] == "application/json")
            #expect(String(decoding: request.body, as: UTF8.self) == #"{"purpose":"identity-verification"}"#)
            #expect(api.all.count == 1)

            let again = try await installation.start()
            _ = try await validate(again, "77")
            #expect(await again.stop() == .exited(0))
            let unclear = try await installation.gatehouse("envoy", "register", "--url", api.url)
            #expect(unclear.status == 1 && unclear.errors.contains("name one with --install: 3088, 77"), "\(unclear)")
            #expect(api.all.count == 1)
        }

        @Test(
            "says what is wrong when Envoy does not register it",
            arguments: [
                (401, "{\"message\":\"bad \(token)\"}", "Envoy does not take the token (401)"),
                (404, "{}", "Envoy knows no installation 5 (404)"), (302, "", "sends elsewhere (302)"),
                (429, "no", "Envoy cannot do it now (429)"),
                (422, "{\"error\":\"unknown\\u001b[2J\"}", "it says: unknown"),
            ])
        func refused(_ status: Int, _ body: String, _ text: String) async throws {
            let installation = try installation()
            let api = API(status: status, body: body)
            let words = ["envoy", "register", "--install", "5", "--url", api.url]
            let outcome = try await installation.gatehouse(words: words)
            #expect(outcome.status == 1 && outcome.errors.contains(text), "\(outcome)")
            #expect(!outcome.errors.contains("\u{1b}"))
            let json = try await installation.gatehouse(words: words + ["--json"])
            let object = try #require(try json.objects.first)
            #expect(json.status == 1)
            #expect(object["registered"] as? Bool == false && object["status"] as? Int == status)
            #expect((object["error"] as? String)?.contains(text) == true)
            #expect(api.all.count == 2, "each asks once")
        }

        @Test("is given up when Envoy says nothing, and is not begun without what it needs")
        func unanswered() async throws {
            let installation = try installation()
            let silent = ScriptedServer { connection in
                _ = connection.readRequest()
                connection.waitForClose()
            }
            let late = try await installation.gatehouse(
                "envoy", "register", "--install", "5", "--url", silent.url(""), "--timeout", "1")
            #expect(late.status == 1 && late.errors.contains("did not answer in time"), "\(late)")
            let refused = try await installation.gatehouse(
                "envoy", "register", "--install", "5", "--url", "http://127.0.0.1:\(try freePort())")
            #expect(refused.status == 1 && refused.errors.contains("could not be asked"), "\(refused)")
            let none = try await installation.gatehouse("envoy", "register")
            #expect(none.status == 1 && none.errors.contains("no installation is known"), "\(none)")
            let bare = try await installation.gatehouse(
                words: ["envoy", "register", "--install", "5"], environment: Secrets.environment)
            #expect(bare.status == 1 && bare.errors.contains("ENVOY_TOKEN holds no token"), "\(bare)")
            for words in [["--url", "http://api.envoy.example"], ["--install", "a/b"], ["--timeout", "0"], ["more"]] {
                let outcome = try await installation.gatehouse(words: ["envoy", "register"] + words)
                #expect(outcome.status == 2, "\(outcome)")
            }
        }

        @Test("takes the token from a file, with its line end")
        func tokenFile() async throws {
            let installation = try installation()
            try installation.write("token", Self.token + "\n")
            let api = API(status: 204)
            let outcome = try await installation.gatehouse(
                "envoy", "register", "--install", "5", "--token-file", "token", "--url", api.url)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(api.all.first?.headers["Authorization"] == "Bearer \(Self.token)")
            let missing = try await installation.gatehouse(
                "envoy", "register", "--install", "5", "--token-file", "none")
            #expect(missing.status == 1 && missing.errors.contains("cannot be read"), "\(missing)")
        }
    }
}
