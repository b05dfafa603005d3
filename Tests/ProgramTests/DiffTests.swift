import Foundation
import Testing

extension ProgramTests {
    @Suite("diff") struct DiffTests {
        private static let targets = """
              siem: {type: file, path: ./siem}
              crm: {type: file, path: ./crm}
            """
        private static let old = """
              - {name: visitors, when: {event: visitor.*}, to: siem}
              - {name: leaving, when: {event: visitor.signout}, to: crm}
            """
        private static let new = """
            routes:
              - {name: visitors, when: {event: visitor.*}, to: siem}
              - {name: coming, when: {event: visitor.signin}, to: crm}

            """

        /// `gatehouse.yaml` is the new configuration, `old.yaml` the old one; both have the same data folder.
        private func installation() throws -> Installation {
            let configuration = Installation.configuration(targets: Self.targets)
            let installation = try Installation(targets: Self.targets, routes: Self.old)
            try installation.write("new-routes.yaml", Self.new)
            try installation.write(
                "new.yaml", configuration.replacingOccurrences(of: "./routes.yaml", with: "./new-routes.yaml"))
            return installation
        }

        private func events(_ installation: Installation) async throws -> String {
            var lines = ""
            for sample in [("signinapp", false), ("signinapp", true), ("envoy", false)] {
                let sender = try #require(Sender(rawValue: sample.0))
                let event = sender.event("diff", leaving: sample.1)
                lines += try await installation.gatehouse(
                    "normalise", "-c", "gatehouse.yaml", "--source", event.source, input: event.body
                ).output
            }
            return lines
        }

        @Test("sees what targets themselves do not take any more")
        func admission() async throws {
            let installation = try installation()
            try installation.write("events.ndjson", try await events(installation))
            let text = installation.read("gatehouse.yaml")
            let stricter = "path: ./siem, only_if: {visitor: {name: nobody}}}"
            try installation.write("stricter.yaml", text.replacingOccurrences(of: "path: ./siem}", with: stricter))
            let outcome = try await installation.gatehouse(
                "diff", "-c", "stricter.yaml", "--against", "gatehouse.yaml", "--events", "events.ndjson")
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.output.contains("would go no longer to siem, where visitors took it"), "\(outcome)")
            #expect(outcome.output.contains("3 of 3 events would go elsewhere"), "\(outcome)")
        }

        @Test("shows which events of a file would go elsewhere, by which routes, and counts them")
        func file() async throws {
            let installation = try installation()
            try installation.write("events.ndjson", try await events(installation))
            let words = ["diff", "-c", "new.yaml", "--against", "gatehouse.yaml", "--events", "events.ndjson"]
            let outcome = try await installation.gatehouse(words: words)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.output.contains("would go to crm by coming"), "\(outcome)")
            #expect(outcome.output.contains("would go no longer to crm, where leaving took it"), "\(outcome)")
            #expect(outcome.output.contains("3 of 3 events would go elsewhere"), "\(outcome)")

            let objects = try await installation.gatehouse(words: words + ["--json"]).objects
            #expect(objects.count == 4)
            #expect(objects[0]["type"] as? String == "visitor.signin" && objects[0]["source"] as? String == "london")
            let gained = objects[0]["gained"] as? [[String: Any]]
            #expect(gained?.first?["target"] as? String == "crm")
            #expect(gained?.first?["routes"] as? [String] == ["coming"])
            #expect((objects[0]["lost"] as? [Any])?.isEmpty == true)
            #expect(JSON.value(objects[3], "targets", "crm", "gained") as? Int == 2)
            #expect(JSON.value(objects[3], "targets", "crm", "lost") as? Int == 1)
            #expect(JSON.value(objects[3], "routes", "leaving", "lost") as? Int == 1)

            let few = try await installation.gatehouse(words: words + ["--limit", "1"])
            #expect(few.output.contains("and 2 more"), "\(few)")
        }

        @Test("ends with 0 when every event goes where it went")
        func same() async throws {
            let installation = try installation()
            let events = try await events(installation)
            let outcome = try await installation.gatehouse(
                "diff", "-c", "gatehouse.yaml", "--against", "gatehouse.yaml", "--events", "-", input: events)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output == "3 events: all would go where they went\n", "\(outcome)")
        }

        @Test("reads the log of the running and of the stopped instance")
        func log() async throws {
            let installation = try installation()
            let service = try await installation.start()
            for sender in Sender.allCases { try await service.post(sender.event("diff")) }
            let words = ["diff", "-c", "new.yaml", "--against", "gatehouse.yaml", "--since", "1h", "--json"]
            let running = try await installation.gatehouse(words: words)
            #expect(running.status == 1, "\(running)")
            #expect(try running.objects.last?["events"] as? Int == 5, "\(running)")
            #expect(await service.stop() == .exited(0))
            let stopped = try await installation.gatehouse(words: words)
            #expect(stopped.status == 1 && stopped.output == running.output, "\(stopped)")
        }

        @Test("says what is wrong with its arguments and with a file that holds no events")
        func wrong() async throws {
            let installation = try installation()
            try installation.write("events.ndjson", "\n{}\n")
            let words = ["diff", "-c", "new.yaml", "--against", "gatehouse.yaml"]
            #expect(try await installation.gatehouse("diff", "-c", "new.yaml").status == 2)
            #expect(
                try await installation.gatehouse(words: words + ["--since", "1h", "--events", "events.ndjson"]).status
                    == 2)
            let empty = try await installation.gatehouse(words: words + ["--events", "events.ndjson"])
            #expect(empty.status == 1 && empty.errors.contains("line 2 of events.ndjson is not a canonical event"))
            let missing = try await installation.gatehouse(words: words + ["--events", "nowhere"])
            #expect(missing.status == 1 && missing.errors.contains("cannot read nowhere"), "\(missing)")
            try installation.write("new-routes.yaml", "routes: [{name: a, to: nowhere}]\n")
            #expect(try await installation.gatehouse(words: words + ["--events", "events.ndjson"]).status == 78)
        }
    }
}
