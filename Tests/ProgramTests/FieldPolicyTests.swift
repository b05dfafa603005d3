import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// What a server was sent.
private final class Received: Sendable {
    private let requests = Mutex<[ScriptedRequest]>([])

    var all: [ScriptedRequest] { requests.withLock { $0 } }
    func add(_ request: ScriptedRequest) { requests.withLock { $0.append(request) } }
}

extension ProgramTests {
    /// Canaries are planted in every text a sender sends, and looked for wherever the program writes, listens or answers.
    @Suite("A field policy") struct FieldPolicyTests {
        private static let mark = "kanarie"

        /// A sender's request with a canary in the place of every text but what says which event it is, and when.
        private static func planted(_ sender: Sender, _ key: String) throws -> SentEvent {
            let plain = sender.event(key)
            let kept = ["event", "type", "EventCode", "event_at", "pushed_at", "date", "timestamp", "signed-in-at"]
            var count = 0
            func plant(_ value: Any, _ name: String) -> Any {
                switch value {
                case let object as [String: Any]:
                    return Dictionary(uniqueKeysWithValues: object.map { ($0.key, plant($0.value, $0.key)) })
                case let list as [Any]: return list.map { plant($0, name) }
                case is String where !kept.contains(name):
                    count += 1
                    return "\(mark)-\(key)-\(count)@example.com"
                default: return value
                }
            }
            let object = try JSONSerialization.jsonObject(with: Data(plain.body.utf8))
            let body = String(decoding: try JSONSerialization.data(withJSONObject: plant(object, "")), as: UTF8.self)
            #expect(count > 1)
            return SentEvent(source: plain.source, body: body, headers: sender.headers(for: body), events: [])
        }

        private static func configuration(_ targets: String, sourceKeys: String = "") -> String {
            Installation.configuration(targets: targets)
                .replacing("console: \"127.0.0.1:0\"", with: "console: {listen: \"127.0.0.1:0\", open: true}")
                .replacing("{vendor:", with: "{\(sourceKeys)vendor:")
        }

        /// Files below the data folder that hold a canary, by their names.
        private static func files(of installation: Installation) -> [String] {
            let folder = installation.path("data")
            let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            return names.filter { name in
                let contents = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
                return contents.range(of: Data(mark.utf8)) != nil
            }
        }

        @Test("of the sources leaves nothing of what it takes away anywhere", arguments: [true, false])
        func sources(hasPolicy: Bool) async throws {
            let refusing = ScriptedServer(answering: { _ in HTTPResponse(status: 422) })
            let installation = try Installation(
                Self.configuration(
                    """
                      archive: {type: file, path: ./archive.ndjson}
                      partner: {type: webhook, url: "\(refusing.url())", allow: [127.0.0.1/32], attempts: 1}
                    """, sourceKeys: hasPolicy ? "only: [visitor.returning], " : ""),
                files: ["routes.yaml": "routes: [{name: all, to: [archive, partner]}]\n"])
            let service = try await installation.start()
            for sender in Sender.allCases {
                #expect(try await service.post(Self.planted(sender, "c")).status == 200, "\(sender)")
            }
            let broken = #"[{"type": "signin.session.created", "name": "\#(Self.mark)"}, {"\#(Self.mark)": tru}]"#
            let answer = try await service.post("/in/guests", broken, headers: Sender.netgraph.headers(for: broken))
            #expect(answer.status == 200)
            let unsigned = try await service.post("/in/london", #"{"a":"\#(Self.mark)"}"#, headers: [])
            #expect(unsigned.status == 401)
            #expect(try await eventually { try await installation.count("dead", at: "partner") == 6 })
            #expect(try await eventually { try await installation.count("delivered", at: "archive") == 6 })

            var told = [installation.read("archive.ndjson")]
            for words in [
                ["events", "--json"], ["events", "--quarantine", "--json"], ["deliveries", "--json"],
                ["refusals", "--json"],
                ["dead-letters", "list", "--json"], ["targets", "list", "--json"],
            ] {
                told.append(try await installation.gatehouse(words: words).output)
            }
            for id in try await installation.deliveries("--target", "partner").compactMap({ $0["event"] as? String }) {
                told.append(try await installation.gatehouse("dead-letters", "show", id, "--json").output)
                told.append(try await installation.gatehouse("trace", id, "--json").output)
                for path in ["events/\(id)", "deliveries/\(id)", "dead-letters/\(id)"] {
                    told.append(try await service.api(path).text)
                }
            }
            for path in ["/metrics", "/readyz"] { told.append(try await service.console(path).text) }
            for path in ["events", "refusals"] { told.append(try await service.api(path).text) }
            #expect(await service.stop() == .exited(0))
            #expect(told.contains { $0.contains(Self.mark) } == !hasPolicy)
            #expect(Self.files(of: installation).isEmpty == hasPolicy)
            #expect(!service.log.contains { $0.description.contains(Self.mark) }, "a log never has personal data")
        }

        @Test("of a target leaves nothing of what it takes away in what is sent there, shown of it or said of it")
        func target() async throws {
            let requests = Received()
            let refusing = ScriptedServer(answering: { request in
                requests.add(request)
                return HTTPResponse(status: 422)
            })
            let installation = try Installation(
                Self.configuration(
                    """
                      partner:
                        type: webhook
                        url: "\(refusing.url())"
                        allow: [127.0.0.1/32]
                        attempts: 2
                        only: [site.type, visitor.returning]
                        sign: {scheme: standard-webhooks, secrets: ["${env:PARTNER_SECRET}"]}
                    """), files: ["routes.yaml": "routes: [{name: all, to: partner}]\n"])
            let service = try await installation.start()
            for sender in Sender.allCases {
                #expect(try await service.post(Self.planted(sender, "t")).status == 200, "\(sender)")
            }
            #expect(try await eventually { try await installation.count("dead", at: "partner") == 5 })
            #expect(requests.all.count == 10)
            for request in requests.all {
                let headers = request.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
                #expect(!(headers + request.target + String(decoding: request.body, as: UTF8.self)).contains(Self.mark))
            }
            for id in try await installation.deliveries().compactMap({ $0["event"] as? String }) {
                let attempts = try await service.api("deliveries/\(id)").text
                #expect(attempts.contains("422") && !attempts.contains(Self.mark), "\(attempts)")
            }
            #expect(try await !service.console("/metrics").text.contains(Self.mark))
            #expect(await service.stop() == .exited(0))
            #expect(!service.log.contains { $0.description.contains(Self.mark) })
            // The log has the whole event: its source has no policy.
            #expect(!Self.files(of: installation).isEmpty)
        }
    }
}
