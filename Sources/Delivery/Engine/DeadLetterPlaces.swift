package import EventLog

/// A dead letter as every instance knows it.
package struct DeadLetterPlace: Sendable, Hashable {
    package var place: RecordPlace
    /// When it became one: the same event may become another one later. The wall clock, milliseconds.
    package var atMs: Int64

    package init(place: RecordPlace, atMs: Int64) {
        self.place = place
        self.atMs = atMs
    }
}

extension DeliveryEngine {
    /// The shards of a target that are this instance's now; none where one instance has everything.
    package func ownedShards(of target: String) -> Set<Int> {
        look { core in core.runtime(named: target).map { Set($0.sharing.shards.keys) } ?? [] }
    }

    /// Decides about those of the dead letters that are here and are dead letters still.
    /// - Parameter replay: of which replay they are; nil for the target's own.
    /// - Returns: how many there were. The decision is kept when this returns.
    /// - Throws: `DeliveryStoreError`; those before it are decided.
    package func decide(
        _ action: DeadLetterAction, _ letters: [DeadLetterPlace], of target: String, replay: Int64?
    ) throws -> Int {
        let rows = try letters.compactMap { letter in
            try store.deadLetter(at: letter.place, of: target, replay: replay).flatMap {
                $0.atMs == letter.atMs ? $0 : nil
            }
        }
        guard !rows.isEmpty else { return 0 }
        return try operate(target, replay: replay) { core, runtime, now in
            try core.decide(action, rows, runtime, now)
        }
    }
}
