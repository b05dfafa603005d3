import Foundation
import TestSupport
import Testing

extension Service {
    /// Asks the console's API.
    func api(
        _ path: String, token: String? = nil, method: String = "GET", accept: String? = nil, body: String = ""
    ) async throws -> Answer {
        let port = consolePort
        var head = "\(method) /api/v1/\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let accept { head += "Accept: \(accept)\r\n" }
        if !body.isEmpty { head += "Content-Length: \(body.utf8.count)\r\n" }
        let text = head + "\r\n" + body
        return try await blocking {
            let connection = try RawConnection(port: port)
            try connection.send(text)
            return try connection.answer()
        }
    }
}

extension Answer {
    fileprivate var items: [[String: Any]] {
        get throws { try JSON.object(text)["items"] as? [[String: Any]] ?? [] }
    }
}

extension ProgramTests {
    @Suite("The console's API") struct ConsoleAPITests {
        private static let viewer = "kestrel-console-viewer-0001"
        private static let doer = "kestrel-console-operator-0002"
        private static let london = "kestrel-console-london-0003"

        private static let console = """
            console:
              listen: "127.0.0.1:0"
              tokens:
                - {name: looker, role: viewer, token: "${env:VIEWER}"}
                - {name: doer, role: operator, token: "${env:DOER}"}
                - {name: thames, role: viewer, team: london, token: "${env:LONDON}"}
            """

        private static func installation(console: String = console, routes: String = "routes: ./routes") throws
            -> Installation
        {
            let configuration = Installation.configuration(
                top: """
                    teams:
                      london: {files: routes/london/, scope: {site: 1}, targets: [thames]}
                    """,
                targets: """
                      thames: {type: file, path: ./thames.ndjson}
                      seine: {type: file, path: ./seine.ndjson}
                    """
            ).replacing("console: \"127.0.0.1:0\"", with: console).replacing("routes: ./routes.yaml", with: routes)
            return try Installation(
                configuration,
                files: [
                    "routes/main.yaml": "routes: [{name: everything, to: [thames, seine]}]\n",
                    "routes/london/a.yaml": "routes: [{name: all, to: thames}]\n",
                ],
                environment: Secrets.environment.merging(
                    ["VIEWER": viewer, "DOER": doer, "LONDON": london]) { $1 })
        }

        /// One event at each of two sites, delivered everywhere.
        private static func started() async throws -> (
            installation: Installation, service: Service, events: [SentEvent]
        ) {
            let installation = try installation()
            let service = try await installation.start()
            let events = [1, 2].map { Sender.signinapp.event("at-\($0)", site: $0) }
            for event in events { try await service.post(event) }
            let isDone = try await eventually {
                let balance = try await installation.balance()
                return ["thames", "seine"].allSatisfy { JSON.value(balance, "targets", $0, "delivered") as? Int == 2 }
            }
            #expect(isDone)
            return (installation, service, events)
        }

        @Test("shows each role its part, and notes what was read in the clear")
        func roles() async throws {
            let (installation, service, events) = try await Self.started()
            let ids = events.map { $0.events[0].id }
            #expect(try await service.api("events").status == 401)
            #expect(try await service.api("events", token: "kestrel-no-token-of-ours").status == 401)

            let list = try await service.api("events?order=oldest", token: Self.viewer)
            #expect(list.status == 200)
            #expect(try list.items.map { $0["id"] as? String } == ids)
            for name in ["John Smith", "Adele", "Director", "Acme Ltd", "adele.vance"] {
                #expect(!list.text.contains(name), "\(name)")
            }
            #expect(list.text.contains("4567") == false && list.text.contains("visitor/1234"))
            #expect(try await service.api("events?unmask=true", token: Self.viewer).status == 403)

            let own = try await service.api("events", token: Self.london)
            #expect(try own.items.map { $0["id"] as? String } == [ids[0]])
            let deliveries = try await service.api("deliveries", token: Self.london)
            #expect(try deliveries.items.map { $0["target"] as? String } == ["thames"])
            #expect(try deliveries.items.map { $0["event"] as? String } == [ids[0]])
            let targets = try await service.api("targets", token: Self.london)
            #expect(try targets.items.map { $0["name"] as? String } == ["thames"])
            let routes = try await service.api("routes", token: Self.london)
            #expect(try routes.items.map { $0["team"] as? String } == ["london"])

            let clear = try await service.api("events/\(ids[0])?unmask=true", token: Self.doer)
            #expect(clear.text.contains("John Smith"))
            // It is still there after a kill: it was on the disk before the answer was sent.
            await service.kill()
            let again = try await installation.start()
            let audit = try await again.api("audit", token: Self.doer)
            #expect(try audit.items.count == 1)
            #expect(try audit.items.first?["actor"] as? String == "doer")
            #expect(try audit.items.first?["subject"] as? String == ids[0])
            #expect(await again.stop() == .exited(0))
        }

        @Test("lists deliveries in both orders, and what became of one event")
        func deliveries() async throws {
            let (installation, service, events) = try await Self.started()
            defer { withExtendedLifetime(installation) {} }
            let newest = try await service.api("deliveries?limit=3", token: Self.viewer)
            let oldest = try await service.api("deliveries?order=oldest", token: Self.viewer)
            func rows(_ answer: Answer) throws -> [String] {
                try answer.items.map { "\($0["event"] ?? "") \($0["target"] ?? "")" }
            }
            #expect(try rows(oldest).count == 4)
            #expect(try rows(newest) == rows(oldest).reversed().prefix(3).map(\.self))
            let next = try #require(try JSON.object(newest.text)["next"] as? String)
            let rest = try await service.api("deliveries?limit=3&cursor=\(next)", token: Self.viewer)
            #expect(try rows(rest) == rows(oldest).prefix(1).map(\.self))
            let one = try await service.api("deliveries/\(events[1].events[0].id)", token: Self.viewer)
            #expect(try one.items.map { $0["state"] as? String } == ["delivered", "delivered"])
            let dead = try await service.api("deliveries?state=dead", token: Self.viewer)
            #expect(try dead.items.isEmpty)
        }

        @Test("lets operators pause and resume a target, and says who did")
        func acting() async throws {
            let (installation, service, _) = try await Self.started()
            defer { withExtendedLifetime(installation) {} }
            #expect(try await service.api("targets/seine/pause", token: Self.viewer, method: "POST").status == 403)
            let paused = try await service.api("targets/seine/pause", token: Self.doer, method: "POST")
            #expect(paused.status == 200, "\(paused.text)")
            let targets = try await service.api("targets", token: Self.viewer)
            #expect(
                try targets.items.first { $0["name"] as? String == "seine" }?["state"] as? String == "paused")
            #expect(try await service.api("targets/seine/resume", token: Self.doer, method: "POST").status == 200)
            #expect(try await service.api("targets/nowhere/pause", token: Self.doer, method: "POST").code == "not_done")
            #expect(try await service.api("targets/seine/pause", token: Self.doer).status == 405)
            let audit = try await service.api("audit?order=oldest", token: Self.doer)
            #expect(try audit.items.map { $0["action"] as? String } == ["targets.pause", "targets.resume"])
            #expect(
                try audit.items.allSatisfy { $0["actor"] as? String == "doer" && $0["subject"] as? String == "seine" })
        }

        @Test("takes new tokens over without a restart")
        func reload() async throws {
            let installation = try Self.installation()
            let service = try await installation.start()
            #expect(try await service.api("targets", token: Self.viewer).status == 200)
            let text = installation.read("gatehouse.yaml")
            try installation.write(
                "gatehouse.yaml",
                text.replacing(
                    "{name: looker, role: viewer, token: \"${env:VIEWER}\"}",
                    with: "{name: late, role: viewer, token: \"${env:LOBBY_SECRET}\"}"))
            let isTaken = try await eventually {
                try await service.api("targets", token: Secrets.environment["LOBBY_SECRET"]).status == 200
            }
            #expect(isTaken)
            #expect(try await service.api("targets", token: Self.viewer).status == 401)
        }

        @Test("without tokens answers nobody, and open on loopback this machine")
        func open() async throws {
            let closed = try Self.installation(console: "console: \"127.0.0.1:0\"")
            let service = try await closed.start()
            #expect(try await service.api("targets").status == 401)
            await service.stop()
            let installation = try Self.installation(console: "console: {listen: \"127.0.0.1:0\", open: true}")
            let open = try await installation.start()
            #expect(try await open.api("targets").status == 200)
            let lines = try await open.api("targets", accept: "application/x-ndjson")
            #expect(lines.text.split(separator: "\n").count == 2)
            await open.stop()
            let exposed = try Self.installation(console: "console: {listen: \"0.0.0.0:0\", open: true}")
            let outcome = try await exposed.gatehouse("check")
            #expect(outcome.status == 78)
            #expect(outcome.output.contains("open: true"))
        }
    }
}
