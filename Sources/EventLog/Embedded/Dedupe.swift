internal import Events
internal import SQLite

/// Knows every id inside the dedupe window or still in the log. The newest are in memory and, in their events' own
/// transactions, in `recent_ids`; when some hundred thousand are together, or the day (UTC) ends, they become a run.
/// Confined to the writer's thread; changes belong to the open transaction until `didCommit` or `didRollBack`.
final class Dedupe {
    /// For the filters, whatever the number of ids: beyond it they are folded and give more false alarms.
    static let filterBudget = 20 << 20

    private let database: Database
    private let capacity: Int
    private let table: IDRunTable
    private let recentRow: Statement
    private let insertRecent: Statement

    private(set) var runs: [IDRun]
    private var recent: RecentIDs
    /// When the ids of `recent` were committed, the earliest and the latest; nil when there are none.
    private var recentTimes: ClosedRange<Int64>?
    private var sealing: Sealing?
    /// Ids added in the open transaction, from `transactionFirst` on.
    private var added: [EventID] = []
    private var transactionFirst: Int64
    private var undo: Undo?

    /// What a transaction that did more than append must put back when it fails.
    private struct Undo {
        let runs: [IDRun]
        let sealing: Sealing?
        let recentTimes: ClosedRange<Int64>?
    }

    /// - Parameter recentIDs: how many are kept in memory until they become a run.
    init(_ database: Database, next: Int64, recentIDs: Int = RecentIDs.capacity) throws {
        self.database = database
        capacity = recentIDs
        table = try IDRunTable(database)
        recentRow = try database.prepare(
            "SELECT first, ids FROM recent_ids WHERE first <= ? ORDER BY first DESC LIMIT 1")
        insertRecent = try database.prepare("INSERT INTO recent_ids (first, committed_at, ids) VALUES (?, ?, ?)")
        runs = try table.load()
        recent = RecentIDs(first: next, capacity: recentIDs)
        transactionFirst = next
        fitBudget()
        try loadRecent(next: next)
    }

    // MARK: Looking up

    /// The sequence of a record with this id, also one of the open transaction; 0 for an id without a record of its own.
    func sequence(of id: EventID) throws(SQLiteError) -> Int64? {
        if let found = try recent.sequence(
            of: id,
            where: { (sequence) throws(SQLiteError) in
                try isRecent(id, sequence)
            })
        {
            return found
        }
        if let sealing,
            let found = try sealing.ids.sequence(
                of: id,
                where: { (sequence) throws(SQLiteError) in
                    try isRecent(id, sequence)
                })
        {
            return found
        }
        let probe = IDFilter.Probe(id)
        for index in runs.indices.reversed() where runs[index].filter.mayContain(probe) {
            if let found = try table.sequence(of: id, in: runs[index]) { return found }
        }
        return nil
    }

    private func isRecent(_ id: EventID, _ sequence: Int64) throws(SQLiteError) -> Bool {
        if sequence >= transactionFirst { return added[Int(sequence - transactionFirst)] == id }
        try recentRow.bind(1, sequence)
        defer { recentRow.reset() }
        guard try recentRow.step() else { return false }
        let offset = Int(sequence - recentRow.integer(0)) * IDCoding.size
        return unsafe recentRow.withBytes(1) { bytes in
            unsafe offset + IDCoding.size <= bytes.count && IDCoding.id(bytes, at: offset) == id
        }
    }

    // MARK: Appending

    func append(_ id: EventID) {
        recent.append(id)
        added.append(id)
    }

    /// Writes the transaction's ids: one row.
    func write(nowMs: Int64) throws(SQLiteError) {
        guard !added.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(added.count * IDCoding.size)
        for id in added { IDCoding.append(id, to: &bytes) }
        try insertRecent.bind(1, transactionFirst)
        try insertRecent.bind(2, nowMs)
        try insertRecent.bind(3, bytes)
        try insertRecent.run()
    }

    func didCommit(nowMs: Int64) {
        if !added.isEmpty { noteRecent(at: nowMs) }
        transactionFirst += Int64(added.count)
        added.removeAll(keepingCapacity: true)
        undo = nil
    }

    private func noteRecent(at timeMs: Int64) {
        let times = recentTimes ?? timeMs...timeMs
        recentTimes = min(times.lowerBound, timeMs)...max(times.upperBound, timeMs)
    }

    func didRollBack() {
        recent.removeLast(added)
        added.removeAll(keepingCapacity: true)
        if let undo {
            // What the transaction began to seal is recent again.
            if undo.sealing == nil, let sealing { recent = sealing.ids }
            runs = undo.runs
            sealing = undo.sealing
            recentTimes = undo.recentTimes
        }
        undo = nil
    }

    // MARK: Upkeep, a bounded step at a time, between a transaction's begin and commit

    /// Whether `maintain` has something to do.
    func needsMaintenance(nowMs: Int64, windowMs: Int64, beginning: Int64) -> Bool {
        sealing != nil || shouldSeal(nowMs) || expired(nowMs, windowMs, beginning) != nil
    }

    func maintain(nowMs: Int64, windowMs: Int64, beginning: Int64) throws(SQLiteError) {
        precondition(added.isEmpty, "the ids of a transaction are written after its upkeep")
        undo = Undo(runs: runs, sealing: sealing, recentTimes: recentTimes)
        if sealing == nil, shouldSeal(nowMs) { beginSealing() }
        if sealing != nil {
            repeat { try sealStep() } while recent.isFull && sealing != nil
        } else if let index = expired(nowMs, windowMs, beginning) {
            try table.drop(runs[index])
            runs.remove(at: index)
        }
    }

    private func shouldSeal(_ nowMs: Int64) -> Bool {
        guard recent.count > 0 else { return false }
        return recent.isFull || recentTimes.map { Self.day($0.lowerBound) < Self.day(nowMs) } ?? false
    }

    private static func day(_ timeMs: Int64) -> Int64 { timeMs / 86_400_000 }

    private func expired(_ nowMs: Int64, _ windowMs: Int64, _ beginning: Int64) -> Int? {
        runs.firstIndex { $0.untilMs < nowMs - min(nowMs, windowMs) && $0.last < beginning }
    }

    private func beginSealing() {
        sealing = Sealing(ids: recent, run: nextRunNumber, untilMs: recentTimes?.upperBound ?? 0)
        recent = RecentIDs(first: recent.end, capacity: capacity)
        recentTimes = nil
    }

    private func sealStep() throws(SQLiteError) {
        guard var current = sealing.take() else { return }
        let ids = try current.nextPass(database)
        try table.write(ids, run: current.run, slots: current.slots)
        guard current.isComplete else {
            sealing = current
            return
        }
        let run = current.finished
        try table.register(run)
        try database.execute("DELETE FROM recent_ids WHERE first <= ?", [.integer(run.last)])
        runs.append(run)
        fitBudget()
    }

    /// Folds the filters of the oldest and largest runs until all of them fit.
    private func fitBudget() {
        var total = runs.reduce(0) { $0 + $1.filter.byteCount }
        while total > Self.filterBudget {
            guard let largest = runs.map(\.filter.byteCount).max(), largest > 32,
                let index = runs.firstIndex(where: { $0.filter.byteCount == largest })
            else { return }
            runs[index].filter = runs[index].filter.folded()
            total -= largest / 2
        }
    }

    // MARK: Opening

    private func loadRecent(next: Int64) throws {
        let sealed = runs.map(\.last).max() ?? 0
        try database.forEachRow(
            "SELECT first, committed_at, ids FROM recent_ids WHERE first > ? ORDER BY first", [.integer(sealed)]
        ) { row in
            if recent.count == 0 {
                recent.begin(at: row.integer(0))
            }
            guard recent.end == row.integer(0) else { return }
            noteRecent(at: row.integer(1))
            unsafe row.withBytes(2) { bytes in
                for offset in stride(from: 0, to: bytes.count, by: IDCoding.size) {
                    unsafe recent.append(IDCoding.id(bytes, at: offset))
                }
            }
        }
        guard recent.count > 0, recent.end != next else { return }
        // Sequences were given up behind these ids: what follows begins a set of its own.
        try database.withTransaction {
            beginSealing()
            while sealing != nil { try sealStep() }
        }
        recent = RecentIDs(first: next, capacity: capacity)
    }

    private var nextRunNumber: Int64 { max(runs.map(\.number).max() ?? 0, sealing?.run ?? 0) + 1 }
}

extension Dedupe {
    /// Adds ids that another log has acknowledged, as a run of no records here. In a transaction of its own.
    /// - Parameter ids: at most some hundred thousand, each once.
    func add(_ ids: [EventID], nowMs: Int64) throws {
        guard !ids.isEmpty else { return }
        let sorted = ids.map { IndexedID(id: $0, sequence: 0) }.sorted()
        let number = nextRunNumber
        var filter = IDFilter(capacity: ids.count)
        for id in ids { filter.insert(id) }
        let run = IDRun(
            number: number, last: 0, count: ids.count, slots: IDRun.slots(for: ids.count),
            untilMs: nowMs, filter: filter)
        try database.withTransaction {
            try table.write(sorted, run: number, slots: run.slots)
            try table.register(run)
        }
        runs.append(run)
        fitBudget()
    }
}
