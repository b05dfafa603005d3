import Delivery
import EventLog
import SQLite
import SimulatedDisk

/// Mistakes that the simulation must find. Each is made outside of the product: by a disk that lies, by triggers planted in
/// the state file, by limits that nobody configured, by an intake or targets of its own.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// The log acknowledges what is not on the disk.
    case acknowledgeBeforeSync
    /// A target's cursor is past events that are not delivered, and nothing tells that they are missing.
    case advanceBeforeDelivery
    /// Events that failed are forgotten.
    case forgetOpenSet
    case retryWithoutLimit
    /// A repeat is acknowledged while the event it repeats is not yet kept.
    case acknowledgeDuplicateEarly
    /// Events of one key go at the same time.
    case breakOrder
    /// Of several events in one request the last one is left out.
    case loseOneOfABatch
    case overfillBatches
    case exceedRate
    /// What a person gave up stays where it was.
    case keepDiscarded
    case forgetPauses
    /// A receiver cannot tell what is sent once more.
    case replayWithoutMark
    /// A replay is over before its events are sent.
    case forgetReplays

    func verdict(_ operation: SimulatedDisk.Operation, _ path: String) -> SimulatedDisk.Verdict? {
        self == .acknowledgeBeforeSync && operation == .synchronize && path.hasSuffix("events.db-wal") ? .pretend : nil
    }

    func adjust(_ policy: inout TargetPolicy) {
        switch self {
        case .retryWithoutLimit: policy.attempts = .max
        case .breakOrder: policy.ordersByKey = false
        case .overfillBatches: policy.batch?.maximumEvents *= 2
        case .exceedRate: policy.rate?.amount += 1
        default: break
        }
    }

    /// Plants what it needs into a state file that is there.
    func plant(into path: String, vfs: String) throws {
        let trigger: String
        switch self {
        case .advanceBeforeDelivery:
            trigger = "AFTER UPDATE ON targets BEGIN UPDATE targets SET holes = x'' WHERE id = new.id; END"
        case .forgetOpenSet:
            trigger = "AFTER INSERT ON open_events BEGIN DELETE FROM open_events WHERE id = new.id; END"
        case .keepDiscarded:
            trigger = "BEFORE DELETE ON dead_letters BEGIN SELECT RAISE(IGNORE); END"
        case .forgetPauses:
            trigger =
                "AFTER UPDATE OF paused ON targets WHEN new.paused BEGIN UPDATE targets SET paused = 0 WHERE id = new.id; END"
        case .forgetReplays:
            trigger = "AFTER INSERT ON replays BEGIN UPDATE replays SET phase = 2 WHERE id = new.id; END"
        default: return
        }
        let database = try Database(path: path, mode: .readWrite, vfs: vfs)
        try database.execute("CREATE TRIGGER IF NOT EXISTS planted \(trigger)")
    }
}
