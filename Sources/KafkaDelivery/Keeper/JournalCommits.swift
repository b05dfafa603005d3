internal import Delivery

/// Positions of a target whose records are all kept, on their way into commits. One commit is under way at a time; newer
/// positions of a partition take the place of older ones.
struct JournalCommits: Sendable {
    /// What may be committed now.
    struct Commit: Sendable {
        var partitions: [Int32: RestoredShard.Partition]
        var stamp: RecordStamp
    }

    private var waiting: [Int32: RestoredShard.Partition] = [:]
    private var stamp = RecordStamp.none
    private var underWay: [Int32: RestoredShard.Partition]?
    private var nextAtMs: Int64 = 0
    private var failures = 0

    static let intervalMs: Int64 = 50

    /// How long after so many failures in a row it is tried again.
    static func delayMs(_ failures: Int) -> Int64 { min(100 << Int64(min(failures, 6)), 5000) }

    mutating func add(_ partitions: [Int32: RestoredShard.Partition], _ stamp: RecordStamp) {
        waiting.merge(partitions) { $1 }
        self.stamp = max(self.stamp, stamp)
    }

    /// - Parameter held: partitions that are not committed at present.
    func isEmpty(but held: Set<Int32>) -> Bool { underWay == nil && !hasWaiting(but: held) }

    private func hasWaiting(but held: Set<Int32>) -> Bool { waiting.keys.contains { !held.contains($0) } }

    /// - Parameter isUrgent: whether somebody waits for it.
    mutating func take(_ nowMs: Int64, isUrgent: Bool, but held: Set<Int32>) -> Commit? {
        guard underWay == nil, hasWaiting(but: held) else { return nil }
        guard nowMs >= nextAtMs || (isUrgent && failures == 0) else { return nil }
        let partitions = waiting.filter { !held.contains($0.key) }
        for partition in partitions.keys { waiting[partition] = nil }
        underWay = partitions
        return Commit(partitions: partitions, stamp: stamp)
    }

    mutating func ended(isKept: Bool, _ nowMs: Int64) {
        guard let partitions = underWay else { return }
        underWay = nil
        if isKept {
            failures = 0
            nextAtMs = nowMs + Self.intervalMs
        } else {
            waiting.merge(partitions) { newer, _ in newer }
            failures += 1
            nextAtMs = nowMs + Self.delayMs(failures)
        }
    }

    /// Forgets partitions that are another's now.
    mutating func drop(_ belongs: (Int32) -> Bool) {
        waiting = waiting.filter { !belongs($0.key) }
        underWay = underWay?.filter { !belongs($0.key) }
    }

    /// Whether some of these partitions are still to be committed.
    func concerns(_ belongs: (Int32) -> Bool, but held: Set<Int32>) -> Bool {
        waiting.keys.contains { belongs($0) && !held.contains($0) } || underWay?.keys.contains(where: belongs) ?? false
    }

    /// When a commit is to be taken; nil: none is.
    func dueMs(but held: Set<Int32>) -> Int64? { underWay == nil && hasWaiting(but: held) ? nextAtMs : nil }
}
