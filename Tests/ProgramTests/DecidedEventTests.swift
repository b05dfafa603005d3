import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("What was decided of a visitor") struct DecidedEventTests {
        private static let viewer = "kestrel-decided-viewer-0001"
        private static let doer = "kestrel-decided-operator-0002"

        private static let decisions = """
            decisions:
              - {name: staff, when: {visitor: {email: {domain: acme.example}}}, admit: {}}
              - {name: banned, when: {visitor: {last_name: Mallory}}, deny: "Not today, {visitor.first_name}"}
            default: review

            """

        private func installation(mode: String = "decision") throws -> Installation {
            let configuration = Installation.configuration(targets: Installation.archive)
                .replacing(
                    "console: \"127.0.0.1:0\"",
                    with: """
                        console:
                          listen: "127.0.0.1:0"
                          tokens:
                            - {name: looker, role: viewer, token: "${env:VIEWER}"}
                            - {name: doer, role: operator, token: "${env:DOER}"}
                        """
                ).replacing(#"api_key: "${env:SYDNEY_KEY}"}"#, with: #"api_key: "${env:SYDNEY_KEY}", mode: \#(mode)}"#)
            return try Installation(
                configuration + "decisions: decisions.yaml\n",
                files: [
                    "routes.yaml": "routes:\n\(Installation.everythingToArchive)\n", "decisions.yaml": Self.decisions,
                ], environment: Secrets.environment.merging(["VIEWER": Self.viewer, "DOER": Self.doer]) { $1 })
        }

        private func sine(_ last: String) -> SentEvent {
            let body = """
                {"event":"signin_before","date":"2024-07-30T01:43:10Z","data":{"firstName":"Pat","lastName":"\(last)",\
                "email":"pat@example.com"}}
                """
            return SentEvent(source: "sydney", body: body, headers: Sender.sine.headers(for: body), events: [])
        }

        /// The id of the one event whose decision is so.
        private func id(_ installation: Installation, _ condition: String) async throws -> String {
            let list = try await installation.events("--where", condition)
            #expect(list.count == 1)
            return try #require(list.first?["id"] as? String)
        }

        @Test("is found, traced and explained, by the rules that decided and by today's")
        func told() async throws {
            let installation = try installation()
            let service = try await installation.start()
            #expect(try await service.post(sine("Mallory")).text.contains("Not today, Pat"))
            #expect(try await service.post(sine("Smith")).text.contains("REJECTED"))
            #expect(try await eventually { try installation.archivedIDs.count == 2 })

            let id = try await id(installation, "{decision: {outcome: deny}}")
            let trace = try await installation.gatehouse("trace", id)
            #expect(trace.output.contains("It was decided: deny, by rule banned."), "\(trace)")
            let traced = try #require(try await installation.gatehouse("trace", "--json", id).objects.first)
            #expect(JSON.value(traced, "decision", "outcome") as? String == "deny")
            #expect(JSON.value(traced, "decision", "reason") as? String == "rule banned")

            let explained = try await installation.gatehouse("explain", "--id", id)
            for text in [
                "It was decided: deny, by rule banned.", "By today's rules:\ndeny, by banned (",
                "message: Not today, Pat", "not staff (",
            ] {
                #expect(explained.output.contains(text), "\(text)\n\(explained)")
            }
            let other = try await self.id(installation, "{decision: {reason: default}}")
            let byDefault = try await installation.gatehouse("explain", "--id", other, "--json")
            let object = try #require(try byDefault.objects.first)
            #expect(JSON.value(object, "decision", "recorded", "outcome") as? String == "review", "\(byDefault)")
            #expect(JSON.value(object, "decision", "today", "decision") is NSNull)
            #expect((JSON.value(object, "decision", "today", "before") as? [Any])?.count == 2)
            try await api(service, id)
            #expect(await service.stop() == .exited(0))
        }

        /// The same over the console: masked for who may not see people's fields.
        private func api(_ service: Service, _ id: String) async throws {
            let condition = "%7Bdecision%3A%20%7Boutcome%3A%20%5Bdeny%2C%20review%5D%7D%7D"
            let found = try JSON.object(try await service.api("events?where=\(condition)", token: Self.viewer).text)
            #expect((found["items"] as? [Any])?.count == 2)
            let masked = try JSON.object(try await service.api("explain?id=\(id)", token: Self.viewer).text)
            #expect(JSON.value(masked, "decision", "recorded", "reason") as? String == "rule banned")
            let today = try #require(JSON.value(masked, "decision", "today") as? [String: Any])
            #expect(today["decision"] as? String == "banned" && today["outcome"] as? String == "deny")
            #expect((today["reasons"] as? [Any])?.isEmpty == true && today["message"] == nil)
            #expect(!"\(masked)".contains("Mallory"))
            let whole = try await service.api("explain?id=\(id)&unmask=true", token: Self.doer).text
            #expect(whole.contains("Not today, Pat") && whole.contains("Mallory"))
            let trace = try await service.api("trace/\(id)", token: Self.viewer).text
            #expect(trace.contains(#""decision":{"outcome":"deny","reason":"rule banned"}"#), "\(trace)")
        }

        @Test("is recorded of a source that only tries its rules, whose visitors are all let in")
        func shadow() async throws {
            let installation = try installation(mode: "shadow")
            let service = try await installation.start()
            #expect(try await service.post(sine("Mallory")).text == #"{"code":"SUCCESS"}"#)
            #expect(try await eventually { try installation.archivedIDs.count == 1 })
            let id = try await id(
                installation, "{decision: {outcome: [deny, review], reason: {starts_with: \"shadow:\"}}}")
            let trace = try await installation.gatehouse("trace", id)
            #expect(
                trace.output.contains(
                    "The visitor was let in, as the source only tries its rules; decided would have been: deny, by rule "
                        + "banned."), "\(trace)")
            let decided = try await installation.gatehouse("decide", "--id", id)
            #expect(decided.lines.first?.hasPrefix("deny, by banned (") == true, "\(decided)")
            let metrics = try await service.console("/metrics").text
            #expect(
                metrics.contains(
                    #"gatehouse_decisions_total{source="sydney",mode="shadow",outcome="deny",reason="rule"} 1"#))
            #expect(await service.stop() == .exited(0))
        }

        @Test("cannot be told of rules that can take nobody without a warning")
        func checked() async throws {
            let installation = try installation()
            #expect(try await installation.gatehouse("check", "--strict").status == 0)
            try installation.write(
                "decisions.yaml",
                "decisions:\n  - {name: all, admit: {}}\n  - {name: late, when: {event: visitor.signin}, deny: x}\n")
            let check = try await installation.gatehouse("check", "--strict")
            #expect(check.status == 1)
            #expect(check.output.contains("the decision `late` takes no visitor: event is visitor.signin"), "\(check)")
            #expect(check.output.contains("the decision `late` is never asked: `all`"))
            let quiet = try self.installation(mode: "notify")
            let nobody = try await quiet.gatehouse("check", "--strict")
            #expect(nobody.status == 1 && nobody.output.contains("nobody waits for these decisions"), "\(nobody)")
        }
    }
}
