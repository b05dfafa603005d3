import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Decisions") struct DecisionTests {
        private static let decisions = """
            decisions:
              - {name: banned, when: {visitor: {email: {in_list: banned}}}, deny: "Not today, {visitor.first_name}"}
              - {name: asked, when: {group: Ask}, ask: {target: access, on_failure: {review: "Please wait"}}}
              - {name: envoy, when: {vendor: envoy}, admit: {}}
            lists: {banned: banned.txt}
            tests:
              - {name: t, given: {sample: envoy/entry_sign_in}, decision: admit}

            """

        private func installation(_ access: ScriptedServer, default fallback: String = "deny") throws -> Installation {
            let configuration = Installation.configuration(
                targets: Installation.archive
                    + "\n  access: {type: webhook, url: \"\(access.url("/ask"))\", allow: [127.0.0.1/32]}")
            return try Installation(
                configuration.replacing(
                    #"secrets: ["${env:LOBBY_SECRET}"]}"#, with: #"secrets: ["${env:LOBBY_SECRET}"], mode: decision}"#)
                    + "decisions: rules/decisions.yaml\n",
                files: [
                    "routes.yaml": "routes:\n\(Installation.everythingToArchive)\n",
                    "rules/decisions.yaml": Self.decisions + "default: \(fallback)\n",
                    "rules/banned.txt": "mallory@example.com\n",
                ])
        }

        private func sine(_ email: String, group: String = "Guest", second: Int = 10) -> SentEvent {
            let body = """
                {"event":"signin_before","date":"2024-07-30T01:43:\(second)Z","data":{"firstName":"Pat","email":"\(email)",\
                "visitorType":{"id":"1","name":"\(group)"}}}
                """
            return SentEvent(source: "sydney", body: body, headers: Sender.sine.headers(for: body), events: [])
        }

        @Test("answer at the door, are kept as events, and follow their files without a restart")
        func doors() async throws {
            let answers = Mutex([#"{"decision":"admit","visitor_notes":"Gate 4"}"#])
            let access = ScriptedServer(answering: { _ in
                HTTPResponse(status: 200, body: Array(answers.withLock { $0.last ?? "" }.utf8))
            })
            let installation = try installation(access)
            let service = try await installation.start()
            let denied = try await service.post(sine("Mallory@example.com"))
            #expect(denied.status == 200)
            #expect(denied.text == #"{"code":"REJECTED","rejectionMessage":"Not today, Pat"}"#)
            let asked = try await service.post(sine("pat@example.com", group: "Ask"))
            #expect(asked.text == #"{"code":"SUCCESS","visitorNotes":"Gate 4"}"#)
            answers.withLock { $0.append(#"{"decision":"admit","more":true}"#) }
            let failed = try await service.post(sine("pat@example.com", group: "Ask", second: 11))
            #expect(failed.text == #"{"code":"REJECTED","rejectionMessage":"Please wait"}"#)
            let other = try await service.post(sine("pat@example.com", second: 12))
            #expect(other.text == #"{"code":"REJECTED","rejectionMessage":"Please see the reception."}"#)
            let lobby = try await service.post(Sender.envoy.event("k"))
            #expect(lobby.status == 200 && lobby.text == "{}")

            #expect(try await eventually { try installation.archivedIDs.count == 5 })
            let archive = installation.read("archive.ndjson")
            for reason in ["rule banned", "asked asked", "ask_failed asked: answer_malformed", "default", "rule envoy"]
            {
                #expect(archive.contains("\"reason\":\"\(reason)\""), "\(reason)")
            }
            try installation.write("rules/banned.txt", "pat@example.com\n")
            #expect(await service.waitForLog("reloaded"))
            let banned = try await service.post(sine("pat@example.com", second: 13))
            #expect(banned.text.contains("Not today, Pat"))
            #expect(try await service.console("/readyz").status == 200)
            let metrics = try await service.console("/metrics").text
            #expect(
                metrics.contains(
                    #"gatehouse_decisions_total{source="sydney",mode="decision",outcome="admit",reason="asked"} 1"#))
            #expect(await service.stop() == .exited(0))
        }

        @Test("that are not made because the program is killed are no answer at all: the sender's own way goes on")
        func killed() async throws {
            let asked = Mutex(0)
            let access = ScriptedServer { connection in
                _ = connection.readRequest()
                asked.withLock { $0 += 1 }
                connection.waitForClose()
            }
            let installation = try installation(access, default: "admit")
            let service = try await installation.start()
            let event = sine("pat@example.com", group: "Ask")
            async let answer = try? service.post(event)
            #expect(await poll(deadline: patience) { asked.withLock { $0 } == 1 })
            await service.kill()
            #expect(await answer == nil)
        }

        @Test("are answered without the asked system, by their deadline, and stopping leaves nobody waiting")
        func silentSystem() async throws {
            let access = ScriptedServer { connection in
                _ = connection.readRequest()
                connection.waitForClose()
            }
            let installation = try installation(access)
            let service = try await installation.start()
            let waiting = sine("pat@example.com", group: "Ask")
            let answer = try await service.post(waiting)
            #expect(answer.text == #"{"code":"REJECTED","rejectionMessage":"Please wait"}"#)
            #expect(try await eventually { try installation.archivedIDs.count == 1 })
            #expect(installation.read("archive.ndjson").contains("ask_failed asked: timeout"))
            #expect(await service.stop() == .exited(0))
        }

        @Test("are checked, tested and explained without a running instance")
        func commands() async throws {
            let access = ScriptedServer(answering: { _ in HTTPResponse(status: 500) })
            let installation = try installation(access, default: "review")
            let check = try await installation.gatehouse("check")
            #expect(check.status == 0 && check.output.contains("1 routes, 3 decisions"), "\(check)")
            let test = try await installation.gatehouse("test", "--coverage")
            #expect(test.status == 0 && test.output.contains("1 of 3 decisions"), "\(test)")
            let denied = try await installation.gatehouse(
                "decide", "--sample", "sine/signin_before", "--set", "visitor.email=mallory@example.com")
            #expect(denied.lines.first?.hasPrefix("deny, by banned (./rules/decisions.yaml:2:5)") == true, "\(denied)")
            #expect(denied.output.contains("answer: 200 {\"code\":\"REJECTED\""))
            let json = try await installation.gatehouse(
                "decide", "--sample", "envoy/entry_sign_in", "--set", "group=Ask", "--json")
            let object = try #require(try json.objects.first)
            #expect(object["outcome"] as? String == "ask" && object["target"] as? String == "access", "\(json)")
            #expect((object["before"] as? [Any])?.count == 1)
        }
    }
}
