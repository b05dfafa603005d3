import Delivery
import EventLog
import Events
import SimulatedDisk

/// What must hold.
extension World {
    /// After every turn of the delivery engine.
    func checkStep() {
        guard let instance, violation == nil else { return }
        let reconciliation = instance.engine.reconcile()
        if !reconciliation.isBalanced { violate("the counters do not balance: \(reconciliation.short)") }
        guard random.oneIn(16) else { return }
        let limit = scenario.maximumOpen + max(16, scenario.maximumOpen / 10)
        for target in instance.engine.targets() where target.open > limit {
            violate("\(target.name) has \(target.open) open events, beyond its bound of \(limit)")
        }
        if instance.log.statistics().queuedBatches > 256 { violate("more waits for the log's writer than may wait") }
    }

    /// Whenever the program has been opened.
    func checkOpened(_ opened: Instance) {
        checkLog(opened.log)
        checkStep()
    }

    private func checkLog(_ log: SQLiteEventLog) {
        do {
            var position = log.beginning
            var records: [LogRecord] = []
            while true {
                let batch = try log.read(from: position, maximumRecords: 1000, maximumBytes: 1 << 20)
                records += batch.records
                guard batch.next != position else { break }
                position = batch.next
            }
            guard position == log.head else { return violate("the log ends at \(position) and says \(log.head)") }
            if let problem = ledger.compare(with: records, beginning: log.beginning.offsets[0]) { violate(problem) }
        } catch {
            if !disk.isOff, troubles.isEmpty { violate("the log cannot be read: \(error)") }
        }
    }

    /// A healthy target gets an event soon, whatever the others do.
    func checkLatency(_ id: EventID, _ target: String) {
        guard let event = ledger[id], let acknowledged = event.acknowledgedAt else { return }
        guard acknowledged > disturbedAt + .seconds(60), !paused.contains(target) else { return }
        let latency = now - acknowledged
        if latency > .seconds(1) {
            violate("\(target) is well and got \(id) only \(latency / 1_000_000) ms after it was acknowledged")
        }
    }

    // MARK: At the end

    /// All is delivered: every event is where it belongs, by the program's counters and by what receivers got.
    func checkAtRest() {
        guard let running = instance else { return }
        checkLog(running.log)
        checkBalances(running, "at rest")
        checkReceipts(running)
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
    }

    private func checkReceipts(_ instance: Instance) {
        for receiver in receivers {
            do {
                let letters = try instance.store.deadLetters(target: receiver.plan.name, newest: 1000)
                checkReceipts(receiver, Dictionary(letters.map { ($0.event, $0) }) { first, _ in first }, instance)
            } catch {
                violate("the dead letters cannot be read: \(error)")
            }
        }
    }

    private func checkReceipts(_ receiver: SimulatedReceiver, _ dead: [EventID: DeadLetterRow], _ instance: Instance) {
        let name = receiver.plan.name
        var filtered: Int64 = 0
        for id in ledger.order {
            guard let event = ledger[id] else { continue }
            let receipts = receiver.histories[id]?.receipts ?? 0
            if !receiver.takes(event) {
                filtered += 1
                if dead[id] != nil { violate("\(id) is a dead letter of \(name), which does not take it") }
            } else if let letter = dead[id] {
                if !isRightlyDead(letter, receiver) {
                    violate("\(id) is a dead letter of \(name) for \(letter.reason) after \(letter.attempts) attempts")
                }
            } else if receipts == 0 {
                violate("\(name) never got \(id), which was acknowledged")
            }
        }
        guard let balance = instance.engine.reconcile().targets.first(where: { $0.name == name })?.balance else {
            return violate("there is no target \(name)")
        }
        if balance.dead != Int64(dead.count) || balance.filtered != filtered {
            violate(
                "\(name) counts \(balance.dead) dead and \(balance.filtered) filtered: there are \(dead.count) and \(filtered)"
            )
        }
        figures.attempts += receiver.histories.values.reduce(0) { $0 + $1.attempts }
    }

    private func isRightlyDead(_ letter: DeadLetterRow, _ receiver: SimulatedReceiver) -> Bool {
        if receiver.refuses(letter.event) { return true }
        switch letter.reason {
        case "too_old":
            // The wall clock may have been set meanwhile.
            return scenario.retentionMs.map { letter.atMs - letter.receivedAtMs >= $0 - 600_000 } ?? false
        case "crashed": return figures.crashes >= 3
        default: return false
        }
    }
}

extension Reconciliation {
    var short: String { String(decoding: json, as: UTF8.self) }
}
