import Foundation
import Testing

extension Ledger {
    /// Has every sender finish and every target get what is due to it, stops the program, and compares all of it.
    ///
    /// - Parameter service: healthy, and the load aimed at it.
    func finish(_ service: Service) async throws {
        #expect(try await load.stop(), "the senders did not get their last events acknowledged")
        let isDone = try await eventually {
            let balance = try await expectBalance("running")
            return Self.targets.allSatisfy { JSON.value(balance, "targets", $0, "pending") as? Int == 0 }
        }
        #expect(isDone, "deliveries did not finish")
        #expect(await service.stop() == .exited(0))
        readFile()
        try await expectEvents(try await expectBalance("stopped"))
    }

    @discardableResult
    func expectBalance(_ when: Comment) async throws -> [String: Any] {
        let outcome = try await installation.gatehouse("reconcile", "--json")
        #expect(outcome.status == 0, "\(when), seed \(seed): \(outcome)")
        let balance = try JSON.object(outcome.output)
        #expect(balance["balanced"] as? Bool == true, "\(when), seed \(seed): \(outcome)")
        return balance
    }

    /// - Parameter most: how often events may have come again.
    func expectReceipts(_ when: Comment, repeatsAtMost most: Int) {
        for (target, receipts) in receipts {
            let snapshot = receipts.snapshot
            #expect(snapshot.repeats <= most, "\(target) \(when), seed \(seed)")
            #expect(snapshot.problems == [], "\(target) \(when), seed \(seed)")
        }
    }

    private func expectEvents(_ balance: [String: Any]) async throws {
        let account = load.account
        #expect(account.problems == [])
        let kept = try await keptEvents()
        #expect(account.acknowledged.values.filter { kept[$0.id] != $0 } == [], "acknowledged and not kept as sent")
        #expect(kept.keys.filter { !account.sent.contains($0) } == [], "kept and never sent")
        #expect(balance["accepted"] as? Int == kept.count)
        #expect(balance["duplicates"] as? Int ?? 0 >= account.repeatsAcknowledged)
        #expect(balance["quarantined"] as? Int == 0)
        for target in Self.targets {
            let receipts = receipts[target]!.snapshot
            #expect(receipts.problems == [], "\(target)")
            let due = Set(kept.values.filter { Self.takes(target, $0) }.map(\.id))
            #expect(Set(receipts.counts.keys) == due, "\(target)")
            #expect(JSON.value(balance, "targets", target, "delivered") as? Int == due.count, "\(target)")
            #expect(JSON.value(balance, "targets", target, "filtered") as? Int == kept.count - due.count, "\(target)")
            for state in ["dead", "discarded", "expired"] {
                #expect(JSON.value(balance, "targets", target, state) as? Int == 0, "\(target) \(state)")
            }
        }
        report(account, kept.count)
    }

    private func keptEvents() async throws -> [String: SentEvent.Canonical] {
        var kept: [String: SentEvent.Canonical] = [:]
        for event in try await installation.events() {
            let id = try #require(event["id"] as? String)
            #expect(kept[id] == nil, "\(id) was kept twice")
            kept[id] = SentEvent.Canonical(
                id: id, type: event["type"] as? String ?? "",
                site: JSON.value(event, "data", "site", "id") as? String)
        }
        return kept
    }

    private func report(_ account: Load.Account, _ kept: Int) {
        let repeats = Self.targets.map { "\($0) \(receipts[$0]!.snapshot.repeats)" }.joined(separator: ", ")
        print(
            "ledger: seed \(seed): \(account.acknowledged.count) acknowledged, \(kept) kept, "
                + "\(account.unanswered) unanswered; repeats: \(repeats)")
    }
}
