import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A batch of 20 000 events") struct BatchTests {
        private let seed = Torture.seed

        @Test(
            "killed midway loses nothing acknowledged; sent again it is taken whole, each event once, in little memory")
        func batch() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let batch = Sender.netgraph.event("batch", elements: 20_000)
            let ids = Set(batch.events.map(\.id))
            var random = SeededGenerator(seed)
            for _ in 0..<4 {
                let service = try await installation.start()
                let sending = Task { try await service.post(batch) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...700, using: &random)))
                await service.kill()
                let answer = try? await sending.value
                // Answered before the kill: then all of it is there.
                guard answer?.status == 200 else { continue }
                #expect(try await installation.balance()["accepted"] as? Int == ids.count, "seed \(seed)")
            }
            let service = try await installation.start()
            #expect(try await service.post(batch).status == 200)
            let isDone = try await eventually {
                try await installation.count("delivered", at: "archive") == ids.count
            }
            #expect(isDone)
            #expect(try await installation.balance()["accepted"] as? Int == ids.count)
            #expect(try service.peakMemory < Self.mostMemory)
            #expect(await service.stop() == .exited(0))
            let kept = try await installation.events().compactMap { $0["id"] as? String }
            #expect(kept.count == ids.count && Set(kept) == ids)
            #expect(Set(try installation.archivedIDs) == ids)
        }

        /// In bytes, in any build.
        private static let mostMemory = 256 << 20
    }
}
