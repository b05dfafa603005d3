import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Reloading") struct ReloadTests {
        private let both = Installation.archive + "\n  second: {type: file, path: ./second.ndjson}"
        private let toBoth = "routes:\n  - {name: everything, to: [archive, second]}\n"

        @Test("by SIGHUP takes new targets and routes over under load, without dropping a request")
        func hangUp() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let load = Load(seed: 2)
            load.aim(at: service.intakePort)
            load.start()
            #expect(await poll(deadline: patience) { load.account.acknowledged.count > 100 })
            let before = load.account.acknowledged.keys
            try installation.write("routes.yaml", toBoth)
            try installation.write("gatehouse.yaml", Installation.configuration(targets: both))
            service.process.signal(SIGHUP)
            #expect(await service.waitForLog("reloaded"))
            #expect(await poll(deadline: patience) { load.account.acknowledged.count > before.count + 100 })
            #expect(try await load.stop())
            #expect(load.account.problems == [])
            #expect(load.account.unanswered == 0, "a request was dropped")

            let all = Set(load.account.acknowledged.keys)
            #expect(try await eventually { try Set(installation.archivedIDs) == all })
            let isDone = try await eventually { try await installation.count("pending", at: "second") == 0 }
            #expect(isDone)
            let second = Self.ids(installation.read("second.ndjson"))
            #expect(!second.isEmpty)
            #expect(second.count == Set(second).count)
            // A new target starts now: of what came before the reload, it has nothing.
            #expect(Set(second).isSubset(of: all))
            #expect(Set(second).isDisjoint(with: before))
            let balance = try await installation.balance()
            #expect(JSON.value(balance, "targets", "second", "delivered") as? Int == second.count)
            #expect(await service.stop() == .exited(0))
        }

        @Test("happens when a file changes, without a signal")
        func changedFile() async throws {
            let installation = try Installation(targets: both, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            try await service.post(Sender.sine.event("before"))
            #expect(try await eventually { try installation.archivedIDs.count == 1 })
            try installation.write("routes.yaml", "routes:\n  - {name: everything, to: second}\n")
            #expect(await service.waitForLog("reloaded"))
            try await service.post(Sender.sine.event("after"))
            #expect(await poll(deadline: patience) { Self.ids(installation.read("second.ndjson")).count == 1 })
            #expect(try installation.archivedIDs.count == 1)
            #expect(await service.stop() == .exited(0))
        }

        @Test("happens when a list changes; one that is cut off keeps the list that runs")
        func changedList() async throws {
            let installation = try Installation(targets: both, routes: Installation.everythingToArchive)
            try installation.write(
                "routes.yaml",
                "lists: {seen: {file: seen.csv, column: type}}\nroutes:\n"
                    + "  - {name: listed, to: second, when: {vendor_event: {in_list: seen}}}\n")
            try installation.write("seen.csv", "type,why\nnothing,x\n")
            let service = try await installation.start()
            try await service.post(Sender.sine.event("before"))
            try installation.write("seen.csv", "type,why\nSIGNIN_AFTER,x\n")
            #expect(await service.waitForLog("reloaded"))
            try await service.post(Sender.sine.event("after"))
            #expect(await poll(deadline: patience) { Self.ids(installation.read("second.ndjson")).count == 1 })
            try installation.write("seen.csv", "type,why\n\"signin")
            #expect(await service.waitForLog("reload_refused"))
            try await service.post(Sender.sine.event("later"))
            #expect(await poll(deadline: patience) { Self.ids(installation.read("second.ndjson")).count == 2 })
            #expect(await service.stop() == .exited(0))
        }

        @Test("of a broken file keeps what runs under load, says why and where, and takes the mended one")
        func brokenFile() async throws {
            let installation = try Installation(targets: both, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let load = Load(seed: 3)
            load.aim(at: service.intakePort)
            load.start()
            let broken = [
                ("routes.yaml", "routes:\n  - {name: everything, to: archiv}\n", "routes.yaml:2:"),
                ("routes.yaml", "routes: [\n", "routes.yaml:"),
                ("gatehouse.yaml", "lisen: 1\n", "gatehouse.yaml:1:1: unknown key `lisen`"),
                ("gatehouse.yaml", "\u{0}\u{1}", "gatehouse.yaml:1:"),
            ]
            for (name, text, place) in broken {
                let good = installation.read(name)
                try installation.write(name, text)
                let refused = await poll(deadline: patience) {
                    service.log.contains { $0.event == "reload_refused" && $0.message.contains(place) }
                }
                #expect(refused, "\(name): \(text)")
                let count = load.account.acknowledged.count
                #expect(await poll(deadline: patience) { load.account.acknowledged.count > count })
                let reloads = service.log.count { $0.event == "reloaded" }
                try installation.write(name, good)
                #expect(await service.waitForLog("reloaded", count: reloads + 1))
            }
            #expect(try await load.stop())
            #expect(load.account.problems == [])
            #expect(load.account.unanswered == 0)
            #expect(try await eventually { try Set(installation.archivedIDs) == Set(load.account.acknowledged.keys) })
            #expect(await service.stop() == .exited(0))
        }

        @Test("ends a source that is taken out, begins one that is added, and takes a new secret beside the old one")
        func sources() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            #expect(try await service.post(Sender.envoy.event("one")).status == 200)
            let configuration = installation.read("gatehouse.yaml")
            try installation.write(
                "gatehouse.yaml",
                configuration.replacingOccurrences(of: "  lobby:", with: "  atrium:")
                    .replacingOccurrences(of: "[\"${env:LONDON_SECRET}\"]", with: "[new-one, \"${env:LONDON_SECRET}\"]")
            )
            service.process.signal(SIGHUP)
            #expect(await service.waitForLog("reloaded"))
            let gone = try await service.post(Sender.envoy.event("two"))
            #expect(gone.status == 404 && gone.code == "source_unknown")
            let event = Sender.envoy.event("three")
            #expect(try await service.post("/in/atrium", event.body, headers: event.headers).status == 200)
            #expect(try await service.post(Sender.signinapp.event("old-secret")).status == 200)
            #expect(await service.stop() == .exited(0))
        }

        @Test("keeps a removed target in the list, and says what only a restart changes")
        func removedTarget() async throws {
            let installation = try Installation(targets: both, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            try await service.post(Sender.sine.event("one"))
            try installation.write(
                "gatehouse.yaml",
                Installation.configuration(console: "127.0.0.1:1", targets: Installation.archive))
            #expect(await service.waitForLog("reload_needs_restart"))
            #expect(service.log.contains { $0.event == "reload_needs_restart" && $0.message.contains("console:") })
            let removed = try #require(try await installation.target("second"))
            #expect(removed["state"] as? String == "removed")
            #expect(try await service.post(Sender.sine.event("two")).status == 200)
            #expect(try await service.console("/readyz").status == 200)
            _ = try await installation.balance()
            #expect(await service.stop() == .exited(0))
        }

        private static func ids(_ text: String) -> [String] {
            text.split(separator: "\n").compactMap { try? JSON.object(String($0))["id"] as? String }
        }
    }
}
