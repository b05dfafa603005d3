import Delivery
import EventLog
import Events
import SimulatedDisk

/// What must hold.
extension World {
    /// After every turn of the delivery engine.
    func checkStep() {
        guard let instance, violation == nil else { return }
        // It asks the state file.
        guard random.oneIn(8) else { return }
        let reconciliation = instance.engine.reconcile()
        if !reconciliation.isBalanced { violate("the counters do not balance: \(reconciliation.short)") }
        guard random.oneIn(2) else { return }
        for target in instance.engine.targets() {
            guard let receiver = receivers.first(where: { $0.name == target.name }) else { continue }
            let size = max(scenario.maximumOpen, receiver.largestBatch)
            if target.open > size + max(16, size / 10) {
                violate("\(target.name) has \(target.open) open events, beyond its bound of \(size)")
            }
        }
        if instance.log.statistics().queuedBatches > 256 { violate("more waits for the log's writer than may wait") }
    }

    /// Whenever the program has been opened.
    func checkOpened(_ opened: Instance) {
        checkLog(opened.log)
        checkStep()
    }

    func checkLog(_ log: SQLiteEventLog) {
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
    func checkLatency(_ id: EventID, _ receiver: SimulatedReceiver) {
        guard let promptness = receiver.promptness, !isSwitchedOff(receiver) else { return }
        guard let acknowledged = ledger[id]?.acknowledgedAt, acknowledged > disturbedAt + .seconds(60) else { return }
        let latency = now - acknowledged
        if latency > promptness {
            violate("\(receiver.name) is well and got \(id) only \(latency / 1_000_000) ms after it was acknowledged")
        }
    }
}

extension Reconciliation {
    var short: String { String(decoding: json, as: UTF8.self) }
}
