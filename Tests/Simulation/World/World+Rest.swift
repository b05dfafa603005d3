import Delivery
import EventLog
import Events
import SimulatedDisk

/// What must hold at the end: every event is where it belongs, by the program's counters and by what receivers got.
extension World {
    func checkAtRest() {
        guard let running = instance else { return }
        checkLog(running.log)
        checkBalances(running, "at rest")
        for receiver in receivers { checkReceipts(receiver, running) }
        guard violation == nil else { return }
        running.close()
        instance = nil
        disk.restart(losingPower: random.oneIn(2))
        instances += 1
        open()
        if let reopened = instance { checkBalances(reopened, "after a restart") }
    }

    private func checkBalances(_ instance: Instance, _ when: String) {
        let reconciliation = instance.engine.reconcile()
        if !reconciliation.isBalanced { violate("the counters do not balance \(when): \(reconciliation.short)") }
        if reconciliation.accepted != Int64(ledger.order.count) {
            violate("\(when) \(reconciliation.accepted) events are accepted, of \(ledger.order.count) sent")
        }
        for target in reconciliation.targets where target.balance.pending != 0 {
            violate("\(when) \(target.name) has \(target.balance.pending) events pending")
        }
        for target in reconciliation.targets where target.balance.expired != 0 {
            violate("\(when) \(target.name) has lost \(target.balance.expired) events to retention")
        }
        for replay in reconciliation.replays where replay.balance.pending != 0 {
            violate("\(when) replay \(replay.number) has \(replay.balance.pending) events pending")
        }
    }

    private func checkReceipts(_ receiver: SimulatedReceiver, _ instance: Instance) {
        let name = receiver.name
        let all: [DeadLetterRow]
        do {
            all = try instance.store.deadLetters(target: name, newest: 1000)
        } catch {
            return violate("the dead letters cannot be read: \(error)")
        }
        let letters = all.filter { $0.replay == nil }
        let dead = Set(letters.map(\.event))
        for letter in all { check(letter, receiver) }
        var filtered: ClosedRange<Int64> = 0...0
        for id in ledger.order {
            guard let event = ledger[id] else { continue }
            if !receiver.mayTake(event) {
                filtered = filtered.lowerBound + 1...filtered.upperBound + 1
            } else if !receiver.mustTake(event) {
                filtered = filtered.lowerBound...filtered.upperBound + 1
            } else if receiver.histories[id]?.receipts ?? 0 == 0, !dead.contains(id),
                !receiver.discarded.contains(id), !receiver.undecided.contains(id)
            {
                violate("\(name) never got \(id), which was acknowledged")
            }
        }
        guard let balance = instance.engine.reconcile().targets.first(where: { $0.name == name })?.balance else {
            return violate("there is no target \(name)")
        }
        let discarded = Int64(receiver.discarded.count)...Int64(receiver.discarded.union(receiver.undecided).count)
        if balance.dead != Int64(letters.count) || !filtered.contains(balance.filtered)
            || !discarded.contains(balance.discarded)
        {
            violate(
                "\(name) counts \(balance.dead) dead, \(balance.filtered) filtered and \(balance.discarded) discarded: "
                    + "there are \(letters.count), \(filtered) and \(discarded)")
        }
        figures.deadLetters += letters.count
        figures.attempts += receiver.histories.values.reduce(0) { $0 + $1.attempts }
        for replay in replays where replay.receiver === receiver {
            check(replay, Set(all.lazy.filter { $0.replay == replay.number }.map(\.event)), instance)
        }
    }

    // MARK: Dead letters

    private func check(_ letter: DeadLetterRow, _ receiver: SimulatedReceiver) {
        let name = receiver.name
        guard let event = ledger[letter.event] else { return violate("\(name) has a dead letter that nobody sent") }
        if !receiver.mayTake(event) {
            violate("\(event.record.id) is a dead letter of \(name), which does not take it")
        }
        if letter.replay == nil, receiver.discarded.contains(letter.event) {
            violate("\(event.record.id) was discarded at \(name), and is a dead letter again")
        }
        if !isRightlyDead(letter, receiver) {
            violate(
                "\(letter.event) is a dead letter of \(name) for \(letter.reason) after \(letter.attempts) attempts")
        }
    }

    private func isRightlyDead(_ letter: DeadLetterRow, _ receiver: SimulatedReceiver) -> Bool {
        if receiver.refuses(letter.event) || receiver.failsOver(letter.event) { return true }
        // The wall clock may have been set meanwhile.
        let age = letter.atMs - letter.receivedAtMs + (scenario.clockJumps > 0 ? 600_000 : 0)
        switch letter.reason {
        case "too_old": return scenario.retentionMs.map { age >= $0 } ?? false
        case "gave_up": return receiver.shortestPatienceMs.map { age >= $0 } ?? false
        case "crashed": return figures.crashes >= 3
        default: return false
        }
    }

    // MARK: Replays

    /// Everything it was asked for was sent once more, and nothing else.
    private func check(_ replay: SimulatedReplay, _ dead: Set<EventID>, _ instance: Instance) {
        let got = replay.receiver.replayed[replay.number] ?? [:]
        figures.replayed += got.count
        let status = instance.engine.reconcile().replays.first { $0.number == replay.number }
        guard let status else { return violate("replay \(replay.number) is forgotten") }
        if status.balance.delivered > Int64(got.values.count { $0.confirmedAt != nil }) {
            violate("replay \(replay.number) counts \(status.balance.delivered) delivered, and fewer arrived")
        }
        guard status.state == .finished, wallSkewMs == 0 else { return }
        for id in ledger.order {
            guard let event = ledger[id], let acknowledged = event.acknowledgedAt, let place = event.place else {
                continue
            }
            let isIn =
                replay.request.sinceMs <= wallMs(at: event.happenedAt)
                && replay.request.untilMs.map { wallMs(at: acknowledged) < $0 } ?? true
            let isOut =
                replay.request.sinceMs > wallMs(at: acknowledged)
                || replay.request.untilMs.map { wallMs(at: event.happenedAt) >= $0 } ?? false
            let receipts = got[id]?.receipts ?? 0
            let isDead = dead.contains(id) || replay.receiver.discardedOfReplays[replay.number]?.contains(id) ?? false
            if isOut, got[id] != nil { violate("replay \(replay.number) sends \(id), which it was not asked for") }
            guard isIn, receipts == 0, place.offset >= instance.log.beginning.offsets[0], !isDead,
                replay.receiver.mustTake(event, since: replay.askedAt)
            else { continue }
            // What was still on its way then goes without it.
            if let confirmed = replay.receiver.histories[id]?.confirmedAt, confirmed < replay.askedAt,
                !isExcused(confirmed)
            {
                violate("replay \(replay.number) has not sent \(id)")
            }
        }
    }

    private func wallMs(at time: Int64) -> Int64 { wallMs - now / 1_000_000 + time / 1_000_000 }
}
