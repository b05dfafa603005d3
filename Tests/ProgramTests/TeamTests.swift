import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Teams") struct TeamTests {
        /// Two teams, each with a site, a file target of its own, and one target they share.
        private static func installation(_ changes: [String: String] = [:]) throws -> Installation {
            let configuration =
                Installation.configuration(
                    top: """
                        sites:
                          london: {ids: {sydney: 1}}
                          paris: {ids: {sydney: 2}}
                        teams:
                          london: {files: routes/london/, scope: {site: {key: london}}, targets: [thames, shared]}
                          paris: {files: routes/paris/, scope: {site: {key: paris}}, targets: [seine, shared]}
                        """,
                    targets: """
                          thames: {type: file, path: ./thames.ndjson}
                          seine: {type: file, path: ./seine.ndjson}
                          shared: {type: file, path: ./shared.ndjson}
                        """
                ).replacing("routes: ./routes.yaml", with: "routes: ./routes")
            let files = [
                "routes/london/a.yaml": "routes: [{name: all, description: What comes in, to: thames}]\n",
                "routes/paris/a.yaml": "routes: [{name: all, to: seine}]\n",
            ]
            return try Installation(configuration, files: files.merging(changes) { $1 })
        }

        private static func ids(_ installation: Installation, _ name: String) throws -> Set<String> {
            let lines = installation.read(name + ".ndjson").split(separator: "\n")
            return Set(try lines.compactMap { try JSON.object(String($0))["id"] as? String })
        }

        private static func arrives(_ event: SentEvent, _ installation: Installation, at target: String) async throws {
            let id = event.events[0].id
            let came = try await eventually { try ids(installation, target).contains(id) }
            #expect(came, "the event did not come to \(target)")
        }

        /// All that was sent is where it goes.
        private static func settle(_ installation: Installation) async throws {
            let isDone = try await eventually {
                let balance = try await installation.balance()
                return ["thames", "seine", "shared"].allSatisfy {
                    JSON.value(balance, "targets", $0, "pending") as? Int == 0
                }
            }
            #expect(isDone)
        }

        private static func teams(_ service: Service) async throws -> [[String: Any]] {
            let answer = try await service.console("/readyz")
            #expect(answer.status == 200, "a team's mistake must not take the instance out of service")
            let body = try JSON.object(answer.text)
            #expect(body["ready"] as? Bool == true)
            return try #require(body["teams"] as? [[String: Any]])
        }

        @Test("get only events of their scope, whatever their files say")
        func scope() async throws {
            let installation = try Self.installation([
                "routes/london/a.yaml": "routes: [{name: all, when: {site: {key: [london, paris]}}, to: thames}]\n",
                "routes/paris/b.yaml": "routes: [{name: rest, when: {not: {site: {key: paris}}}, to: shared}]\n",
            ])
            let service = try await installation.start()
            let (london, paris, oslo) = (
                Sender.sine.event("london", site: 1), Sender.sine.event("paris", site: 2),
                Sender.sine.event("oslo", site: 3)
            )
            for event in [paris, oslo, london] { try await service.post(event) }
            try await Self.arrives(london, installation, at: "thames")
            try await Self.arrives(paris, installation, at: "seine")
            try await Self.settle(installation)
            #expect(try Self.ids(installation, "thames") == [london.events[0].id])
            #expect(try Self.ids(installation, "seine") == [paris.events[0].id])
            #expect(try Self.ids(installation, "shared").isEmpty)
            #expect(await service.stop() == .exited(0))
        }

        @Test("that break a file go on as before, over a restart too, while the others' new routes are taken over")
        func broken() async throws {
            let installation = try Self.installation()
            var service = try await installation.start()
            #expect(try await Self.teams(service).isEmpty)
            try installation.write("routes/london/a.yaml", "routes: [{name: all, to: thams}]\n")
            #expect(await service.waitForLog("team_refused"))
            let refused = try #require(service.log.first { $0.event == "team_refused" })
            #expect(refused.level == "error")
            #expect(refused.message.contains("routes/london/a.yaml:1:26: "), "\(refused)")
            #expect(refused.message.contains("are kept"), "\(refused)")
            let reloads = service.log.count { $0.event == "reloaded" }
            try installation.write("routes/paris/b.yaml", "routes: [{name: more, to: shared}]\n")
            #expect(await service.waitForLog("reloaded", count: reloads + 1))
            #expect(service.log.count { $0.event == "team_refused" } == 1, "told again, though nothing changed")

            for round in ["first", "second"] {
                let team = try #require(try await Self.teams(service).first)
                #expect(team["team"] as? String == "london")
                #expect(team["state"] as? String == "kept")
                #expect((team["at"] as? String)?.hasSuffix("routes/london/a.yaml:1:26") == true)
                let london = Sender.sine.event("london-\(round)", site: 1)
                let paris = Sender.sine.event("paris-\(round)", site: 2)
                try await service.post(london)
                try await service.post(paris)
                try await Self.arrives(london, installation, at: "thames")
                try await Self.arrives(paris, installation, at: "seine")
                try await Self.arrives(paris, installation, at: "shared")
                if round == "first" {
                    #expect(await service.stop() == .exited(0))
                    service = try await installation.start()
                }
            }
            let metrics = try await service.console("/metrics").text
            #expect(metrics.contains(#"gatehouse_team_refused{team="london"} 1"#))
            #expect(metrics.contains(#"gatehouse_team_refused{team="paris"} 0"#))

            try installation.write("routes/london/a.yaml", "routes: [{name: new, to: shared}]\n")
            #expect(await service.waitForLog("team_loaded"))
            #expect(try await Self.teams(service).isEmpty)
            let mended = Sender.sine.event("mended", site: 1)
            try await service.post(mended)
            try await Self.arrives(mended, installation, at: "shared")
            #expect(await service.stop() == .exited(0))
        }

        @Test("whose files never loaded have no routes, and the others theirs")
        func neverLoaded() async throws {
            let installation = try Self.installation(["routes/london/a.yaml": "routes: [\n"])
            let service = try await installation.start()
            #expect(service.log.contains { $0.event == "team_refused" && $0.message.contains("no routes at work") })
            let team = try #require(try await Self.teams(service).first)
            #expect(team["state"] as? String == "refused")
            #expect(team["since"] == nil)
            let (london, paris) = (Sender.sine.event("london", site: 1), Sender.sine.event("paris", site: 2))
            try await service.post(london)
            try await service.post(paris)
            try await Self.arrives(paris, installation, at: "seine")
            try await Self.settle(installation)
            #expect(try Self.ids(installation, "thames").isEmpty)
            #expect(await service.stop() == .exited(0))
        }

        @Test("are shown by routes and check, of a running instance and of a stopped one")
        func shown() async throws {
            let installation = try Self.installation()
            let service = try await installation.start()
            try installation.write("routes/london/a.yaml", "routes: [{name: all, to: seine}]\n")
            #expect(await service.waitForLog("team_refused"))
            for isRunning in [true, false] {
                let routes = try await installation.gatehouse("routes", "--json")
                #expect(routes.status == 0)
                let objects = try routes.objects
                #expect(objects.map { $0["name"] as? String } == ["london/all", "paris/all"])
                #expect(objects.map { $0["team"] as? String } == ["london", "paris"])
                #expect(objects.map { $0["kept"] as? Bool } == [true, false])
                #expect(objects.map { $0["targets"] as? [String] } == [["thames"], ["seine"]])
                #expect(objects[0]["description"] as? String == "What comes in")
                #expect((objects[0]["file"] as? String)?.hasSuffix("routes/london/a.yaml") == true)
                #expect(objects[0]["line"] as? Int == 1)
                #expect(objects[0]["since"] is String)
                #expect(routes.errors.contains("team london: its routes of "), "\(routes)")

                let seine = try await installation.gatehouse("routes", "--json", "--target", "seine")
                #expect(try seine.objects.map { $0["name"] as? String } == ["paris/all"])
                let paris = try await installation.gatehouse("routes", "--json", "--team", "paris")
                #expect(try paris.objects.map { $0["name"] as? String } == ["paris/all"])
                let table = try await installation.gatehouse("routes")
                #expect(table.output.contains("london/all"))

                let teams = try await installation.gatehouse("routes", "--teams", "--json")
                #expect(try teams.objects.map { $0["state"] as? String } == ["kept", "current"])
                #expect((try teams.objects[0]["error"] as? String)?.contains("`seine`") == true, "\(teams)")

                let check = try await installation.gatehouse("check")
                #expect(check.status == 78)
                #expect(check.output.contains("routes/london/a.yaml:1:26: "), "\(check)")
                #expect(check.errors.contains("team london: its routes of "), "\(check)")
                if isRunning { #expect(await service.stop() == .exited(0)) }
            }
        }

        @Test("lose nothing but time when the configuration takes a target away")
        func targetTaken() async throws {
            let installation = try Self.installation()
            let service = try await installation.start()
            let configuration = installation.read("gatehouse.yaml")
            try installation.write(
                "gatehouse.yaml", configuration.replacing("targets: [thames, shared]", with: "targets: [shared]"))
            #expect(await service.waitForLog("team_refused"))
            let team = try #require(try await Self.teams(service).first)
            #expect(team["state"] as? String == "refused")
            let paris = Sender.sine.event("paris", site: 2)
            try await service.post(paris)
            try await Self.arrives(paris, installation, at: "seine")
            try installation.write("gatehouse.yaml", configuration)
            #expect(await service.waitForLog("team_loaded"))
            let london = Sender.sine.event("london", site: 1)
            try await service.post(london)
            try await Self.arrives(london, installation, at: "thames")
            #expect(await service.stop() == .exited(0))
        }

        @Test("see how often each of their routes could not be decided")
        func undecided() async throws {
            let installation = try Self.installation([
                "routes/london/a.yaml": """
                routes:
                  - {name: plain, to: thames}
                  - {name: daily, when: {time: {within: {from: "00:00", to: "24:00"}}}, to: shared}
                """
            ])
            let service = try await installation.start()
            // This sender gives no time zone, and nothing else does.
            let events = ["one", "two"].map { Sender.sine.event($0, site: 1) }
            for event in events { try await service.post(event) }
            for event in events { try await Self.arrives(event, installation, at: "thames") }
            let routes = try await installation.gatehouse("routes", "--json", "--team", "london").objects
            #expect(routes.map { $0["name"] as? String } == ["london/plain", "london/daily"])
            #expect(routes.map { $0["errors"] as? Int } == [0, 2])
            #expect(try await service.console("/metrics").text.contains("gatehouse_route_errors_total 2"))
            #expect(await service.stop() == .exited(0))
            #expect(installation.read("shared.ndjson").isEmpty)
        }

        @Test("and all others are read again for their own files only, not for what appears beside them")
        func besides() async throws {
            let installation = try Self.installation()
            let service = try await installation.start()
            try installation.write("notes.txt", "beside the configuration")
            try installation.write("routes/london/README.md", "beside the routes")
            try installation.write("routes/london/.hidden.yaml", "routes: [")
            let isReloaded = await poll(deadline: .seconds(3)) { service.log.contains { $0.event == "reloaded" } }
            #expect(!isReloaded)
            try installation.write("routes/london/deeper/b.yaml", "routes: [{name: more, to: shared}]\n")
            #expect(await service.waitForLog("reloaded"))
            try FileManager.default.removeItem(atPath: installation.path("routes/london/deeper/b.yaml"))
            #expect(await service.waitForLog("reloaded", count: 2))
            #expect(await service.stop() == .exited(0))
        }

        @Test("and their rules' fields are hinted at by check when events had another one like it")
        func hints() async throws {
            let installation = try Self.installation([
                "routes/main.yaml": "routes:\n  - {name: a, when: {personal: {Role: Director}}, to: shared}\n"
            ])
            #expect(try await installation.gatehouse("check").status == 0)
            let service = try await installation.start()
            try await service.post(Sender.signinapp.event("one"))
            let isNoted = await poll(deadline: patience) {
                installation.read("data/seen-keys.json").contains("\"role\"")
            }
            #expect(isNoted)
            #expect(!installation.read("data/seen-keys.json").contains("Director"))
            let mode = try FileManager.default.attributesOfItem(atPath: installation.path("data/seen-keys.json"))
            #expect(mode[.posixPermissions] as? Int == 0o600)
            #expect(await service.stop() == .exited(0))
            let check = try await installation.gatehouse("check")
            #expect(check.status == 0)
            #expect(
                check.output.contains("routes/main.yaml:2:33: warning: no event had `Role` in personal, but `role`"),
                "\(check)")
        }
    }
}
