import Foundation
import HTTPTypes
import Synchronization
import TestSupport
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

        @Test("of one's own that change are taken over at work; a broken one changes nothing, and is named in the log")
        func reloaded() async throws {
            let paths = Mutex<[String]>([])
            let server = ScriptedServer { request in
                paths.withLock { $0.append(request.target) }
                return HTTPResponse(status: 200)
            }
            func preset(_ path: String) -> String { Self.own.replacing("/visits", with: path) }
            let installation = try Installation(
                top: "presets: ./presets",
                targets: "  desk: {type: http, preset: desk, host: \"http://127.0.0.1:\(server.port)\", "
                    + "allow: 127.0.0.1/32}",
                routes: "  - {name: everything, to: desk}", files: ["presets/desk.yaml": preset("/one")])
            let service = try await installation.start()
            func arrives(_ key: String, at path: String) async throws -> Bool {
                try await service.post(Sender.sine.event(key))
                return await poll(deadline: patience) { paths.withLock { $0.last } == path }
            }
            #expect(try await arrives("first", at: "/one"))
            try installation.write("presets/desk.yaml", preset("/two"))
            #expect(await service.waitForLog("reloaded"))
            #expect(try await arrives("second", at: "/two"))
            try installation.write("presets/desk.yaml", preset("/three").replacing("kind: origin", with: "kind: orgin"))
            let refused = await poll(deadline: patience) {
                service.log.contains { $0.event == "reload_refused" && $0.message.contains("presets/desk.yaml:3:") }
            }
            #expect(refused)
            try await service.post(Sender.sine.event("third"))
            #expect(await poll(deadline: patience) { paths.withLock(\.self) == ["/one", "/two", "/two"] })
            try installation.write("presets/desk.yaml", preset("/three"))
            #expect(await service.waitForLog("reloaded", count: 2))
            #expect(try await arrives("fourth", at: "/three"))
            #expect(await service.stop() == .exited(0))
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
