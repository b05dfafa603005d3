import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A trace") struct TraceTests {
        @Test("tells an event's whole life, of a running and of a stopped instance")
        func whole() async throws {
            let known = try await KnownTraffic()
            let event = known.events[0].events[0]
            for isRunning in [true, false] {
                if !isRunning { #expect(await known.service.stop() == .exited(0)) }
                let outcome = try await known.installation.gatehouse("trace", event.id)
                #expect(outcome.status == 0)
                let text = outcome.output
                #expect(text.contains("\(event.id)  visitor.signin"))
                #expect(text.contains("by source london"))
                #expect(text.contains("signature signinapp, with the secret LONDON_SECRET"))
                #expect(text.contains("archive: delivered by route everything."))
                #expect(text.contains("partner: delivered by route visitors."))
                #expect(!text.contains("John Smith"))
                let trace = try #require(
                    try await known.installation.gatehouse("trace", "--json", event.id).objects.first)
                #expect(trace["found_by"] as? String == "id")
                let targets = try #require(trace["targets"] as? [[String: Any]])
                #expect(targets.map { $0["state"] as? String } == ["delivered", "delivered"])
            }
        }

        @Test("shows the sender's failure, what was filtered, and what happens next")
        func states() async throws {
            let known = try await KnownTraffic()
            let dead = try await known.installation.gatehouse("trace", Sender.alocity.event("known").events[0].id)
            #expect(dead.output.contains("partner: dead"))
            #expect(dead.output.contains("status 422"))
            #expect(dead.output.contains("Next: nothing by itself"))
            let filtered = try await known.installation.gatehouse("trace", Sender.netgraph.event("known").events[0].id)
            #expect(filtered.output.contains("partner: filtered (no_route)"))
        }

        @Test("finds events by the sender's key, the visitor's id and the visit's id, newest first")
        func finding() async throws {
            let known = try await KnownTraffic()
            func traces(_ words: String...) async throws -> [[String: Any]] {
                let outcome = try await known.installation.gatehouse(words: ["trace", "--json"] + words)
                return outcome.status == 0 ? try outcome.objects : []
            }
            let id = known.events[0].events[0].id
            #expect(try await traces("known").contains { $0["event"] as? String == id })
            let visitor = try await traces("1234")
            #expect(visitor.contains { $0["event"] as? String == id && $0["found_by"] as? String == "visitor" })
            let list = try await known.installation.events()
            let visit = try #require(list.compactMap { JSON.value($0, "data", "visit", "id") as? String }.first)
            let visits = try await traces(visit)
            #expect(!visits.isEmpty)
            #expect(visits.allSatisfy { ["visit", "key"].contains($0["found_by"] as? String) })
            let times = visits.compactMap { $0["received_at"] as? String }
            #expect(times == times.sorted(by: >))
            #expect(try await traces("--limit", "1", visit).count == 1)
        }

        @Test("of nothing says so, and exits 1")
        func nothing() async throws {
            let known = try await KnownTraffic()
            let outcome = try await known.installation.gatehouse("trace", "\u{1b}[31mnobody")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("nothing was found by"))
            #expect(!outcome.errors.contains("\u{1b}[31m"))
            #expect(try await known.installation.gatehouse("trace").status == 2)
        }
    }

    @Suite("A tail") struct TailTests {
        private static func follow(_ installation: Installation, _ words: String...) throws -> ChildProcess {
            try ChildProcess(
                Program.path, ["tail"] + words, environment: installation.environment, in: installation.folder,
                files: installation.path("tail-\(UUID())"))
        }

        /// Events are sent until the first one shows: then it follows.
        private static func begins(_ tail: ChildProcess, _ service: Service) async throws {
            var count = 0
            let isFollowing = try await eventually {
                count += 1
                try await service.post(Sender.signinapp.event("warm-\(count)"))
                return !tail.output.isEmpty
            }
            #expect(isFollowing, "\(tail.errors)")
        }

        @Test("prints events as they come, and ends well when it is told to", arguments: [SIGINT, SIGTERM])
        func follows(signal: Int32) async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            try await service.post(Sender.signinapp.event("before"))
            let tail = try Self.follow(installation, "--json")
            try await Self.begins(tail, service)
            let event = Sender.envoy.event("now")
            try await service.post(event)
            #expect(await poll(deadline: patience) { tail.output.contains(event.events[0].id) })
            #expect(!tail.output.contains(Sender.signinapp.event("before").events[0].id))
            let lines = tail.output.split(separator: "\n")
            #expect(lines.allSatisfy { (try? JSON.object(String($0))) != nil })
            // Each once.
            #expect(Set(lines).count == lines.count)
            tail.signal(signal)
            #expect(await tail.wait(within: patience) == .exited(0))
            #expect(tail.errors.isEmpty)
        }

        @Test("prints what is asked for alone, as a row for people")
        func filters() async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: "  - {name: london, when: {source: london}, to: archive}")
            let service = try await installation.start()
            let tail = try Self.follow(installation, "--target", "archive", "--where", "{visitor: {name: John Smith}}")
            try await Self.begins(tail, service)
            try await service.post(Sender.envoy.event("other"))
            let last = Sender.signinapp.event("last")
            try await service.post(last)
            #expect(await poll(deadline: patience) { tail.output.contains(last.events[0].id) })
            #expect(!tail.output.contains("lobby"))
            #expect(tail.output.contains("visitor.signin            london"))
            tail.signal(SIGINT)
            #expect(await tail.wait(within: patience) == .exited(0))
        }

        @Test("needs an instance that runs, and a condition that makes sense")
        func refused() async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: Installation.everythingToArchive)
            let stopped = try await installation.gatehouse("tail")
            #expect(stopped.status == 1)
            #expect(stopped.errors.contains("no instance answers"))
            let service = try await installation.start()
            let wrong = try await installation.gatehouse("tail", "--where", "{nofield: 1}")
            #expect(wrong.status == 2)
            #expect(wrong.errors.contains("nofield"))
            #expect(await service.stop() == .exited(0))
        }
    }
}
