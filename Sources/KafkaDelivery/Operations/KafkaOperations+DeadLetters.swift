package import Delivery
internal import EventLog
internal import Events
internal import Kafka
internal import KafkaLog

extension KafkaOperations {
    /// Dead letters of one command.
    private static let pageSize = 200

    /// A command on its way: the shards whose owners have to answer, each with how many dead letters.
    private struct Pending {
        var id: String
        var shards: [Int: Int]
    }

    package func carryOut(
        _ action: DeadLetterAction, on filter: DeadLetterFilter, by actor: String,
        where condition: (DeadLetterRow) -> Bool
    ) throws -> DeadLetterDecision {
        var pending: [Pending] = []
        var last: Int64 = 0
        while true {
            let page = try view.store.deadLetters(filter, after: last, limit: Self.pageSize)
            guard let end = page.last?.id else { break }
            last = end
            let owners = Dictionary(grouping: page.filter(condition), by: DeadLetterOwner.init)
            for (owner, letters) in owners.sorted(by: { $0.key < $1.key }) {
                pending.append(try hand(action, letters, of: owner, by: actor))
            }
        }
        return waitForAnswers(pending)
    }

    /// Hands a decision to the instances that own the shards.
    private func hand(
        _ action: DeadLetterAction, _ letters: [DeadLetterRow], of owner: DeadLetterOwner, by actor: String
    ) throws -> Pending {
        guard engine.settings(of: owner.target) != nil else {
            throw DeliveryStoreError(
                "the target \(owner.target) is not configured here: its dead letters are decided about where it is")
        }
        try audit(
            letters.map { letter in
                AuditEntry(
                    atMs: Moment.now().wallMs, actor: actor, action: "dead-letters.\(action.rawValue)",
                    subject: letter.event.hex,
                    detail: owner.target + (owner.replay.map { " replay=\($0)" } ?? ""))
            })
        let command = DeadLetterCommand(action, letters, of: owner.target, replay: owner.replay, by: actor)
        let id = Self.newID()
        do throws(KafkaFailure) {
            _ = try control.write(.command(id), command.record.encoded(layout), within: Self.patience)
        } catch {
            throw DeliveryStoreError("Kafka does not take the decision: \(error.message)")
        }
        return Pending(id: id, shards: command.letters(layout).mapValues(\.count))
    }

    /// Waits for the owners' answers.
    private func waitForAnswers(_ pending: [Pending]) -> DeadLetterDecision {
        let isAnswered = changed.wait(within: Self.patience) {
            pending.allSatisfy { command in
                command.shards.keys.allSatisfy { control.value(.result(command.id, $0)) != nil }
            }
        }
        view.outdate()
        var decision = DeadLetterDecision(done: 0)
        let decoder = StateDecoder(layout)
        for command in pending {
            for (shard, count) in command.shards {
                if let entry = control.value(.result(command.id, shard)) {
                    let done = entry.record(ResultRecord.self, decoder)?.done ?? 0
                    decision.done += done
                    decision.kept += max(0, count - done)
                } else {
                    decision.waiting += count
                }
            }
            if isAnswered { desk.remove(command.id, command.shards.keys) }
        }
        return decision
    }

    /// No two are alike.
    static func newID() -> String {
        let words = [UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max)]
        return words.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
