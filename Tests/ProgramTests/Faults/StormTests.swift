import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Faults of the disk and kills together") struct StormTests {
        private let seed = Torture.seed
        private static let files = [
            "events.db", "events.db-wal", "events.db*", "state.db", "state.db-wal", "*.db*", "archive.ndjson",
        ]

        @Test("under load lose nothing that was acknowledged, and it goes on by itself when they are over")
        func storm() async throws {
            let faults = try Faults()
            let ledger = try Ledger(seed: seed, faults: faults, pauseMicroseconds: 5000)
            var random = SeededGenerator(seed)
            var service = try await ledger.installation.start()
            ledger.load.aim(at: service.intakePort)
            ledger.load.start()
            for number in 1...Torture.storms {
                // State that has been opened anew after an error may repeat what was not surely on the disk.
                ledger.allowRepeats()
                try faults.set(Self.rules(&random))
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...300, using: &random)))
                if number % 4 == 0 {
                    await service.kill()
                    ledger.load.aim(at: nil)
                    try await ledger.settle()
                    if Bool.random(using: &random) { try await startInTheStorm(ledger) }
                    try faults.clear()
                    try await ledger.settle()
                    service = try await ledger.installation.start()
                    ledger.load.aim(at: service.intakePort)
                } else {
                    try faults.clear()
                }
                let isReady = try await eventually { try await service.console("/readyz").status == 200 }
                try #require(isReady, "after storm \(number), seed \(seed)")
                ledger.expectReceipts("after storm \(number)", repeatsAtMost: .max)
            }
            try await ledger.finish(service)
        }

        private static func rules(_ random: inout SeededGenerator) -> [String] {
            (0..<Int.random(in: 1...2, using: &random)).map { _ in
                let call = ["sync", "write", "write", "read"].randomElement(using: &random)!
                let file = files.randomElement(using: &random)!
                let error = call == "write" && Bool.random(using: &random) ? "ENOSPC" : "EIO"
                let times = Bool.random(using: &random) ? " times=\(Int.random(in: 1...4, using: &random))" : ""
                return "\(call) \(file) \(error) after=\(Int.random(in: 0...30, using: &random))\(times)"
            }
        }

        /// It comes up, or it says what is wrong and ends.
        private func startInTheStorm(_ ledger: Ledger) async throws {
            let service = try ledger.installation.launch()
            let isDecided = await poll(deadline: patience) { service.ports != nil || service.process.current != nil }
            #expect(isDecided, "it neither starts nor ends, seed \(seed)")
            if let end = service.process.current {
                #expect(end == .exited(1), "seed \(seed): \(service.process.errors)")
                #expect(service.log.contains { $0.event == "start_failed" }, "\(service.process.errors)")
            }
            await service.kill()
        }
    }
}
