import Foundation
import Testing

/// A folder with a broken configuration and what `check` says of it, word by word.
struct CheckFixture: Sendable, CustomTestStringConvertible {
    var name: String
    var files: [String: String]
    /// First line: the arguments after `check`. Second: the exit code. The rest: what is printed.
    var expected: String
    var testDescription: String { name }

    static let all: [CheckFixture] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/check")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.sorted().map { name in
            var files: [String: String] = [:]
            let paths = FileManager.default.enumerator(atPath: root.appending(path: name).path)?.compactMap {
                $0 as? String
            }
            for path in paths ?? [] {
                let file = root.appending(path: name).appending(path: path)
                if let text = try? String(contentsOf: file, encoding: .utf8) { files[path] = text }
            }
            return CheckFixture(name: name, files: files, expected: files.removeValue(forKey: "expected.txt") ?? "")
        }
    }()
}

extension ProgramTests {
    @Suite("check") struct CheckTests {
        @Test("reports every error with its place and what was meant", arguments: CheckFixture.all)
        func fixture(_ fixture: CheckFixture) async throws {
            let installation = try Installation(fixture.files["gatehouse.yaml"] ?? "", files: fixture.files)
            var lines = fixture.expected.split(separator: "\n", omittingEmptySubsequences: false)
            let words = lines.removeFirst().split(separator: " ").map(String.init)
            let status = try #require(Int32(lines.removeFirst()))
            let outcome = try await installation.gatehouse(words: ["check"] + words)
            #expect(outcome.status == status)
            let printed = outcome.output + outcome.errors
            #expect(printed == lines.joined(separator: "\n"), "got:\n\(printed)")
            #expect(!FileManager.default.fileExists(atPath: installation.path("data")), "checking made a folder")
        }

        @Test("has fixtures")
        func fixtures() { #expect(CheckFixture.all.count >= 8) }

        @Test("finds the example configuration right, and the routes with it")
        func example() async throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let installation = try Installation("")
            let outcome = try await installation.gatehouse(
                "check", "-c", root.appending(path: "deploy/gatehouse.yaml").path)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("ok: 5 sources, 4 targets"), "\(outcome)")
        }

        @Test("prints JSON for machines")
        func json() async throws {
            let installation = try Installation("lisen: 1\nsources: {london: {vendor: signinap}}\n")
            let outcome = try await installation.gatehouse("check", "--json")
            #expect(outcome.status == 78)
            let problems = try outcome.objects
            #expect(problems.count == 2)
            let first = try #require(problems.first)
            #expect(first["severity"] as? String == "error" && first["file"] as? String == "./gatehouse.yaml")
            #expect(first["line"] as? Int == 1 && first["column"] as? Int == 1)
            #expect(first["suggestion"] as? String == "listen")
        }

        @Test("never prints what a reference stands for, wherever it stands")
        func secrets() async throws {
            let installation = try Installation(
                """
                listen: "${env:LONDON_SECRET}"
                dedupe: "${env:LONDON_SECRET}"
                data: "${env:LONDON_SECRET}"
                sources:
                  london: {vendor: "${env:LONDON_SECRET}", secrets: ["${file:./secret}"], tolerance: "${file:./secret}"}
                  lobby: {vendor: envoy, secrets: ["${env:LOBBY_SECRET}"], allow: "${env:LOBBY_SECRET}"}
                targets:
                  a: {type: webhook, url: "${env:CRM_TOKEN}", sign: {scheme: standard-webhooks, secrets: ["${env:LONDON_SECRET}"]}}
                  b: {type: syslog, address: "tcp://${env:CRM_TOKEN}@10.0.0.1:514", format: "${env:CRM_TOKEN}"}
                  c: {type: http, url: "http://127.0.0.1/${env:CRM_TOKEN}", token: "${env:CRM_TOKEN}", body: {a: "{${env:CRM_TOKEN}}"}}
                  d: {type: file, path: "${env:CRM_TOKEN}", rotate: "${env:CRM_TOKEN}"}
                routes: "${env:CRM_TOKEN}"
                """, files: ["secret": "kestrel-of-a-file\n"])
            // The installation looks through what is printed.
            let checked = try await installation.gatehouse("check")
            #expect(checked.status == 78)
            #expect(checked.output.split(separator: "\n").count > 8, "\(checked)")
            #expect(try await installation.gatehouse("check", "--json").status == 78)
            #expect(try await installation.gatehouse("run").status == 78)
        }
    }
}
