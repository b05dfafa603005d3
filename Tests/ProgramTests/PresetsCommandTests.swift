import Foundation
import Testing

extension ProgramTests {
    @Suite("presets") struct PresetsCommandTests {
        private static let own = """
            # what we say
            description: our desk
            parameters: {host: {kind: origin, required: true, description: where it is}}
            url: "${parameter:host}/visits"

            """

        private func installation() throws -> Installation {
            try Installation("presets: ./presets\n", files: ["presets/desk.yaml": Self.own])
        }

        @Test("lists those of the program, and with a configuration its own")
        func list() async throws {
            let installation = try installation()
            let shipped = try await installation.gatehouse(words: ["presets", "list"], input: "")
            #expect(
                shipped.status == 0 && shipped.output.contains("splunk-hec") && !shipped.output.contains("desk.yaml"))
            let all = try await installation.gatehouse(
                words: ["presets", "list", "-c", "gatehouse.yaml", "--json"], input: "")
            let presets = try all.output.split(separator: "\n").map { try JSON.object(String($0)) }
            #expect(presets.count == shipped.output.split(separator: "\n").count + 1, "\(all)")
            let desk = try #require(presets.first { $0["name"] as? String == "desk" })
            #expect(
                desk["shipped"] as? Bool == false && (desk["file"] as? String)?.hasSuffix("presets/desk.yaml") == true)
            #expect((desk["parameters"] as? [[String: Any]])?.first?["required"] as? Bool == true)
        }

        @Test("shows a preset's file as it is, and helps with its name")
        func show() async throws {
            let installation = try installation()
            let desk = try await installation.gatehouse(
                words: ["presets", "show", "desk", "-c", "gatehouse.yaml"], input: "")
            #expect(desk.status == 0 && desk.output == Self.own)
            let slack = try await installation.gatehouse(words: ["presets", "show", "slack"], input: "")
            #expect(slack.status == 0 && slack.output.contains("webhook_url"))
            let wrong = try await installation.gatehouse(words: ["presets", "show", "hubspott"], input: "")
            #expect(wrong.status == 1 && wrong.errors.contains("did you mean `hubspot`?"))
        }

        @Test("wants to know what of them")
        func usage() async throws {
            let installation = try installation()
            for (words, says) in [
                (["presets"], "presets list"), (["presets", "lst"], "list, or show NAME"),
                (["presets", "show"], "the name of the preset"), (["presets", "list", "x"], "too many"),
            ] {
                let outcome = try await installation.gatehouse(words: words, input: "")
                #expect(outcome.status == 2 && outcome.errors.contains(says), "\(words): \(outcome)")
            }
        }
    }
}
