import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Commands") struct CommandTests {
        private static let commands = [
            "run", "check", "send", "events", "deliveries", "refusals", "normalise", "sign", "reconcile", "targets",
            "schema",
            "demo", "version",
        ]

        private func installation() throws -> Installation {
            try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
        }

        @Test("are all listed by --help, and each tells more with an example of its own")
        func help() async throws {
            let installation = try installation()
            let overview = try await installation.gatehouse("--help")
            #expect(overview.status == 0)
            let rows = overview.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
            let listed = rows.compactMap { $0.split(separator: " ").first.map(String.init) }
            #expect(Set(listed).isSuperset(of: Self.commands), "\(overview)")
            for command in listed {
                for spelling in ["--help", "-h"] {
                    let page = try await installation.gatehouse(command, spelling)
                    #expect(page.status == 0, "\(command)")
                    #expect(page.errors.isEmpty, "\(command)")
                    #expect(page.output.contains("Usage: gatehouse \(command)"), "\(page)")
                    let parts = page.output.components(separatedBy: "\nExample:\n")
                    #expect(parts.count == 2, "\(page)")
                    #expect(parts.last?.contains("  gatehouse \(command)") == true, "\(page)")
                }
            }
        }

        @Test("that do not exist, or are given what they do not take, are usage errors that say what would be right")
        func usage() async throws {
            let installation = try installation()
            let wrong: [(words: [String], says: String)] = [
                (["chek"], "did you mean check?"), (["check", "--strct"], "did you mean --strict?"),
                (["check", "-c"], "--config"), (["check", "extra"], "extra"), (["events", "--limit", "0"], "--limit"),
                (["events", "--limit", "many"], "--limit"), (["events", "--since", "yesterday"], "--since"),
                (["events", "--json=yes"], "--json"), (["targets"], "targets list"),
                (["schema"], "event, config, routes or decisions"),
                (["schema", "evnt"], "evnt"), (["normalise"], "--vendor"),
                (["normalise", "--vendor", "acme"], "signinapp"),
                (["sign"], "--scheme"), (["sign", "--scheme", "nothing", "--secret", "x"], "nothing"),
                (["send", "--source", "london", "--event", "visitor.signin"], "URL"),
                (
                    ["send", "--source", "london", "--event", "visitor.sigin", "http://127.0.0.1:1"],
                    "did you mean visitor.signin?"
                ),
                (["send", "--event", "visitor.signin", "http://127.0.0.1:1"], "--source"),
                (["run", "--log-format", "xml"], "--log-format"),
            ]
            for (words, says) in wrong {
                let outcome = try await installation.gatehouse(words: words, input: "")
                #expect(outcome.status == 2, "\(words): \(outcome)")
                #expect(outcome.errors.contains(says), "\(words): \(outcome)")
                #expect(outcome.output.isEmpty, "\(words): \(outcome)")
            }
            #expect(try await installation.gatehouse().status == 2)
        }

        @Test(
            "that read a payload, a body or an event take it from a pipe and from a file alike",
            arguments: [
                (["normalise", "--vendor", "signinapp"], "payload"), (["format", "--as", "cef"], "event"),
                (["sign", "--scheme", "github", "--secret", "It's a Secret to Everybody"], "payload"),
            ])
        func standardInput(words: [String], kind: String) async throws {
            let installation = try installation()
            let sample = try #require(Sample.all.first { $0.vendor == "signinapp" })
            let file = kind == "event" ? sample.expected : sample.payload
            let named = try await installation.gatehouse(words: words + [file])
            #expect(named.status == 0 && !named.output.isEmpty, "\(named)")
            let piped = try run(Program.path, words, input: String(contentsOfFile: file, encoding: .utf8))
            #expect(piped.status == 0 && piped.output.prefix(70) == named.output.prefix(70), "\(piped)")
        }

        @Test("that cannot read a file say which, and why")
        func unreadable() async throws {
            let installation = try installation()
            for words in [["normalise", "--vendor", "signinapp"], ["format", "--as", "json"]] {
                for (file, why) in [("nowhere.json", "No such file"), (".", "Is a directory")] {
                    let outcome = try await installation.gatehouse(words: words + [file])
                    #expect(outcome.status == 1, "\(outcome)")
                    #expect(outcome.errors.contains("\(file): \(why)"), "\(outcome)")
                }
            }
        }

        @Test("that need a configuration end with 78 without one, or with a broken one")
        func needsConfiguration() async throws {
            let installation = try installation()
            try installation.write("broken.yaml", "sources: {london: {vendor: signinap}}\n")
            let commands = [
                ["check"], ["run"], ["events"], ["deliveries"], ["refusals"], ["reconcile"], ["targets", "list"],
            ]
            for words in commands {
                let missing = try await installation.gatehouse(words: words + ["-c", "nowhere.yaml"])
                #expect(missing.status == 78, "\(words): \(missing)")
                #expect((missing.output + missing.errors).contains("nowhere.yaml"), "\(missing)")
                let broken = try await installation.gatehouse(words: words + ["-c", "broken.yaml"])
                #expect(broken.status == 78, "\(words): \(broken)")
                #expect((broken.output + broken.errors).contains("broken.yaml:1:28: "), "\(broken)")
            }
        }

        @Test("that look say what is missing where nothing has run yet")
        func neverRun() async throws {
            let installation = try installation()
            for words in [["events"], ["deliveries"], ["refusals"], ["reconcile"], ["targets", "list"]] {
                let outcome = try await installation.gatehouse(words: words)
                #expect(outcome.status == 1, "\(words): \(outcome)")
                #expect(outcome.errors.contains("data"), "\(outcome)")
            }
            #expect(!FileManager.default.fileExists(atPath: installation.path("data")), "looking made a folder")
        }

        @Test("version prints the version, for people and machines")
        func version() async throws {
            let installation = try installation()
            let spoken = try await installation.gatehouse("version")
            #expect(spoken.status == 0)
            let number = try #require(spoken.output.wholeMatch(of: /gatehouse (\d+\.\d+\.\d+)\n/)?.1)
            #expect(try await installation.gatehouse("--version").output == spoken.output)
            let object = try JSON.object(try await installation.gatehouse("version", "--json").output)
            #expect(object["version"] as? String == String(number))
            #expect((object["allocator"] as? String)?.hasPrefix("mimalloc ") == true)
        }

        @Test("bench intake measures on the disk the configuration names, and leaves nothing there")
        func benchIntake() async throws {
            let installation = try installation()
            try FileManager.default.createDirectory(
                atPath: installation.path("data"), withIntermediateDirectories: true)
            let outcome = try await installation.gatehouse(
                "bench", "intake", "-c", installation.path("gatehouse.yaml"), "--count", "200", "--json")
            #expect(outcome.status == 0, "\(outcome)")
            let figures = try JSON.object(outcome.output)
            #expect(figures["events"] as? Int == 200)
            for name in [
                "events_per_second", "p50_ms", "p99_ms", "bare_per_second", "ratio_to_bare", "disk_sync_p50_ms",
            ] {
                #expect(try #require(figures[name] as? Double) > 0, "\(name)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: installation.path("data")) == [])
        }

        @Test("schema prints JSON Schemas", arguments: ["event", "config", "routes"])
        func schema(name: String) async throws {
            let outcome = try await installation().gatehouse("schema", name)
            #expect(outcome.status == 0)
            let schema = try JSON.object(outcome.output)
            #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
            #expect(schema["type"] as? String == "object")
            let properties = try #require(schema["properties"] as? [String: Any])
            let known = ["event": "specversion", "config": "sources", "routes": "routes"]
            #expect(properties[known[name]!] != nil)
        }
    }
}
