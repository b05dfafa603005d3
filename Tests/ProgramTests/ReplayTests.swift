import Foundation
import Glibc
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// Requests as a receiver of webhooks took them.
private final class Inbox: Sendable {
    struct Entry: Sendable {
        var id: String
        var replay: String?
        var body: [UInt8]
    }

    private let entries = Mutex<[Entry]>([])

    func take(_ request: ScriptedRequest) {
        let entry = Entry(
            id: request.headers["webhook-id"] ?? "", replay: request.headers["gatehouse-replay"], body: request.body)
        entries.withLock { $0.append(entry) }
    }

    var all: [Entry] { entries.withLock { $0 } }
    var first: [Entry] { all.filter { $0.replay == nil } }
    var replayed: [Entry] { all.filter { $0.replay != nil } }
}

extension ProgramTests {
    @Suite("A replay") struct ReplayTests {
        private static func partner(_ url: String, _ more: String = "") -> String {
            "  partner: {type: webhook, url: \"\(url)\", allow: 127.0.0.1/32, \(more)"
                + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
        }

        private static let arrivals = "  - {name: arrivals, when: {event: visitor.signin}, to: partner}"

        private static func delivered(_ count: Int, _ installation: Installation, at target: String) async throws {
            let isDone = try await eventually {
                let balance = try await installation.balance()
                return JSON.value(balance, "targets", target, "delivered") as? Int == count
                    && JSON.value(balance, "targets", target, "pending") as? Int == 0
            }
            #expect(isDone)
        }

        @Test("reaches its receiver marked, with the ids and bytes of then, and is told of apart")
        func marked() async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                inbox.take(request)
                return HTTPResponse(status: 200)
            }
            let installation = try Installation(targets: Self.partner(server.url()), routes: Self.arrivals)
            let service = try await installation.start()
            let events = (0..<6).map { Sender.signinapp.event("r-\($0)", site: $0, leaving: $0 % 3 == 2) }
            for event in events { #expect(try await service.post(event).status == 200) }
            try await Self.delivered(4, installation, at: "partner")

            let dry = try await installation.gatehouse(
                "replay", "--target", "partner", "--since", "1h", "--dry-run", "--json")
            #expect(dry.status == 0)
            let rehearsal = try #require(try dry.objects.first)
            #expect(rehearsal["events"] as? Int == 6)
            #expect(rehearsal["taken"] as? Int == 4)
            #expect((rehearsal["list"] as? [[String: Any]])?.count == 4)
            #expect(inbox.replayed.isEmpty)

            let outcome = try await installation.gatehouse(
                "replay", "--target", "partner", "--since", "1h", "--where", "{site: [0, 1, 2]}", "--json")
            #expect(outcome.status == 0, "\(outcome)")
            let replay = try #require(try outcome.objects.first)
            let number = try #require(replay["replay"] as? Int)
            #expect(replay["state"] as? String == "finished")
            #expect(replay["delivered"] as? Int == 2)
            #expect(replay["filtered"] as? Int == 4)
            #expect(inbox.replayed.map(\.replay) == ["\(number)", "\(number)"])
            #expect(Set(inbox.replayed.map(\.id)) == Set(events[0..<2].map { $0.events[0].id }))
            for entry in inbox.replayed {
                #expect(inbox.first.first { $0.id == entry.id }?.body == entry.body)
            }

            try await Self.delivered(4, installation, at: "partner")
            let rows = try await installation.deliveries("--id", events[0].events[0].id)
            #expect(rows.map { $0["target"] as? String } == ["partner", "partner"])
            #expect(rows.map { $0["replay"] as? Int } == [nil, number])
            #expect(try await installation.targets().map { $0["name"] as? String } == ["partner"])
            for isRunning in [true, false] {
                if !isRunning { #expect(await service.stop() == .exited(0)) }
                let balance = try await installation.balance()
                #expect(JSON.value(balance, "replays", "\(number)", "delivered") as? Int == 2)
                let list = try await installation.gatehouse("replay", "list", "--json")
                #expect(try list.objects.map { $0["replay"] as? Int } == [number])
                let shown = try await installation.gatehouse("replay", "show", "\(number)")
                #expect(
                    shown.output == "replay \(number) to partner is finished: 6 events, 2 delivered, 4 filtered\n")
            }
        }

        @Test("goes on after a kill, and repeats no more than what was on its way")
        func killed() async throws {
            let inbox = Inbox()
            let isSlow = Mutex(false)
            let server = ScriptedServer { request in
                inbox.take(request)
                if isSlow.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.02) }
                return HTTPResponse(status: 200)
            }
            let installation = try Installation(
                targets: Self.partner(server.url(), "concurrency: 8, "), routes: Self.arrivals)
            var service = try await installation.start()
            let events = (0..<80).map { Sender.signinapp.event("k-\($0)") }
            for event in events { #expect(try await service.post(event).status == 200) }
            try await Self.delivered(80, installation, at: "partner")
            isSlow.withLock { $0 = true }
            let begun = try await installation.gatehouse(
                "replay", "--target", "partner", "--since", "1h", "--detach", "--json")
            let number = try #require(try begun.objects.first?["replay"] as? Int)
            #expect(await poll(deadline: patience) { inbox.replayed.count >= 10 })
            await service.kill()
            let before = inbox.replayed.count
            #expect(before < 80, "it was killed on the way")
            service = try await installation.start()
            let isDone = try await eventually {
                let list = try await installation.gatehouse("replay", "show", "\(number)", "--json").objects
                return list.first?["state"] as? String == "finished"
            }
            #expect(isDone)
            let balance = try await installation.balance()
            #expect(JSON.value(balance, "replays", "\(number)", "delivered") as? Int == 80)
            #expect(JSON.value(balance, "targets", "partner", "delivered") as? Int == 80)
            #expect(Set(inbox.replayed.map(\.id)) == Set(events.map { $0.events[0].id }))
            #expect(inbox.replayed.allSatisfy { $0.replay == "\(number)" })
            #expect(inbox.first.count == 80)
            // Two were on their way, and what was answered in the last milliseconds was not written down.
            #expect(inbox.replayed.count <= 80 + 12)
            #expect(await service.stop() == .exited(0))
        }

        @Test("reads events again: what came as `other` becomes what it is, under the id of then")
        func decodeAgain() async throws {
            func configuration(_ more: String) -> String {
                Installation.configuration(targets: Installation.archive).replacing(
                    "sources:\n",
                    with: """
                        sources:
                          desk: {vendor: generic, verify: none, map: {event: /kind, visitor.name: /who, key: /no}\(more)}

                        """)
            }
            let installation = try Installation(
                configuration(""),
                files: ["routes.yaml": "routes:\n  - {name: arrivals, when: {event: visitor.signin}, to: archive}\n"])
            let service = try await installation.start()
            for number in 0..<3 {
                let body = #"{"no": "d-\#(number)", "kind": "\#(number == 2 ? "left" : "arrived")", "who": "Ada"}"#
                #expect(try await service.post("/in/desk", body, headers: []).status == 200)
            }
            let isRead = try await eventually {
                JSON.value(try await installation.balance(), "targets", "archive", "filtered") as? Int == 3
            }
            #expect(isRead)
            let before = try await installation.events()
            #expect(before.allSatisfy { $0["type"] as? String == "other" })

            try installation.write("gatehouse.yaml", configuration(", events: {arrived: visitor.signin}"))
            service.process.signal(SIGHUP)
            #expect(await service.waitForLog("reloaded"))
            let plain = try await installation.gatehouse("replay", "--target", "archive", "--since", "1h", "--json")
            #expect(try plain.objects.first?["delivered"] as? Int == 0)
            let words = ["replay", "--target", "archive", "--since", "1h", "--decode-again", "--json"]
            let dry = try await installation.gatehouse(words: words + ["--dry-run"])
            #expect(try dry.objects.first?["retyped"] as? Int == 2)
            let list = try #require(try dry.objects.first?["list"] as? [[String: Any]])
            #expect(list.map { $0["was"] as? String } == ["other", "other"])
            #expect(list.map { $0["type"] as? String } == ["visitor.signin", "visitor.signin"])
            #expect(try installation.archived.isEmpty)

            let outcome = try await installation.gatehouse(words: words)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try outcome.objects.first?["delivered"] as? Int == 2)
            let archived = try installation.archived
            #expect(archived.map { $0["type"] as? String } == ["visitor.signin", "visitor.signin"])
            for event in archived {
                let old = try #require(before.first { $0["id"] as? String == event["id"] as? String })
                #expect(event["source"] as? String == old["source"] as? String)
                for name in ["received_at", "vendor_event", "source"] {
                    #expect(JSON.value(event, "data", name) as? String == JSON.value(old, "data", name) as? String)
                }
            }
            #expect(
                try await installation.events().allSatisfy { $0["type"] as? String == "other" }, "the log is as it was")

            // A source that is gone reads nothing.
            try installation.write("gatehouse.yaml", Installation.configuration(targets: Installation.archive))
            service.process.signal(SIGHUP)
            #expect(await service.waitForLog("reloaded", count: 2))
            let gone = try await installation.gatehouse(words: words)
            #expect(try gone.objects.first?["skipped"] as? Int == 3)
            #expect(await service.waitForLog("replay_skipped"))
            #expect(await service.stop() == .exited(0))
        }

        @Test("whose events are refused leaves dead letters, exits 1, and they can be sent again")
        func deadLetters() async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                inbox.take(request)
                return HTTPResponse(status: request.headers["gatehouse-replay"] == nil ? 200 : 422)
            }
            let installation = try Installation(
                targets: Self.partner(server.url(), "attempts: 1, "), routes: Self.arrivals)
            let service = try await installation.start()
            #expect(try await service.post(Sender.signinapp.event("x")).status == 200)
            try await Self.delivered(1, installation, at: "partner")
            let outcome = try await installation.gatehouse("replay", "--target", "partner", "--since", "1h")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("is finished: 1 events, 0 delivered, 1 dead"), "\(outcome)")
            let letters = try await installation.gatehouse("dead-letters", "list", "--json", "--target", "partner")
            let letter = try #require(try letters.objects.first)
            let number = try #require(letter["replay"] as? Int)
            let requeued = try await installation.gatehouse("dead-letters", "requeue", "--target", "partner")
            #expect(requeued.output == "1 queued again\n")
            #expect(await poll(deadline: patience) { inbox.replayed.count == 2 })
            #expect(Set(inbox.replayed.map(\.replay)) == ["\(number)"])
            let isDead = try await eventually {
                JSON.value(try await installation.balance(), "replays", "\(number)", "dead") as? Int == 1
            }
            #expect(isDead)
            let discarded = try await installation.gatehouse("dead-letters", "discard", "--target", "partner")
            #expect(discarded.output == "1 discarded\n")
            let balance = try await installation.balance()
            #expect(JSON.value(balance, "replays", "\(number)", "discarded") as? Int == 1)
            #expect(JSON.value(balance, "targets", "partner", "dead") as? Int == 0)
            #expect(await service.stop() == .exited(0))
        }

        @Test("that makes no sense is refused with what is wrong")
        func refused() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            func complaint(_ words: String...) async throws -> (Int32, String) {
                let outcome = try await installation.gatehouse(words: ["replay"] + words)
                return (outcome.status, outcome.errors)
            }
            #expect(try await complaint("--target", "archive").0 == 2)
            #expect(try await complaint("--since", "1h").0 == 2)
            #expect(try await complaint("cancel").0 == 2)
            #expect(try await complaint("everything").0 == 2)
            let stopped = try await complaint("--target", "archive", "--since", "1h")
            #expect(stopped.0 == 1)
            #expect(stopped.1.contains("start it first"))
            let service = try await installation.start()
            let target = try await complaint("--target", "archiv", "--since", "1h")
            #expect(target.0 == 1)
            #expect(target.1.contains("there is no target archiv (did you mean archive?)"))
            let route = try await complaint("--target", "archive", "--since", "1h", "--route", "every")
            #expect(route.1.contains("there is no route every"))
            let condition = try await complaint("--target", "archive", "--since", "1h", "--where", "{sight: 1}")
            #expect(condition.1.contains("--where:1:2"))
            #expect(try await complaint("show", "99").0 == 1)
            #expect(try await complaint("cancel", "99").1.contains("there is no replay 99"))
            #expect(await service.stop() == .exited(0))
        }

        @Test("can be asked for over the API, by a team for what its own routes take")
        func api() async throws {
            let tokens = [
                "LOOKER": "kestrel-replay-viewer-0001", "DOER": "kestrel-replay-operator-2",
                "LONDON": "kestrel-replay-london-003",
            ]
            let configuration = Installation.configuration(
                top: """
                    teams:
                      london: {files: routes/london/, scope: {site: 1}, targets: [thames]}
                    """,
                targets: """
                      thames: {type: file, path: ./thames.ndjson}
                      seine: {type: file, path: ./seine.ndjson}
                    """
            ).replacing(
                "console: \"127.0.0.1:0\"",
                with: """
                    console:
                      listen: "127.0.0.1:0"
                      tokens:
                        - {name: looker, role: viewer, token: "${env:LOOKER}"}
                        - {name: doer, role: operator, token: "${env:DOER}"}
                        - {name: thames, role: operator, team: london, token: "${env:LONDON}"}
                    """
            ).replacing("routes: ./routes.yaml", with: "routes: ./routes")
            let installation = try Installation(
                configuration,
                files: [
                    "routes/main.yaml": "routes: [{name: everything, to: [thames, seine]}]\n",
                    "routes/london/a.yaml": "routes: [{name: all, to: thames}]\n",
                ], environment: Secrets.environment.merging(tokens) { $1 })
            let service = try await installation.start()
            for site in [1, 2] { try await service.post(Sender.signinapp.event("at-\(site)", site: site)) }
            for target in ["thames", "seine"] { try await Self.delivered(2, installation, at: target) }

            func ask(
                _ path: String, _ token: String, _ method: String = "POST", body: String = ""
            ) async throws -> (Int, [String: Any]) {
                let answer = try await service.api(path, token: tokens[token], method: method, body: body)
                return (answer.status, (try? JSON.object(answer.text)) ?? [:])
            }
            let thames = "target=thames&since=2020-01-01T00:00:00Z"
            #expect(try await ask("replay?\(thames)", "LOOKER").0 == 403)
            #expect(try await ask("replay?target=seine&since=0", "LONDON").0 == 403)
            #expect(try await ask("replay?target=thames", "DOER").0 == 400)
            #expect(try await ask("replay?target=nowhere&since=0", "DOER").0 == 409)
            #expect(try await ask("replay/dry-run?\(thames)", "DOER").1["taken"] as? Int == 2)
            let inBody = #"{"target":"thames","since":"2020-01-01T00:00:00Z","decode_again":false}"#
            #expect(try await ask("replay/dry-run", "DOER", body: inBody).1["taken"] as? Int == 2)
            for wrong in [
                #"{"target":"thames"}"#, #"{"target":["thames"],"since":0}"#, "[]", #"{"since":0,"sinse":1}"#,
            ] {
                #expect(try await ask("replay/dry-run", "DOER", body: wrong).0 == 400, "\(wrong)")
            }
            for path in ["replay", "replay/dry-run"] {
                #expect(try await ask("\(path)?\(thames)&where=%7Bsitee:%201%7D", "DOER").0 == 400, "no such field")
            }
            #expect(try await ask("replay/dry-run?since=0", "DOER", body: inBody).0 == 400, "since stands twice")
            #expect(try await ask("replay/dry-run?\(thames)", "LONDON").1["taken"] as? Int == 1)
            #expect(try await ask("replay?\(thames)&route=everything", "LONDON").0 == 409, "it is not the team's route")

            let (status, begun) = try await ask("replay?\(thames)", "LONDON")
            #expect(status == 200)
            let number = try #require(begun["replay"] as? Int)
            #expect(begun["team"] as? String == "london")
            let isDone = try await eventually {
                try await ask("replay/\(number)", "LONDON", "GET").1["state"] as? String == "finished"
            }
            #expect(isDone)
            #expect(try await ask("replay/\(number)", "DOER", "GET").1["delivered"] as? Int == 1)
            #expect(installation.read("thames.ndjson").split(separator: "\n").count == 3)

            let (_, other) = try await ask("replay?target=seine&since=0", "DOER")
            let others = try #require(other["replay"] as? Int)
            func listed(_ token: String) async throws -> [Int?] {
                let items = try await ask("replay", token, "GET").1["items"] as? [[String: Any]] ?? []
                return items.map { $0["replay"] as? Int }
            }
            #expect(try await listed("DOER") == [number, others])
            #expect(try await listed("LONDON") == [number])
            #expect(try await ask("replay/\(others)", "LONDON", "GET").0 == 404)
            #expect(try await ask("replay/\(others)", "LONDON", "DELETE").0 == 404)
            #expect(try await ask("replay/\(others)", "DOER", "DELETE").0 == 200)
            let audit = try await ask("audit", "DOER", "GET").1["items"] as? [[String: Any]] ?? []
            #expect(
                audit.filter { $0["action"] as? String == "replay.begin" }.map { $0["actor"] as? String } == [
                    "doer", "thames",
                ])
            #expect(await service.stop() == .exited(0))
        }
    }
}
