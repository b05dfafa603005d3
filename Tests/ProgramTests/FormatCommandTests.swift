import Foundation
import Testing

extension ProgramTests {
    @Suite("format") struct FormatCommandTests {
        private static let targets = """
              siem: {type: syslog, address: "udp://192.0.2.1", allow: 192.0.2.0/24, format: cef, hostname: desk}
              lake: {type: file, path: ./lake, format: {template: {who: "{visitor.name}"}}}

            """

        private func installation() throws -> Installation {
            try Installation(targets: Self.targets, routes: "  - {name: all, to: [siem, lake]}\n")
        }

        private func event() throws -> String {
            let sample = try #require(Sample.all.first { $0.vendor == "signinapp" })
            return try String(contentsOfFile: sample.expected, encoding: .utf8)
        }

        @Test("shows one event, or one a line, in every format")
        func formats() async throws {
            let installation = try installation()
            let event = try event()
            let beginnings = [
                "json": "{\"specversion\"", "cloudevents": "{\"specversion\"", "cef": "CEF:0|", "leef": "LEEF:2.0|",
                "ocsf": "{\"activity_id\"", "ecs": "{\"@timestamp\"",
            ]
            // Over several lines, as people keep it.
            for name in ["cef", "leef", "ocsf", "ecs"] {
                let outcome = try await installation.gatehouse(words: ["format", "--as", name], input: event)
                #expect(outcome.status == 0 && outcome.output.hasPrefix(beginnings[name] ?? "?"), "\(outcome)")
                #expect(outcome.output.filter { $0 == "\n" }.count == 1)
            }
            let line = event.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
            for (name, beginning) in beginnings {
                let outcome = try await installation.gatehouse(
                    words: ["format", "--as", name], input: line + "\n\n" + line + "\n")
                let shown = outcome.output.split(separator: "\n")
                #expect(outcome.status == 0 && shown.count == 2, "\(outcome)")
                #expect(shown.allSatisfy { $0.hasPrefix(beginning) }, "\(outcome)")
            }
        }

        @Test("writes as a target would")
        func targets() async throws {
            let installation = try installation()
            let event = try event()
            let own = ["format", "-c", "gatehouse.yaml", "--target"]
            let siem = try await installation.gatehouse(words: own + ["siem"], input: event)
            #expect(siem.output.hasPrefix("CEF:0|") && siem.output.contains(" dvchost=desk "), "\(siem)")
            for words in [own + ["lake"], own + ["lake", "--as", "template"]] {
                let lake = try await installation.gatehouse(words: words, input: event)
                #expect(lake.output.hasPrefix("{\"who\":\""), "\(lake)")
            }
            let original = try await installation.gatehouse(words: own + ["siem", "--as", "original"], input: event)
            #expect(original.status == 1 && original.errors.contains("not given"), "\(original)")
        }

        @Test("goes on behind a line that is no event, tells which it was, and fails in the end")
        func broken() async throws {
            let installation = try installation()
            let line = try event().split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
            let outcome = try await installation.gatehouse(
                words: ["format", "--as", "leef", "--json"], input: "\(line)\n{\"a\":\n\n{\"b\":1}\n\(line)\n")
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("line 2 is not JSON") && outcome.errors.contains("line 4 is not a canonical"))
            let shown = outcome.output.split(separator: "\n")
            #expect(shown.count == 2, "\(outcome)")
            for text in shown {
                let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                let written = try #require(object["line"] as? String)
                #expect(written.hasPrefix("LEEF:2.0|") && object["format"] as? String == "leef")
                #expect(object["bytes"] as? Int == written.utf8.count && (object["id"] as? String)?.count == 32)
            }
        }

        @Test("says what is wrong")
        func wrong() async throws {
            let installation = try installation()
            let cases: [(words: [String], input: String, status: Int32, says: String)] = [
                ([], "", 2, "--as"), (["--as", "xml"], "", 2, "known are json"),
                (["--as", "cfe"], "", 2, "did you mean cef?"), (["--as", "cef"], "\n \n", 1, "no event"),
                (["--as", "template"], "", 1, "name such a target"), (["--as", "cef"], "{\"a\":1}", 1, "line 1"),
                (["--as", "cef"], "\n[", 1, "line 2 is not JSON"),
                (["--as", "cef", "-c", "gatehouse.yaml", "--target", "nobody"], "", 1, "no target"),
                (["-c", "gatehouse.yaml", "--target", "sien"], "", 1, "did you mean siem?"),
            ]
            for (words, input, status, says) in cases {
                let outcome = try await installation.gatehouse(words: ["format"] + words, input: input)
                #expect(outcome.status == status && outcome.errors.contains(says), "\(words): \(outcome)")
            }
        }
    }
}
