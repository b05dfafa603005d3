internal import Delivery

/// What is to be written into a store, in pieces of bounded size. What could not be written stays for the next time.
final class MirrorBuffer {
    private static let maximumOperations = 1000
    private static let maximumBytes = 2 << 20

    private let store: DeliveryStore
    private var operations: [(owner: MirrorOwner, operations: [StateOperation])] = []
    private var entries: [(number: Int64, entry: AuditEntry)] = []
    private var bytes = 0

    init(_ store: DeliveryStore) {
        self.store = store
    }

    /// - Parameter size: of texts in it, in bytes.
    func add(_ owner: MirrorOwner, _ operation: StateOperation, size: Int = 0) throws {
        operations.append((owner, [operation]))
        bytes += size + 300
        if operations.count >= Self.maximumOperations || bytes >= Self.maximumBytes { try flush() }
    }

    func add(_ owned: [AttemptMirror.Owned]) throws {
        for (owner, operations) in owned {
            for operation in operations { try add(owner, operation) }
        }
    }

    /// - Parameter number: the entry's, everywhere.
    func add(_ entry: AuditEntry, number: Int64) throws {
        entries.append((number, entry))
        if entries.count >= Self.maximumOperations { try flush() }
    }

    /// Writes everything, together with the rows of targets and replays.
    func flush(with targets: [MirroredTarget] = [], _ replays: [MirroredReplay] = []) throws {
        if !operations.isEmpty || !targets.isEmpty || !replays.isEmpty {
            try store.mirror(targets, replays, operations)
            operations = []
            bytes = 0
        }
        if !entries.isEmpty {
            try store.mirror(entries)
            entries = []
        }
    }
}
