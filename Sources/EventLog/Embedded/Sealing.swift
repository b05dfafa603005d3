internal import Events
internal import SQLite

/// Turning a set of recent ids into a run, a sixteenth at a time, so that no commit waits for the whole and no more than
/// a sixteenth is in memory.
struct Sealing {
    let ids: RecentIDs
    let run: Int64
    let slots: Int
    private let untilMs: Int64
    private var filter: IDFilter
    private var pass = 0
    private static let passes = 16

    init(ids: RecentIDs, run: Int64, untilMs: Int64) {
        self.ids = ids
        self.run = run
        self.untilMs = untilMs
        slots = IDRun.slots(for: ids.count)
        filter = IDFilter(capacity: ids.count)
    }

    var isComplete: Bool { pass == Self.passes }

    /// The next part of the ids, sorted; whole slots.
    mutating func nextPass(_ database: Database) throws(SQLiteError) -> [IndexedID] {
        let wanted = slots * pass / Self.passes..<slots * (pass + 1) / Self.passes
        pass += 1
        guard !wanted.isEmpty else { return [] }
        var found: [IndexedID] = []
        found.reserveCapacity(ids.count / Self.passes * 9 / 8 + 64)
        let rows = try database.prepare(
            "SELECT first, ids FROM recent_ids WHERE first >= ? AND first < ? ORDER BY first")
        try rows.bind([.integer(ids.first), .integer(ids.end)])
        while try rows.step() {
            let first = rows.integer(0)
            unsafe rows.withBytes(1) { bytes in
                for index in 0..<bytes.count / IDCoding.size {
                    let id = unsafe IDCoding.id(bytes, at: index * IDCoding.size)
                    guard wanted.contains(IDRun.slot(of: id, slots: slots)) else { continue }
                    found.append(IndexedID(id: id, sequence: first + Int64(index)))
                }
            }
        }
        for entry in found { filter.insert(entry.id) }
        found.sort()
        return found
    }

    var finished: IDRun {
        IDRun(number: run, last: ids.end - 1, count: ids.count, slots: slots, untilMs: untilMs, filter: filter)
    }
}
