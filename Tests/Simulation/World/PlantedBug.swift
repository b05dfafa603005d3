import Delivery
import EventLog
import SQLite
import SimulatedDisk

/// Mistakes that the simulation must find. Each is made outside of the product: by a disk that lies, by triggers planted in
/// the state file, by a policy nobody can configure, by an intake of its own.
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

    func verdict(_ operation: SimulatedDisk.Operation, _ path: String) -> SimulatedDisk.Verdict? {
        self == .acknowledgeBeforeSync && operation == .synchronize && path.hasSuffix("events.db-wal") ? .pretend : nil
    }

    func adjust(_ policy: inout TargetPolicy) {
        if self == .retryWithoutLimit { policy.attempts = .max }
    }

    /// Plants what it needs into a state file that is there.
    func plant(into path: String, vfs: String) throws {
        let trigger: String
        switch self {
        case .advanceBeforeDelivery:
            trigger = "AFTER UPDATE ON targets BEGIN UPDATE targets SET holes = x'' WHERE id = new.id; END"
        case .forgetOpenSet:
            trigger = "AFTER INSERT ON open_events BEGIN DELETE FROM open_events WHERE id = new.id; END"
        default: return
        }
        let database = try Database(path: path, mode: .readWrite, vfs: vfs)
        try database.execute("CREATE TRIGGER IF NOT EXISTS planted \(trigger)")
    }
}
