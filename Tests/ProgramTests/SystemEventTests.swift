import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// What a receiver of alerts was sent: the events of Gatehouse's own, each once.
private final class Alerts: Sendable {
    struct Alert: Sendable, Hashable {
        var type: String
        /// `target crm`, `source london` or `team london`.
        var about: String
        var reason: String
        var count: Int
    }

    private let received = Mutex<[String: Alert]>([:])

    /// The answer to what came.
    func take(_ request: ScriptedRequest) -> HTTPResponse {
        guard let event = try? JSON.object(String(decoding: request.body, as: UTF8.self)),
            let id = event["id"] as? String, let type = event["type"] as? String,
            let system = JSON.value(event, "data", "system") as? [String: Any]
        else { return HTTPResponse(status: 422) }
        let about = ["target", "source", "team"].compactMap { name in (system[name] as? String).map { "\(name) \($0)" }
        }
        let alert = Alert(
            type: type, about: about.joined(separator: ", "), reason: system["reason"] as? String ?? "",
            count: system["count"] as? Int ?? 0)
        received.withLock { $0[id] = alert }
        return HTTPResponse(status: 200)
    }

    var all: [Alert] { received.withLock { Array($0.values) } }
    func of(_ type: String) -> [Alert] { all.filter { $0.type == "system." + type } }
}

extension ProgramTests {
    @Suite("Events of Gatehouse's own") struct SystemEventTests {
        private static func http(_ name: String, _ server: ScriptedServer, _ more: String = "") -> String {
            "  \(name): {type: webhook, url: \"\(server.url())\", allow: 127.0.0.1/32\(more)}\n"
        }

        private static func answering(_ status: Int) -> ScriptedServer {
            ScriptedServer { _ in HTTPResponse(status: status) }
        }

        /// The status of an installation whose four faults are seen to by one receiver of alerts.
        private static func installation(
            _ alerts: ScriptedServer, gone: ScriptedServer, picky: ScriptedServer
        ) throws -> Installation {
            let targets =
                http("alerts", alerts) + http("gone", gone) + http("picky", picky, ", attempts: 1")
                + Installation.archive
            let configuration = Installation.configuration(
                top: "teams:\n  london: {files: routes/london/, scope: {}, targets: archive}", targets: targets
            )
            .replacing("routes: ./routes.yaml", with: "routes: ./routes")
            .replacing("lobby: {", with: "lobby: {expect_every: 1s, ")
            return try Installation(
                configuration,
                files: [
                    "routes/main.yaml": """
                    routes:
                      - {name: alerts, when: {event: system.*}, to: alerts}
                      - {name: everything, to: [gone, picky]}

                    """, "routes/london/a.yaml": "routes: [{name: all, to: archive}]\n",
                ])
        }

        @Test("reach the target their route names, once, and not again after a restart")
        func alerts() async throws {
            let alerts = Alerts()
            let receiver = ScriptedServer { alerts.take($0) }
            let (gone, picky) = (Self.answering(410), Self.answering(422))
            let installation = try Self.installation(receiver, gone: gone, picky: picky)
            var service = try await installation.start()
            try await service.post(Sender.signinapp.event("one"))
            try installation.write("routes/london/a.yaml", "routes: [{name: all, to: archiv}]\n")

            let types = ["target_disabled", "dead_letter", "team_file_refused", "source_silent"]
            let came = await poll(deadline: patience) { types.allSatisfy { !alerts.of($0).isEmpty } }
            #expect(came, "\(alerts.all)")
            func one(_ type: String, _ about: String, _ reason: String) {
                let found = alerts.of(type)
                #expect(found.count == 1, "\(found)")
                #expect(found.first?.about == about)
                #expect(found.first?.reason.contains(reason) == true, "\(found)")
                #expect(found.first.map { $0.count >= 1 } == true, "\(found)")
            }
            one("target_disabled", "target gone", "http_410")
            one("dead_letter", "target picky", "http_422")
            one("team_file_refused", "team london", "routes/london/a.yaml:1:26")
            one("source_silent", "source lobby", "never_heard")

            #expect(try await installation.events().count == 1, "they are asked for by name")
            let own = try await installation.events("--system").filter { ($0["type"] as? String) != "visitor.signin" }
            #expect(own.allSatisfy { $0["source"] as? String == "/sources/gatehouse" })
            #expect(Set(own.compactMap { $0["type"] as? String }) == Set(types.map { "system." + $0 }))
            #expect(try await installation.balance()["accepted"] as? Int == 1, "they are not counted")
            let metrics = try await service.console("/metrics").text
            #expect(metrics.contains(#"gatehouse_source_silent{source="lobby"} 1"#))
            #expect(metrics.contains(#"gatehouse_system_events_total{type="system.target_disabled"} 1"#))

            #expect(await service.stop() == .exited(0))
            service = try await installation.start()
            #expect(await service.waitForLog("source_silent"))
            #expect(service.log.contains { $0.event == "team_refused" })
            // What comes last tells that nothing else is on its way.
            try await service.post(Sender.signinapp.event("two"))
            #expect(await poll(deadline: patience) { alerts.of("dead_letter").count == 2 })
            #expect(alerts.all.count == 5, "\(alerts.all)")
            #expect(await service.stop() == .exited(0))
        }

        @Test("that their own target refuses raise nothing: there is an end, over restarts too")
        func noLoop() async throws {
            let picky = Self.answering(422)
            let installation = try Installation(
                targets: Self.http("picky", picky, ", attempts: 1"),
                routes: """
                      - {name: everything, to: picky}
                      - {name: alerts, when: {event: system.*}, to: picky}
                    """)
            var told = 0
            for round in 0..<3 {
                let service = try await installation.start()
                if round == 0 {
                    for number in 0..<20 { try await service.post(Sender.signinapp.event("event-\(number)")) }
                    let isTold = try await eventually {
                        let dead = try await installation.count("dead", at: "picky")
                        let own = try await installation.events("--system", "--type", "system.dead_letter")
                        return dead == 20 && !own.isEmpty
                    }
                    #expect(isTold)
                }
                // Every event of our own that is there has become a dead letter.
                let isOver = try await eventually {
                    let own = try await installation.events("--system", "--type", "system.dead_letter")
                    let ids = Set(own.compactMap { $0["id"] as? String })
                    let letters = try await installation.gatehouse("dead-letters", "list", "--json").objects
                    return ids.isSubset(of: letters.compactMap { $0["event"] as? String })
                }
                #expect(isOver)
                #expect(await service.stop() == .exited(0))
                let own = try await installation.events("--system", "--type", "system.dead_letter")
                let counts = own.compactMap { JSON.value($0, "data", "system", "count") as? Int }
                #expect(counts.reduce(0, +) == 20, "each dead letter is told of once: \(counts)")
                if round > 0 { #expect(own.count == told, "dead letters of our own events made more of them") }
                told = own.count
            }
            #expect(told <= 3)
        }

        @Test("are made by no sender, and no source can pass for us")
        func noSender() async throws {
            let installation = try Installation(
                Installation.configuration(targets: Installation.archive)
                    .replacing("lobby: {", with: "gatehouse: {")
                    .replacing(
                        "faces: {", with: "faces: {events: {PinOk: system.dead_letter}, map: {system.target: /x}, "),
                files: ["routes.yaml": "routes:\n  - {name: all, to: archive}\n"])
            let check = try await installation.gatehouse("check")
            #expect(check.status == 78)
            let text = check.output + check.errors
            #expect(text.contains("a source cannot be called `gatehouse`"))
            #expect(text.contains("system.dead_letter") && text.contains("there is no field `system.target`"))
        }
    }

    @Suite("The secret that verified an event") struct VerifiedByTests {
        @Test("is named by its trace, also while secrets are changed, after that, and when nothing runs")
        func rotation() async throws {
            let both = "[\"${env:LONDON_OLD}\", \"${env:LONDON_SECRET}\"]"
            let configuration = Installation.configuration(targets: Installation.archive)
                .replacing("secrets: [\"${env:LONDON_SECRET}\"]", with: "secrets: \(both)")
            let environment = Secrets.environment.merging(["LONDON_OLD": "an older secret of london"]) { $1 }
            let installation = try Installation(
                configuration, files: ["routes.yaml": "routes:\n\(Installation.everythingToArchive)\n"],
                environment: environment)
            let service = try await installation.start()
            let (signed, token) = (Sender.signinapp.event("signed"), Sender.netgraph.event("token"))
            for event in [signed, token] { #expect(try await service.post(event).status == 200) }

            for isRunning in [true, false] {
                if !isRunning { #expect(await service.stop() == .exited(0)) }
                let text = try await installation.gatehouse("trace", signed.events[0].id).output
                #expect(text.contains("signature signinapp, with the secret LONDON_SECRET."), "\(text)")
                let trace = try #require(
                    try await installation.gatehouse("trace", "--json", signed.events[0].id).objects.first)
                #expect(JSON.value(trace, "verified_by", "secret") as? String == "LONDON_SECRET")
                #expect(JSON.value(trace, "verified_by", "secrets") as? [String] == ["LONDON_SECRET"])
                let other = try await installation.gatehouse("trace", token.events[0].id).output
                #expect(other.contains("with the secret GUESTS_TOKEN."), "\(other)")
            }
        }
    }
}
