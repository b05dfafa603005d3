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

    /// Headers, path and body of each.
    var texts: [(name: String, text: String)] {
        all.map { request in
            let headers = request.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            return ("a request", headers + "\n" + request.target + "\n" + String(decoding: request.body, as: UTF8.self))
        }
    }
}

extension ProgramTests {
    /// Canaries are planted in every text a sender sends, and looked for wherever the program writes, listens or answers.
    @Suite("A field policy") struct FieldPolicyTests {
        private static func configuration(_ targets: String, sourceKeys: String = "") -> String {
            Installation.configuration(targets: targets)
                .replacing("console: \"127.0.0.1:0\"", with: "console: {listen: \"127.0.0.1:0\", open: true}")
                .replacing("{vendor:", with: "{\(sourceKeys)vendor:")
        }

        private static let only = "only: [visitor.returning], "

        /// Posts them, and the number of events that were accepted.
        private static func post(_ requests: [SentEvent], to service: Service, _ installation: Installation)
            async throws
            -> Int
        {
            for request in requests {
                let answer = try await service.post(request)
                #expect(answer.status == 200, "\(request.source): \(answer.text)")
            }
            return try #require(try await installation.balance()["accepted"] as? Int)
        }

        /// What the program says of events, by every command and every resource of the API that tells of them.
        private static func everythingTold(
            _ installation: Installation, _ service: Service, target: String
        ) async throws -> [(name: String, text: String)] {
            var told: [(name: String, text: String)] = []
            func ask(_ words: String...) async throws {
                told.append((words.joined(separator: " "), try await installation.gatehouse(words: words).output))
            }
            func get(_ path: String) async throws { told.append((path, try await service.api(path).text)) }
            try await ask("events", "--json")
            try await ask("events", "--system", "--json")
            try await ask("events", "--quarantine", "--json")
            try await ask("deliveries", "--json")
            try await ask("refusals", "--json")
            try await ask("dead-letters", "list", "--json")
            try await ask("targets", "list", "--json")
            try await ask("reconcile", "--json")
            try await ask("replay", "--target", target, "--since", "1h", "--dry-run", "--json")
            let ids = Set(try await installation.deliveries("--target", target).compactMap { $0["event"] as? String })
            for (place, id) in ids.enumerated() {
                // A process each: of some of them.
                if place < 4 {
                    try await ask("dead-letters", "show", id, "--json")
                    try await ask("deliveries", "--id", id, "--request")
                    try await ask("trace", id, "--json")
                    try await ask("explain", "--id", id, "--json")
                }
                for path in ["events/", "deliveries/", "dead-letters/", "trace/", "explain?id="] {
                    try await get(path + id + (path.contains("?") ? "&unmask=true" : "?unmask=true"))
                }
            }
            for path in ["events", "refusals", "quarantine", "dead-letters", "deliveries", "audit", "targets"] {
                try await get(path + "?unmask=true")
            }
            for path in ["/metrics", "/readyz"] { told.append((path, try await service.console(path).text)) }
            return told
        }

        @Test("of the sources leaves nothing of what it takes away anywhere", arguments: [true, false])
        func sources(hasPolicy: Bool) async throws {
            let refused = Received()
            let refusing = ScriptedServer(answering: { request in
                refused.add(request)
                return HTTPResponse(status: 422, body: request.body)
            })
            let installation = try Installation(
                Self.configuration(
                    """
                      archive: {type: file, path: ./archive.ndjson}
                      partner: {type: webhook, url: "\(refusing.url())", allow: [127.0.0.1/32], attempts: 1}
                      crm:
                        type: http
                        url: "\(refusing.url("/crm"))"
                        allow: [127.0.0.1/32]
                        attempts: 1
                        body: {name: "{visitor.name}", all: "{original}", more: "{additional}", also: "{personal}"}
                    """, sourceKeys: hasPolicy ? Self.only : ""),
                files: ["routes.yaml": "routes: [{name: all, to: [archive, partner, crm]}]\n"])
            let service = try await installation.start()
            let tail = try ChildProcess(
                Program.path, ["tail", "--json"], environment: installation.environment, in: installation.folder,
                files: installation.path("tail"))
            let count = try await Self.post(
                try Canaries.requests("c") + [Canaries.brokenBatch()], to: service, installation)
            #expect(count > 10)
            let unsigned = try await service.post("/in/london", #"{"a":"\#(Canaries.mark)"}"#, headers: [])
            #expect(unsigned.status == 401)
            let malformed = #"{"a":"\#(Canaries.mark)""#
            let answer = try await service.post(
                "/in/london", malformed, headers: Sender.signinapp.headers(for: malformed))
            #expect(answer.status == 400)
            for target in ["partner", "crm"] {
                #expect(try await eventually { try await installation.count("dead", at: target) == count }, "\(target)")
            }
            #expect(try await eventually { try await installation.count("delivered", at: "archive") == count })

            var told = try await Self.everythingTold(installation, service, target: "partner") + refused.texts
            told += [("the archive", installation.read("archive.ndjson")), ("tail", tail.output)]
            told += [("an answer", unsigned.text), ("an answer", answer.text)]
            let again = try await installation.gatehouse(
                "replay", "--target", "archive", "--since", "1h", "--decode-again", "--json")
            told += [("replay", again.output), ("the archive after a replay", installation.read("archive.ndjson"))]
            tail.signal(SIGTERM)
            _ = await tail.wait(within: patience)
            #expect(await service.stop() == .exited(0))
            let found = Canaries.found(in: told)
            #expect(found.isEmpty == hasPolicy, "\(found)")
            let files = Canaries.files(of: installation)
            #expect(files.isEmpty == hasPolicy, "\(files)")
            #expect(!service.log.contains { Canaries.isFound(in: $0.description) }, "a log never has personal data")
        }

        @Test("of a source holds for who is asked whether a visitor may come in, and for what is shown at the door")
        func decisions() async throws {
            for hasPolicy in [true, false] {
                let asked = Received()
                let access = ScriptedServer(answering: { request in
                    asked.add(request)
                    return HTTPResponse(status: 500, body: request.body)
                })
                let installation = try Installation(
                    Self.configuration(
                        "  archive: {type: file, path: ./archive.ndjson}\n"
                            + "  access: {type: webhook, url: \"\(access.url())\", allow: [127.0.0.1/32]}",
                        sourceKeys: hasPolicy ? Self.only : "") + "decisions: decisions.yaml\n",
                    files: [
                        "routes.yaml": "routes: [{name: all, to: archive}]\n",
                        "decisions.yaml": """
                        decisions:
                          - {name: asked, when: {site: {id: {is: absent}}}, ask: {target: access, on_failure: {deny: "No, {visitor.name}{visitor.email}"}}}
                          - {name: rest, when: {}, deny: "No, {visitor.name}{visitor.email}"}
                        default: deny

                        """,
                    ])
                let service = try await installation.start()
                var answers: [(name: String, text: String)] = []
                for site in ["", #","site":{"id":"1"}"#] {
                    let mark = Canaries.mark
                    let body =
                        #"{"event":"signin_before","date":"2024-07-30T01:43:1\#(site.isEmpty ? 1 : 2)Z","data":{"#
                        + #""firstName":"\#(mark)1","lastName":"\#(mark)2","email":"\#(mark)3@example.com"\#(site)}}"#
                    let answer = try await service.post(
                        "/in/sydney", body, headers: Sender.sine.headers(for: body))
                    #expect(answer.text.contains("REJECTED"), "\(answer.text)")
                    answers.append(("an answer", answer.text))
                }
                #expect(try await eventually { try installation.archived.count == 2 })
                let told =
                    try await Self.everythingTold(installation, service, target: "archive") + asked.texts + answers
                #expect(!asked.all.isEmpty)
                #expect(await service.stop() == .exited(0))
                let found = Canaries.found(in: told)
                #expect(found.isEmpty == hasPolicy, "\(found)")
                #expect(found.contains { $0.hasPrefix("an answer") } == !hasPolicy)
                #expect(found.contains { $0.hasPrefix("a request") } == !hasPolicy)
                #expect(Canaries.files(of: installation).isEmpty == hasPolicy)
                #expect(!service.log.contains { Canaries.isFound(in: $0.description) })
            }
        }

        @Test("that a source is given later holds for events that are read anew")
        func later() async throws {
            let targets = "  archive: {type: file, path: ./archive.ndjson}"
            let installation = try Installation(
                Self.configuration(targets), files: ["routes.yaml": "routes: [{name: all, to: archive}]\n"])
            let service = try await installation.start()
            let count = try await Self.post(try Canaries.requests("l"), to: service, installation)
            #expect(try await eventually { try await installation.count("delivered", at: "archive") == count })
            let before = installation.read("archive.ndjson")
            #expect(Canaries.isFound(in: before))
            try installation.write("gatehouse.yaml", Self.configuration(targets, sourceKeys: Self.only))
            service.process.signal(SIGHUP)
            #expect(await service.waitForLog("reloaded"))
            let outcome = try await installation.gatehouse(
                "replay", "--target", "archive", "--since", "1h", "--decode-again", "--json")
            #expect(try outcome.objects.first?["delivered"] as? Int == count, "\(outcome)")
            let after = installation.read("archive.ndjson").dropFirst(before.count)
            #expect(!after.isEmpty && !Canaries.isFound(in: String(after)))
            #expect(await service.stop() == .exited(0))
        }

        @Test("of a target leaves nothing of what it takes away in what is sent there, shown of it or said of it")
        func target() async throws {
            let requests = Received()
            let refusing = ScriptedServer(answering: { request in
                requests.add(request)
                return HTTPResponse(status: 422, body: request.body)
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
                      binary:
                        type: webhook
                        url: "\(refusing.url())"
                        allow: [127.0.0.1/32]
                        attempts: 1
                        body: cloudevent-binary
                        only: [visitor.returning]
                    """), files: ["routes.yaml": "routes: [{name: all, to: [partner, binary]}]\n"])
            let service = try await installation.start()
            let count = try await Self.post(try Canaries.requests("t"), to: service, installation)
            for target in ["partner", "binary"] {
                #expect(try await eventually { try await installation.count("dead", at: target) == count }, "\(target)")
            }
            #expect(requests.all.count == 3 * count)
            #expect(Canaries.found(in: requests.texts) == [])
            let ids = Set(try await installation.deliveries().compactMap { $0["event"] as? String })
            #expect(ids.count == count)
            for (place, id) in ids.enumerated() {
                let attempts = try await service.api("deliveries/\(id)?unmask=true").text
                #expect(attempts.contains("422") && !Canaries.isFound(in: attempts), "\(attempts)")
                guard place < 4 else { continue }
                let request = try await installation.gatehouse("deliveries", "--id", id, "--request")
                #expect(request.status == 0 && !Canaries.isFound(in: request.output), "\(request)")
            }
            let whole = try await installation.gatehouse("events", "--json")
            #expect(Canaries.isFound(in: whole.output), "the log has the whole event: its source has no policy")
            try installation.write("events.ndjson", whole.output)
            let shown = try await installation.gatehouse(
                "format", "--as", "json", "-c", "gatehouse.yaml", "--target", "partner", "events.ndjson")
            #expect(shown.lines.count == count && !Canaries.isFound(in: shown.output), "\(shown.errors)")
            #expect(try await !Canaries.isFound(in: service.console("/metrics").text))
            #expect(await service.stop() == .exited(0))
            #expect(!service.log.contains { Canaries.isFound(in: $0.description) })
            #expect(!Canaries.files(of: installation).isEmpty)
        }
    }
}
