import Foundation
import Testing

/// A payload of a sender and the canonical event it is known to become.
struct Sample: Sendable, CustomTestStringConvertible {
    var vendor: String
    var payload: String
    var expected: String
    var testDescription: String { "\(vendor)/\(URL(filePath: payload).lastPathComponent)" }

    static let all: [Sample] = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let root = tests.appending(path: "VendorsTests/Fixtures").path
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".json") && !$0.hasSuffix(".expected.json") }.sorted().map { file in
            let path = "\(root)/\(file)"
            return Sample(
                vendor: String(file.prefix { $0 != "/" }), payload: path,
                expected: path.dropLast(".json".count) + ".expected.json")
        }
    }()
}

extension ProgramTests {
    @Suite("normalise") struct NormaliseTests {
        @Test("has samples of every sender")
        func coverage() {
            #expect(Set(Sample.all.map(\.vendor)).isSuperset(of: Sender.allCases.map(\.rawValue)))
            #expect(Sample.all.count > 40)
        }

        @Test("shows what a sample becomes, as a file and on standard input", arguments: Sample.all)
        func sample(_ sample: Sample) async throws {
            let installation = try Installation("")
            let spelling = sample.vendor == "sine" ? "normalize" : "normalise"
            // The samples' identities were made for a source of this name.
            let words = [spelling, "--vendor", sample.vendor, "--source", "lobby"]
            let outcome = try await installation.gatehouse(words: words + [sample.payload])
            #expect(outcome.status == 0, "\(outcome)")
            let payload = try String(contentsOfFile: sample.payload, encoding: .utf8)
            let expected = try comparable(String(contentsOfFile: sample.expected, encoding: .utf8))
            #expect(try comparable(outcome.output) == expected, "\(outcome)")
            let piped = try await installation.gatehouse(words: words, input: payload)
            #expect(try comparable(piped.output) == expected)
        }

        /// Without what differs from moment to moment, and without the payload that it came from.
        private func comparable(_ text: String) throws -> NSDictionary {
            // The payload stands last; some of them hold what Foundation does not read, such as half a character.
            let end = text.range(of: ",\"original\":")
            var event = try JSON.object(end.map { text[..<$0.lowerBound] + "}}" } ?? text)
            var data = try #require(event["data"] as? [String: Any])
            #expect(data["received_at"] != nil)
            data["received_at"] = nil
            if data["time_inferred"] as? Bool == true { event["time"] = nil }
            event["data"] = data
            return event as NSDictionary
        }

        @Test("takes a source's settings from the configuration")
        func source() async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: Installation.everythingToArchive,
                files: ["payload.json": Sender.signinapp.event("k").body])
            let words = [
                "normalise", "--vendor", "signinapp", "-c", "gatehouse.yaml", "--source", "london", "payload.json",
            ]
            let outcome = try await installation.gatehouse(words: words)
            let event = try JSON.object(outcome.output)
            #expect(JSON.value(event, "data", "group", "name") as? String == "Contractor")
            #expect(event["id"] as? String == Independent.eventID(source: "london", key: "k"))
            #expect(JSON.value(event, "data", "original", "idempotency_key") as? String == "k")
            let unknown = try await installation.gatehouse("normalise", "--source", "londn", "payload.json")
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("londn"))
        }

        @Test("shows every event of a batch on a line of its own")
        func batch() async throws {
            let installation = try Installation("")
            let batch = Sender.netgraph.event("b", elements: 3)
            let outcome = try await installation.gatehouse(
                "normalise", "--vendor", "netgraph", "--source", "guests", input: batch.body)
            #expect(try outcome.objects.map { $0["id"] as? String } == batch.events.map(\.id))
        }

        @Test("says what is wrong with a payload", arguments: ["{\"a\":", "", "{\"a\":1,\"a\":2}", "\u{0}"])
        func broken(payload: String) async throws {
            let outcome = try await Installation("").gatehouse("normalise", "--vendor", "signinapp", input: payload)
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("the payload is not one JSON value: "), "\(outcome)")
        }

        @Test("never shows biometrics, which nothing asked to keep")
        func biometrics() async throws {
            let template = try #require(Sample.all.first { $0.testDescription == "alocity/template.json" })
            let outcome = try await Installation("").gatehouse("normalise", "--vendor", "alocity", template.payload)
            let original = try #require(
                JSON.value(try JSON.object(outcome.output), "data", "original") as? [String: Any])
            let payload = original["Payload"] as? [String: Any] ?? [:]
            #expect(payload.keys.allSatisfy { !["template", "image"].contains($0.lowercased()) }, "\(payload.keys)")
        }
    }
}
