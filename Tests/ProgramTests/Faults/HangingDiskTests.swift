import Foundation
import Synchronization
import TestSupport
import Testing

private final class Answered: Sendable {
    private let number = Atomic(0)

    var count: Int { number.load(ordering: .sequentiallyConsistent) }
    func add() { number.add(1, ordering: .sequentiallyConsistent) }
}

extension ProgramTests {
    @Suite("A disk that hangs") struct HangingDiskTests {
        @Test("at a sync of the log: nothing is acknowledged meanwhile, everything is when it ends")
        func log() async throws {
            let faults = try Faults()
            let installation = try Installation(
                faults: faults, targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            #expect(try await service.post(Sender.envoy.event("before")).status == 200)
            try faults.set("sync events.db-wal hold")
            let events = (0..<8).map { Sender.signinapp.event("held-\($0)") }
            let answered = Answered()
            let sending = events.map { event in
                Task {
                    let status = try await service.post(event).status
                    answered.add()
                    return status
                }
            }
            #expect(try await faults.waitForStrike())
            // Nothing hangs but what waits for the disk.
            #expect(try await service.console("/healthz").status == 200)
            #expect(try await service.console("/metrics").status == 200)
            #expect(answered.count == 0)
            try faults.clear()
            for task in sending { #expect(try await task.value == 200) }
            let ids = Set(events.map { $0.events[0].id })
            #expect(try await eventually { try Set(installation.archivedIDs).isSuperset(of: ids) })
            #expect(await service.stop() == .exited(0))
        }

        @Test("at a sync of the log, and killed then: whatever was answered is there")
        func killed() async throws {
            let faults = try Faults()
            let installation = try Installation(
                faults: faults, targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let before = Sender.envoy.event("before")
            #expect(try await service.post(before).status == 200)
            try faults.set("sync events.db-wal hold")
            let held = Sender.signinapp.event("held")
            let sending = Task { try await service.post(held).status }
            #expect(try await faults.waitForStrike())
            await service.kill()
            #expect((try? await sending.value) == nil)
            try faults.clear()
            let again = try await installation.start()
            // It may have been kept; sent again it is the same event.
            #expect(try await again.post(held).status == 200)
            let ids = Set([before, held].map { $0.events[0].id })
            #expect(try await eventually { try Set(installation.archivedIDs) == ids })
            #expect(try await installation.balance()["accepted"] as? Int == 2)
            #expect(await again.stop() == .exited(0))
        }

        @Test("at one target's file holds up no other target, nor the intake")
        func target() async throws {
            let faults = try Faults("sync archive.ndjson hold")
            let installation = try Installation(
                faults: faults, targets: Installation.archive + "\n  other: {type: file, path: ./other.ndjson}",
                routes: "  - {name: everything, to: [archive, other]}")
            let service = try await installation.start()
            for number in 0..<50 { #expect(try await service.post(Sender.sine.event("\(number)")).status == 200) }
            #expect(try await faults.waitForStrike())
            #expect(try await eventually { try await installation.count("pending", at: "other") == 0 })
            #expect(try await installation.count("pending", at: "archive") == 50)
            try faults.clear()
            #expect(try await eventually { try await installation.count("pending", at: "archive") == 0 })
            #expect(try Set(installation.archivedIDs).count == 50)
            #expect(try installation.archivedIDs.count == 50)
            #expect(await service.stop() == .exited(0))
        }
    }
}
