import Foundation
import Testing

extension ProgramTests {
    @Suite("Killed again and again") struct LedgerTests {
        private let kills = Torture.kills
        private let seed = Torture.seed

        @Test("loses nothing it acknowledged, keeps nothing twice, and repeats only what was in flight")
        func kill() async throws {
            let ledger = try Ledger(seed: seed)
            var random = SeededGenerator(seed)
            ledger.load.start()
            for number in 1...kills {
                try await live(ledger, &random)
                try await ledger.settle()
                ledger.expectReceipts("after kill \(number)", repeatsAtMost: number * Ledger.lostPerKill)
                if number % 6 == 0 { try await ledger.expectBalance("stopped after kill \(number)") }
            }
            let service = try await ledger.installation.start()
            ledger.load.aim(at: service.intakePort)
            try await ledger.finish(service)
            #expect(ledger.load.account.acknowledged.count > kills, "the load was no load")
        }

        /// One life of the program, ended at a random moment; every fifth ends while it starts.
        private func live(_ ledger: Ledger, _ random: inout SeededGenerator) async throws {
            let service = try ledger.installation.launch()
            if Int.random(in: 0..<5, using: &random) > 0 {
                try await service.waitUntilReady()
                ledger.load.aim(at: service.intakePort)
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...700, using: &random)))
            } else {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...250, using: &random)))
            }
            await service.kill()
            ledger.load.aim(at: nil)
        }
    }
}
