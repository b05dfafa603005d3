import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// Requests as a receiver of webhooks took them, with the moments.
private final class Inbox: Sendable {
    struct Entry: Sendable {
        var id: String
        var headers: HeaderFields
        var body: [UInt8]
        var at: ContinuousClock.Instant
    }

    private let entries = Mutex<[Entry]>([])

    func take(_ request: ScriptedRequest) -> Int {
        entries.withLock { entries in
            entries.append(
                Entry(
                    id: request.headers["webhook-id"] ?? "", headers: request.headers, body: request.body,
                    at: .now))
            return entries.count
        }
    }

    var all: [Entry] { entries.withLock { $0 } }
    var ids: [String] { all.map(\.id) }
}

extension ProgramTests {
    @Suite("Delivery") struct DeliveryTests {
        /// A webhook target.
        private func webhook(_ name: String, _ url: String, _ more: String = "") -> String {
            "  \(name): {type: webhook, url: \"\(url)\", allow: 127.0.0.1/32, \(more)"
                + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
        }

        @Test("to a target that is down waits for it and slows no other, nor the intake")
        func deadTarget() async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                _ = inbox.take(request)
                return HTTPResponse(status: 200)
            }
            let port = try freePort()
            let installation = try Installation(
                targets: [webhook("alive", server.url()), webhook("down", "http://127.0.0.1:\(port)/")]
                    .joined(separator: "\n"), routes: "  - {name: everything, to: [alive, down]}")
            let service = try await installation.start()
            for number in 0..<100 {
                #expect(try await service.post(Sender.signinapp.event("d-\(number)")).status == 200)
            }
            #expect(await poll(deadline: patience) { inbox.all.count == 100 })
            #expect(try await installation.count("pending", at: "down") == 100)
            #expect(try await installation.count("dead", at: "down") == 0)
            let down = try #require(try await installation.target("down"))
            #expect(down["state"] as? String == "waiting")
            #expect(down["reason"] as? String == "connect_refused")

            let late = Receipts()
            let receiver = try Receiver(port: port) { WebhookConnection(late) }
            let isDone = try await eventually { try await installation.count("pending", at: "down") == 0 }
            #expect(isDone)
            #expect(Set(late.snapshot.counts.keys) == Set(inbox.ids))
            #expect(late.snapshot.problems == [])
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(receiver) {}
        }

        @Test("of an event that the target refuses ends in the dead letters after its attempts; the others go on")
        func refusedEvent() async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                _ = inbox.take(request)
                let isBad = String(decoding: request.body, as: UTF8.self).contains("\"bad\"")
                return HTTPResponse(status: isBad ? 422 : 200, body: Array("no thanks".utf8))
            }
            let installation = try Installation(
                targets: webhook("partner", server.url(), "attempts: 2, "),
                routes: "  - {name: everything, to: partner}")
            let service = try await installation.start()
            for key in ["good-1", "bad", "good-2", "good-3"] {
                #expect(try await service.post(Sender.signinapp.event(key)).status == 200)
            }
            #expect(try await eventually { try await installation.count("dead", at: "partner") == 1 })
            #expect(try await installation.count("delivered", at: "partner") == 3)
            let bad = Independent.eventID(source: "london", key: "bad")
            let row = try #require(try await installation.deliveries("--id", bad).first)
            #expect(row["state"] as? String == "dead" && row["attempts"] as? Int == 2)
            #expect(JSON.value(row, "last", "reason") as? String == "http_422")
            #expect(inbox.ids.count { $0 == bad } == 2)
            #expect(inbox.ids.count == 5)
            #expect(await service.stop() == .exited(0))
        }

        @Test("ends with a 410, visibly, over restarts and until it is resumed, and loses nothing")
        func gone() async throws {
            let inbox = Inbox()
            let isBack = Mutex(false)
            let server = ScriptedServer { request in
                HTTPResponse(status: inbox.take(request) < 2 || isBack.withLock { $0 } ? 200 : 410)
            }
            let installation = try Installation(
                targets: webhook("partner", server.url(), "description: Our partner, "),
                routes: "  - {name: everything, to: partner}")
            var service = try await installation.start()
            for number in 0..<4 {
                try await service.post(Sender.signinapp.event("g-\(number)"))
                _ = await poll(deadline: patience) { inbox.all.count > min(number, 1) }
            }
            #expect(await service.waitForLog("target_disabled"))
            #expect(service.log.contains { $0.event == "target_disabled" && $0.level == "error" })
            for _ in 0..<2 {
                let target = try #require(try await installation.target("partner"))
                #expect(target["state"] as? String == "disabled" && target["reason"] as? String == "http_410")
                #expect(target["delivered"] as? Int == 1 && target["pending"] as? Int == 3)
                #expect(target["description"] as? String == "Our partner")
                let metrics = try MetricsPage(try await service.console("/metrics").text)
                #expect(metrics.value("gatehouse_target_state", ["target": "partner", "state": "disabled"]) == 1)
                #expect(inbox.all.count == 2)
                #expect(await service.stop() == .exited(0))
                // So it stays after a restart, and on the list of a stopped instance.
                #expect(try await installation.target("partner")?["state"] as? String == "disabled")
                service = try await installation.start()
            }
            isBack.withLock { $0 = true }
            #expect(try await installation.gatehouse("targets", "resume", "partner").status == 0)
            #expect(try await eventually { try await installation.count("delivered", at: "partner") == 4 })
            #expect(Set(inbox.all.map(\.id)).count == 4)
            #expect(await service.stop() == .exited(0))
        }

        @Test(
            "waits as long as the target asks, and repeats the same id and body with a fresh signature",
            arguments: [503, 429])
        func retryAfter(status: Int) async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                inbox.take(request) == 1
                    ? HTTPResponse(status: status, headers: ["Retry-After": "3"]) : HTTPResponse(status: 200)
            }
            let installation = try Installation(
                targets: webhook("partner", server.url("/hook?x=1")), routes: "  - {name: everything, to: partner}")
            let service = try await installation.start()
            try await service.post(Sender.alocity.event("r"))
            #expect(try await eventually { try await installation.count("delivered", at: "partner") == 1 })
            let tries = inbox.all
            try #require(tries.count == 2)
            #expect(tries[1].at - tries[0].at >= .milliseconds(2900))
            #expect(tries[0].id == tries[1].id && tries[0].body == tries[1].body)
            for one in tries {
                let time = try #require(one.headers["webhook-timestamp"])
                let mac = Independent.hmacSHA256(key: Secrets.webhookKey, Array("\(one.id).\(time).".utf8) + one.body)
                #expect(one.headers["webhook-signature"] == "v1," + Independent.base64(mac))
            }
            #expect(tries[0].headers["webhook-timestamp"] != tries[1].headers["webhook-timestamp"])
            #expect(await service.stop() == .exited(0))
        }

        @Test("to a new target starts now, at the beginning or at a time, as it says")
        func start() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            for number in 0..<3 { try await service.post(Sender.envoy.event("s-\(number)")) }
            try installation.write(
                "gatehouse.yaml",
                Installation.configuration(
                    targets: Installation.archive + """

                          now: {type: file, path: ./now.ndjson}
                          all: {type: file, path: ./all.ndjson, start: beginning}
                          later: {type: file, path: ./later.ndjson, start: 2001-01-01T00:00:00Z}
                          never: {type: file, path: ./never.ndjson, start: 2999-01-01T00:00:00Z}
                        """))
            try installation.write(
                "routes.yaml", "routes:\n  - {name: everything, to: [archive, now, all, later, never]}\n")
            #expect(await service.waitForLog("reloaded"))
            try await service.post(Sender.envoy.event("s-3"))
            let expected = ["archive": 4, "now": 1, "all": 4, "later": 4]
            let isDone = try await eventually {
                let balance = try await installation.balance()
                return expected.allSatisfy { JSON.value(balance, "targets", $0.key, "delivered") as? Int == $0.value }
            }
            #expect(isDone)
            for (name, count) in expected {
                #expect(installation.read("\(name).ndjson").split(separator: "\n").count == count, "\(name)")
            }
            #expect(await service.stop() == .exited(0))
        }

        @Test("fills an API's template, with its token and without showing it")
        func template() async throws {
            let inbox = Inbox()
            let server = ScriptedServer { request in
                _ = inbox.take(request)
                return HTTPResponse(status: 201)
            }
            let installation = try Installation(
                targets: """
                      crm:
                        type: http
                        url: "${env:CRM_URL}"
                        allow: 127.0.0.1/32
                        token: "${env:CRM_TOKEN}"
                        body: {email: "{visitor.email}", name: "{visitor.name}", where: {site: "{site.id}"}, kind: "{type}"}
                    """, routes: "  - {name: everything, to: crm}",
                environment: ["CRM_URL": server.url("/kestrel-path?key=kestrel-query")])
            let service = try await installation.start()
            try await service.post(Sender.sine.event("t"))
            #expect(try await eventually { try await installation.count("delivered", at: "crm") == 1 })
            let request = try #require(inbox.all.first)
            #expect(request.headers["Authorization"] == "Bearer " + Secrets.environment["CRM_TOKEN"]!)
            let body = try JSON.object(String(decoding: request.body, as: UTF8.self)) as NSDictionary
            #expect(
                body == [
                    "email": "jane.doe@example.com", "name": "Jane Doe", "where": ["site": "4567"],
                    "kind": "visitor.signin",
                ])
            // What every command prints is looked through for secrets.
            #expect(try await installation.target("crm") != nil)
            #expect(try await installation.gatehouse("deliveries").status == 0)
            #expect(try await installation.gatehouse("check").status == 0)
            Secrets.expectNone(in: try await service.console("/metrics").text)
            server.stop()
            try await service.post(Sender.sine.event("t2"))
            #expect(
                try await eventually {
                    try await installation.deliveries("--target", "crm", "--limit", "1").first?["attempts"] as? Int ?? 0
                        > 0
                })
            #expect(try await installation.target("crm") != nil)
            Secrets.expectNone(in: service.process.errors)
            #expect(await service.stop() == .exited(0))
        }

        @Test("knows an event again after a restart")
        func duplicates() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let events = Sender.allCases.map { $0.event("again", elements: 4) }
            for life in 0..<3 {
                let service = try await installation.start()
                for event in events.shuffled() + events { #expect(try await service.post(event).status == 200) }
                #expect(try await eventually { try await installation.count("pending", at: "archive") == 0 })
                let balance = try await installation.balance()
                #expect(balance["accepted"] as? Int == 8)
                #expect(balance["duplicates"] as? Int == 8 + life * 16)
                if life == 1 { await service.kill() } else { #expect(await service.stop() == .exited(0)) }
            }
            #expect(Set(try installation.archivedIDs) == Set(events.flatMap(\.events).map(\.id)))
        }
    }
}
