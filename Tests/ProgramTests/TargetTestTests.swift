import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("targets test") struct TargetTestTests {
        /// A receiver that takes what it is sent, and one that does not.
        private final class Receivers: Sendable {
            let requests = Mutex<[ScriptedRequest]>([])
            private let server = Mutex<ScriptedServer?>(nil)

            init() {
                let server = ScriptedServer(answering: { [weak self] request in
                    self?.requests.withLock { $0.append(request) }
                    return request.target == "/refuses"
                        ? HTTPResponse(status: 422, body: Array("no such field".utf8)) : HTTPResponse(status: 201)
                })
                self.server.withLock { $0 = server }
            }

            func url(_ path: String) -> String { server.withLock { $0?.url(path) ?? "" } }
            var tested: [ScriptedRequest] {
                requests.withLock { $0.filter { $0.headers["gatehouse-test"] == "true" } }
            }
        }

        private static let viewer = "kestrel-console-viewer-0001"
        private static let doer = "kestrel-console-operator-0002"

        private static func installation(_ receivers: Receivers) throws -> Installation {
            let configuration = Installation.configuration(
                targets: """
                      good:
                        type: webhook
                        url: "\(receivers.url("/takes?key=query-secret"))"
                        allow: [127.0.0.1/32]
                        compression: gzip
                        headers: {X-Api-Key: header-secret}
                      bad: {type: http, url: "\(receivers.url("/refuses"))", allow: [127.0.0.1/32]}
                      archive: {type: file, path: ./archive.ndjson}
                    """
            ).replacing(
                "console: \"127.0.0.1:0\"",
                with: """
                    console:
                      listen: "127.0.0.1:0"
                      tokens:
                        - {name: looker, role: viewer, token: "${env:VIEWER}"}
                        - {name: doer, role: operator, token: "${env:DOER}"}
                    """)
            return try Installation(
                configuration, files: ["routes.yaml": "routes: [{name: all, to: [good, bad, archive]}]\n"],
                environment: Secrets.environment.merging(["VIEWER": viewer, "DOER": doer]) { $1 })
        }

        @Test("shows the exchange, of a running instance and of a stopped one, and counts nothing")
        func exchange() async throws {
            let receivers = Receivers()
            let installation = try Self.installation(receivers)
            let before = try await installation.gatehouse("targets", "test", "good", "--json")
            #expect(before.status == 0, "\(before)")

            let service = try await installation.start()
            let good = try await installation.gatehouse("targets", "test", "good", "--json")
            #expect(good.status == 0, "\(good)")
            let report = try JSON.object(good.output)
            #expect(report["delivered"] as? Bool == true && report["status"] as? Int == 201)
            #expect(!good.output.contains("secret"))
            let bad = try await installation.gatehouse("targets", "test", "bad")
            #expect(bad.status == 1)
            for text in [
                "did not take the sample", "http_422", "> POST ", "> gatehouse-test: true", "< 422", "< no such field",
            ] {
                #expect(bad.output.contains(text), "\(text)\n\(bad.output)")
            }
            let file = try await installation.gatehouse("targets", "test", "archive", "--json")
            #expect(file.status == 0, "\(file)")
            let id = try #require(try JSON.object(file.output)["event"] as? String)
            #expect(installation.read("archive.ndjson").contains(id) && id.hasPrefix("7e577e57"))
            let unknown = try await installation.gatehouse("targets", "test", "nobody")
            #expect(unknown.status == 1 && unknown.errors.contains("nobody"))
            #expect(receivers.tested.count == 3)

            for name in ["good", "bad", "archive"] {
                let target = try await installation.target(name)
                #expect(target?["delivered"] as? Int == 0 && target?["pending"] as? Int == 0, "\(name)")
            }
            #expect(try await installation.balance()["accepted"] as? Int == 0)
            #expect(try await installation.deliveries().isEmpty)
            // A paused target is tried out all the same.
            #expect(try await installation.gatehouse("targets", "pause", "good").status == 0)
            #expect(try await installation.gatehouse("targets", "test", "good").status == 0)

            await service.stop()
            #expect(try await installation.gatehouse("targets", "test", "good").status == 0)
            #expect(try await installation.gatehouse("targets", "test", "bad").status == 1)
            #expect(receivers.tested.count == 6)
        }

        @Test("is an operator's, and is in the audit log, also over the API")
        func audited() async throws {
            let receivers = Receivers()
            let installation = try Self.installation(receivers)
            let service = try await installation.start()
            #expect(try await service.api("targets/good/test", token: Self.viewer, method: "POST").status == 403)
            let answer = try await service.api("targets/good/test", token: Self.doer, method: "POST")
            #expect(answer.status == 200, "\(answer)")
            #expect(try JSON.object(answer.text)["delivered"] as? Bool == true)
            #expect(try await service.api("targets/nobody/test", token: Self.doer, method: "POST").status == 409)
            #expect(receivers.tested.count == 1)
            await service.stop()
            #expect(try await installation.gatehouse("targets", "test", "good").status == 0)
            let again = try await installation.start()
            let audit = try await again.api("audit?order=oldest", token: Self.doer)
            let entries = try JSON.object(audit.text)["items"] as? [[String: Any]] ?? []
            #expect(entries.compactMap { $0["action"] as? String } == ["targets.test", "targets.test"])
            #expect(entries.first?["actor"] as? String == "doer" && entries.first?["subject"] as? String == "good")
        }
    }
}
