import Foundation
import HTTPTypes
import TestSupport
import Testing

/// An instance that had a little of everything: events of all senders, a duplicate, refusals, a quarantined element, a
/// dead letter and events no route takes.
final class KnownTraffic: Sendable {
    let installation: Installation
    let service: Service
    let events: [SentEvent]
    let badBody = #"{"event":"visitor.signin","idempotency_key":"forged"}"#
    let hostileName = "\u{202e}Eve\u{1b}[31m\u{7}\r\n<script>"
    private let server: ScriptedServer

    init() async throws {
        // Does not take one sender's events.
        server = ScriptedServer { request in
            HTTPResponse(status: String(decoding: request.body, as: UTF8.self).contains("/sources/faces") ? 422 : 200)
        }
        installation = try Installation(
            targets: Installation.archive + """

                  partner:
                    {type: webhook, url: "\(server.url("/hook"))", allow: 127.0.0.1/32, attempts: 1,
                     sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
                """,
            routes: Installation.everythingToArchive + """

                  - {name: visitors, when: {event: visitor.*}, to: partner}
                  - {name: faces, when: {event: face.*}, to: partner}
                """)
        service = try await installation.start()
        events = Sender.allCases.map { $0.event("known") }
        for event in events { try await service.post(event) }
        try await service.post(events[0])
        try await refusals()
        try await hostile()
        let batch = #"[{"type":"signin.session.created","id":"1","timestamp":"2024-07-30T01:49:27Z"},17]"#
        _ = try await service.post("/in/guests", batch, headers: Sender.netgraph.headers(for: batch))
        let isDone = try await eventually {
            let balance = try await installation.balance()
            return ["archive", "partner"].allSatisfy { JSON.value(balance, "targets", $0, "pending") as? Int == 0 }
        }
        guard isDone else { throw Failure("deliveries do not finish: \(try await installation.balance())") }
    }

    private func refusals() async throws {
        let signature = Sender.signinapp.headers(for: "another body")
        _ = try await service.post("/in/london", badBody, headers: signature)
        _ = try await service.post("/in/sydney", "{}", headers: [("x-sine-auth", "kestre1-typed-wrongly")])
        _ = try await service.post("/in/nobody", "{}", headers: [])
    }

    private func hostile() async throws {
        let name = String(decoding: try JSONEncoder().encode(hostileName), as: UTF8.self)
        let body = Sender.envoy.event("hostile").body.replacingOccurrences(of: "\"Priya Raman\"", with: name)
        _ = try await service.post("/in/lobby", body, headers: Sender.envoy.headers(for: body))
    }
}

extension ProgramTests {
    @Suite("Lists") struct ListingTests {
        @Test("show the same of a running and of a stopped instance, in the documented shapes")
        func shapes() async throws {
            let known = try await KnownTraffic()
            try await expectLists(known)
            let lists = [["events"], ["deliveries"], ["refusals"], ["events", "--quarantine"], ["reconcile"]]
            var running: [String] = []
            for words in lists {
                running.append(try await known.installation.gatehouse(words: words + ["--json"]).output)
            }
            #expect(await known.service.stop() == .exited(0))
            for (words, before) in zip(lists, running) {
                let after = try await known.installation.gatehouse(words: words + ["--json"])
                #expect(after.status == 0)
                #expect(after.output == before, "\(words)")
            }
            try await expectLists(known)
            let target = try #require(try await known.installation.target("archive"))
            #expect(target["state"] as? String == "stopped")
        }

        private func expectLists(_ known: KnownTraffic) async throws {
            try await expectEvents(known)
            try await expectDeliveries(known)
            try await expectRefusals(known)
            try await expectQuarantine(known)
            try await expectBalance(known)
        }

        private func expectEvents(_ known: KnownTraffic) async throws {
            let events = try await known.installation.events()
            // Oldest first.
            #expect(events.prefix(5).map { $0["id"] as? String } == known.events.flatMap(\.events).map(\.id))
            #expect(events.count == 7)
            for (event, sent) in zip(events, known.events) {
                #expect(event["specversion"] as? String == "1.0")
                #expect(event["source"] as? String == "/sources/\(sent.source)")
                #expect(event["type"] as? String == sent.events[0].type)
                let original = try #require(JSON.value(event, "data", "original"))
                // A batch's element stands alone; sensitive members of these samples there are none.
                let text = sent.body.hasPrefix("[") ? String(sent.body.dropFirst().dropLast()) : sent.body
                #expect(original as? NSDictionary == (try JSON.object(text)) as NSDictionary)
            }
        }

        private func expectDeliveries(_ known: KnownTraffic) async throws {
            let deliveries = try await known.installation.deliveries()
            // Filtered ones are derived, not listed: they show where one asks for the event.
            #expect(deliveries.count == 12)
            for delivery in deliveries {
                let keys: Set = ["event", "target", "state", "attempts", "last", "next_at", "routes"]
                #expect(keys.isSubset(of: delivery.keys), "\(delivery)")
            }
            func one(_ sender: Sender, _ target: String) throws -> [String: Any] {
                let id = sender.event("known").events[0].id
                return try #require(
                    deliveries.first { $0["event"] as? String == id && $0["target"] as? String == target })
            }
            let delivered = try one(.signinapp, "partner")
            #expect(delivered["state"] as? String == "delivered")
            #expect(delivered["attempts"] as? Int == 1)
            #expect(delivered["routes"] as? [String] == ["visitors"])
            #expect(delivered["next_at"] is NSNull)
            #expect(JSON.value(delivered, "last", "status") as? Int == 200)
            #expect(JSON.value(delivered, "last", "reason") is NSNull)
            #expect(JSON.value(delivered, "last", "duration_ms") is Int)
            #expect(
                (JSON.value(delivered, "last", "at") as? String)?.wholeMatch(
                    of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            let id = Sender.netgraph.event("known").events[0].id
            let both = try await known.installation.deliveries("--id", id)
            let filtered = try #require(both.first { $0["target"] as? String == "partner" })
            #expect(filtered["state"] as? String == "filtered")
            #expect(filtered["routes"] as? [String] == [])
            #expect(filtered["attempts"] as? Int == 0)
            let dead = try one(.alocity, "partner")
            #expect(dead["state"] as? String == "dead")
            #expect(JSON.value(dead, "last", "status") as? Int == 422)
            #expect(JSON.value(dead, "last", "reason") as? String == "http_422")
        }

        private func expectRefusals(_ known: KnownTraffic) async throws {
            let refusals = try await known.installation.refusals()
            #expect(
                refusals.map { $0["code"] as? String } == ["signature_mismatch", "key_mismatch", "source_unknown"])
            for refusal in refusals {
                #expect(Set(refusal.keys) == ["at", "source", "address", "code", "detail", "size", "sha256"])
                #expect(refusal["address"] as? String == "127.0.0.1")
            }
            #expect(refusals.first?["source"] as? String == "london")
            #expect(refusals.first?["size"] as? Int == known.badBody.utf8.count)
            #expect(
                refusals.first?["sha256"] as? String == Independent.hex(Independent.sha256(Array(known.badBody.utf8))))
        }

        private func expectQuarantine(_ known: KnownTraffic) async throws {
            let elements = try await known.installation.gatehouse("events", "--quarantine", "--json").objects
            #expect(elements.count == 1)
            let element = try #require(elements.first)
            #expect(Set(element.keys) == ["source", "index", "received_at", "reason", "size", "sha256"])
            #expect(element["source"] as? String == "guests")
            #expect(element["index"] as? Int == 1)
            #expect(element["size"] as? Int == 2)
            #expect(element["sha256"] as? String == Independent.hex(Independent.sha256(Array("17".utf8))))
        }

        private func expectBalance(_ known: KnownTraffic) async throws {
            let balance = try await known.installation.balance()
            #expect(Set(["balanced", "accepted", "duplicates", "quarantined", "targets"]).isSubset(of: balance.keys))
            #expect(balance["accepted"] as? Int == 7)
            #expect(balance["duplicates"] as? Int == 1)
            #expect(balance["quarantined"] as? Int == 1)
            let expected = [
                "archive": ["delivered": 7, "filtered": 0, "pending": 0, "dead": 0, "discarded": 0, "expired": 0],
                "partner": ["delivered": 4, "filtered": 2, "pending": 0, "dead": 1, "discarded": 0, "expired": 0],
            ]
            for (target, states) in expected {
                for (state, count) in states {
                    #expect(JSON.value(balance, "targets", target, state) as? Int == count, "\(target) \(state)")
                }
            }
        }

        @Test("are filtered by source, type, target, condition, time and number")
        func filters() async throws {
            let known = try await KnownTraffic()
            let installation = known.installation
            func count(_ words: String...) async throws -> Int {
                let outcome = try await installation.gatehouse(words: words + ["--json"])
                #expect(outcome.status == 0, "\(words): \(outcome)")
                return outcome.lines.count
            }
            for isRunning in [true, false] {
                #expect(try await count("events", "--source", "lobby") == 2)
                #expect(try await count("events", "--type", "face.matched") == 1)
                #expect(try await count("events", "--where", "{site: 4567}") == 5)
                #expect(try await count("events", "--where", "{event: visitor.*, vendor: sine}") == 1)
                #expect(try await count("events", "--source", "nobody") == 0)
                #expect(try await count("events", "--since", "1h") == 7)
                #expect(try await count("events", "--since", "2999-01-01T00:00:00Z") == 0)
                let newest = try await installation.events("--limit", "2")
                let all = try await installation.events()
                #expect(newest.map { $0["id"] as? String } == all.suffix(2).map { $0["id"] as? String })
                let id = known.events[1].events[0].id
                #expect(try await installation.events("--id", id).map { $0["id"] as? String } == [id])
                #expect(try await count("deliveries", "--target", "partner") == 5)
                #expect(try await count("deliveries", "--source", "faces") == 2)
                #expect(try await count("deliveries", "--type", "visitor.signin", "--target", "archive") == 4)
                #expect(try await count("deliveries", "--id", id) == 2)
                #expect(try await count("deliveries", "--limit", "3") == 3)
                #expect(try await count("deliveries", "--where", "{vendor: alocity}") == 2)
                #expect(try await count("deliveries", "--since", "2999-01-01T00:00:00Z") == 0)
                #expect(try await count("refusals", "--source", "london") == 1)
                #expect(try await count("refusals", "--limit", "1") == 1)
                #expect(try await count("refusals", "--since", "2999-01-01T00:00:00Z") == 0)
                #expect(try await count("events", "--quarantine", "--source", "london") == 0)
                #expect(try await count("targets", "list") == 2)
                let flawed: [(words: [String], says: String)] = [
                    (["events", "--where", "{sit: 4567}"], "did you mean site?"),
                    (["deliveries", "--where", "{sit: 4567}"], "did you mean site?"),
                    (["dead-letters", "list", "--where", "{sit: 4567}"], "did you mean site?"),
                    (["events", "--id", "zz"], "an event's id is 32 hex digits"),
                ]
                for (words, says) in flawed {
                    let outcome = try await installation.gatehouse(words: words)
                    #expect(outcome.status == 2, "\(outcome)")
                    #expect(outcome.errors.contains(says) && !outcome.errors.contains("urn:"), "\(outcome)")
                }
                let mistyped: [(words: [String], says: String)] = [
                    (["deliveries", "--target", "partnr"], "no target is called partnr (did you mean partner?)"),
                    (["events", "--source", "loby"], "no source is called loby (did you mean lobby?)"),
                    (
                        ["events", "--type", "visitor.signn", "--json"],
                        "no canonical type is called visitor.signn (did you mean visitor.signin?)"
                    ),
                ]
                for (words, says) in mistyped {
                    let outcome = try await installation.gatehouse(words: words)
                    #expect(outcome.status == 0, "\(outcome)")
                    #expect(outcome.errors.contains(says), "\(outcome)")
                }
                if isRunning { #expect(await known.service.stop() == .exited(0)) }
            }
        }

        @Test("of a running instance are told, and targets paused, although its files have errors now")
        func brokenFiles() async throws {
            let known = try await KnownTraffic()
            let installation = known.installation
            try installation.write("routes.yaml", "routes:\n  - {name: broken, to: nowhere\n")
            for words in [
                ["events"], ["deliveries"], ["refusals"], ["targets", "list"], ["reconcile"], ["routes"],
                ["dead-letters", "list"], ["replay", "list"], ["targets", "pause", "partner"],
                ["targets", "resume", "partner"],
            ] {
                let outcome = try await installation.gatehouse(words: words)
                #expect(outcome.status == 0, "\(words): \(outcome)")
                #expect(outcome.errors.contains("the configuration has errors"), "\(words): \(outcome)")
            }
            #expect(await known.service.stop() == .exited(0))
            #expect(try await installation.gatehouse("events").status == 78)
        }

        @Test("for people are harmless tables, whatever a visitor typed")
        func tables() async throws {
            let known = try await KnownTraffic()
            for words in [
                ["events"], ["deliveries"], ["refusals"], ["targets", "list"], ["reconcile"],
                ["events", "--quarantine"],
            ] {
                let outcome = try await known.installation.gatehouse(words: words)
                #expect(outcome.status == 0)
                #expect(outcome.lines.count > 1, "\(words)")
                for scalar in outcome.output.unicodeScalars where scalar != "\n" {
                    #expect(![.control, .format].contains(scalar.properties.generalCategory), "\(words)")
                }
            }
            // In JSON it stays what it was.
            let events = try await known.installation.events("--source", "lobby")
            #expect(JSON.value(events.last, "data", "visitor", "name") as? String == known.hostileName)
            #expect(await known.service.stop() == .exited(0))
        }

        @Test("show a target as it stands")
        func targets() async throws {
            let known = try await KnownTraffic()
            let partner = try #require(try await known.installation.target("partner"))
            #expect(partner["type"] as? String == "webhook")
            #expect(partner["state"] as? String == "running")
            #expect((partner["destination"] as? String)?.hasPrefix("http://127.0.0.1:") == true)
            #expect(
                partner["delivered"] as? Int == 4 && partner["dead"] as? Int == 1 && partner["pending"] as? Int == 0)
            #expect(await known.service.stop() == .exited(0))
        }
    }
}
