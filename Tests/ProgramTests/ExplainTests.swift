import Foundation
import Testing

extension ProgramTests {
    @Suite("explain") struct ExplainTests {
        private static let targets = """
              siem: {type: syslog, address: "udp://127.0.0.1:9", format: cef, allow: [127.0.0.1/32]}
              crm:
                type: http
                url: "http://user:pass@127.0.0.1:9/people?key=query-secret"
                allow: [127.0.0.1/32]
                headers: {X-Api-Key: header-secret}
                body: {name: "{visitor.name}", key: "${env:BODY_SECRET}"}
              hook:
                type: webhook
                url: "http://127.0.0.1:9/hook"
                allow: [127.0.0.1/32]
                sign: {scheme: standard-webhooks, secrets: [whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0]}
              archive: {type: file, path: ./archive}
            """
        private static let routes = """
              - {name: contractors, when: {event: visitor.signin, group: Contractor}, to: [siem, crm, hook, archive]}
              - {name: staff, when: {group: Staff}, to: archive}

            """

        private func installation() throws -> Installation {
            try Installation(targets: Self.targets, routes: Self.routes)
        }

        private static let sample = ["explain", "--sample", "signinapp/visitor.signin", "--set", "group=Contractor"]

        @Test("says of each route what it asked and found, where the event goes, and what each target would be sent")
        func people() async throws {
            let installation = try installation()
            let outcome = try await installation.gatehouse(words: Self.sample)
            #expect(outcome.status == 0, "\(outcome)")
            for text in [
                "goes to siem (by contractors), crm (by contractors), hook (by contractors), archive (by contractors)",
                "contractors takes it, to siem, crm, hook, archive",
                "yes  group is Contractor: found \"Contractor\"",
                "staff does not take it: it asks that group is Staff, and found \"Contractor\"",
                "CEF:0|", "POST http://127.0.0.1:9/people", "X-Api-Key: ***", "Authorization: ***",
                "webhook-signature: ***",
            ] {
                #expect(outcome.output.contains(text), "\(text)\n\(outcome.output)")
            }
        }

        @Test("shows no secret, to people or machines", arguments: [[], ["--json"]])
        func secrets(_ format: [String]) async throws {
            let installation = try installation()
            let outcome = try await installation.gatehouse(
                words: Self.sample + format, environment: ["BODY_SECRET": "body-secret", "PATH": "/usr/bin:/bin"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("${env:BODY_SECRET}"), "\(outcome)")
            for secret in ["query-secret", "header-secret", "body-secret", "user:pass", "dXNlcjpwYXNz", "c2VjcmV0"] {
                #expect(!(outcome.output + outcome.errors).contains(secret), "\(secret)")
            }
        }

        @Test("with --route it tells of that route, and ends with 1 when the route does not take the event")
        func oneRoute() async throws {
            let installation = try installation()
            let taken = try await installation.gatehouse(words: Self.sample + ["--route", "contractors"])
            #expect(taken.status == 0 && !taken.output.contains("staff"), "\(taken)")
            let other = try await installation.gatehouse(words: Self.sample + ["--route", "staff", "--json"])
            #expect(other.status == 1, "\(other)")
            let routes = try #require(other.objects.first?["routes"] as? [[String: Any]])
            #expect(routes.count == 1 && routes[0]["outcome"] as? String == "not_taken")
            let near = try await installation.gatehouse(words: Self.sample + ["--route", "staf"])
            #expect(near.status == 1 && near.errors.contains("did you mean staff?"), "\(near)")
        }

        @Test("takes canonical events and senders' payloads from files, and checks what it is asked")
        func inputs() async throws {
            let installation = try installation()
            try installation.write("event.json", #"{"type":"visitor.signin","data":{"group":{"name":"Staff"}}}"#)
            let event = try await installation.gatehouse(words: ["explain", "--event", "event.json", "--json"])
            #expect(event.status == 0, "\(event)")
            let targets = try #require(event.objects.first?["targets"] as? [[String: Any]])
            #expect(targets.count == 1 && targets[0]["target"] as? String == "archive")
            let sends = try #require(targets[0]["sends"] as? [String: Any])
            #expect((sends["bytes"] as? String)?.hasSuffix("\n") == true)

            try installation.write("payload.json", #"{"event":"entry_sign_out"}"#)
            let payload = try await installation.gatehouse(
                words: ["explain", "--event", "payload.json", "--source", "lobby", "--json"])
            let decoded = try payload.objects.first?["event"] as? [String: Any]
            #expect(decoded?["source"] as? String == "lobby", "\(payload)")

            for words in [
                [], ["--event", "event.json", "--sample", "envoy/entry_sign_in"],
                ["--sample", "envoy/entry_sign_in", "--source", "lobby"],
                ["--sample", "envoy/entry_sign_in", "--set", "grop=x"], ["--id", "7"],
            ] {
                let refused = try await installation.gatehouse(words: ["explain"] + words)
                #expect(refused.status == 2, "\(words) \(refused)")
            }
        }

        @Test("says the same over the API, hidden from those who may not see it")
        func overTheAPI() async throws {
            let (viewer, doer) = ("kestrel-console-viewer-0001", "kestrel-console-operator-0002")
            let configuration = Installation.configuration(targets: "      archive: {type: file, path: ./archive}")
                .replacing(
                    "console: \"127.0.0.1:0\"",
                    with: """
                        console:
                          listen: "127.0.0.1:0"
                          tokens:
                            - {name: looker, role: viewer, token: "${env:VIEWER}"}
                            - {name: doer, role: operator, token: "${env:DOER}"}
                        """)
            let installation = try Installation(
                configuration,
                files: [
                    "routes.yaml": "routes: [{name: named, when: {visitor: {name: {is: present}}}, to: archive}]\n"
                ],
                environment: Secrets.environment.merging(["VIEWER": viewer, "DOER": doer]) { $1 })
            let service = try await installation.start()
            let event = Sender.signinapp.event("explained")
            try await service.post(event)
            let id = event.events[0].id
            let command = try await installation.gatehouse("explain", "--id", id, "--json")
            let expected = try JSON.object(command.output)
            let clear = try await service.api("explain?id=\(id)&unmask=true", token: doer)
            #expect(clear.status == 200, "\(clear)")
            #expect(NSDictionary(dictionary: try JSON.object(clear.text)).isEqual(to: expected))
            let hidden = try await service.api("explain?id=\(id)", token: viewer)
            let route = try #require((try JSON.object(hidden.text)["routes"] as? [[String: Any]])?.first)
            #expect(route["outcome"] as? String == "taken")
            #expect(JSON.value(route, "when", "found") as? String == "***")
            let kept = try #require(try await installation.events().first)
            let name = try #require(JSON.value(kept, "data", "visitor", "name") as? String)
            #expect(clear.text.contains(name) && !hidden.text.contains(name))
            #expect(try await service.api("explain?id=\(id)&route=no", token: doer).status == 400)
        }
    }
}
