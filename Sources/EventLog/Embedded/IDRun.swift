internal import Events
internal import SQLite

/// Ids of some hundred thousand consecutive records, sorted and cut into slots by their first word, so that one is found
/// by one seek, and written in order, so that they cost the writer almost nothing. (One table of random ids costs a
/// page an id once it outgrows the cache.) A filter in memory answers for almost all ids that are in none.
struct IDRun {
    let number: Int64
    /// The newest sequence in it.
    let last: Int64
    let count: Int
    let slots: Int
    /// When the newest of them was committed.
    let untilMs: Int64
    var filter: IDFilter

    /// So many that two slots nearly always fit one page.
    static func slots(for count: Int) -> Int { max(1, count / 150) }

    /// Grows with the id: a run's slots are in the order of its ids.
    static func slot(of id: EventID, slots: Int) -> Int {
        Int(id.high.multipliedFullWidth(by: UInt64(slots)).high)
    }

    static func row(run: Int64, slot: Int) -> Int64 { run << 20 | Int64(slot) }

    /// The rows of its slots.
    var rows: Range<Int64> { Self.row(run: number, slot: 0)..<Self.row(run: number + 1, slot: 0) }

    /// The sequence of `id` in a slot's bytes; nil when it is not there.
    static func sequence(of id: EventID, in bytes: UnsafeRawBufferPointer) -> Int64? {
        var low = 0
        var high = bytes.count / IDCoding.indexedSize
        while low < high {
            let middle = (low + high) / 2
            let found = unsafe IDCoding.id(bytes, at: middle * IDCoding.indexedSize)
            if found == id {
                return Int64(
                    bitPattern: unsafe IDCoding.word(
                        bytes, at: middle * IDCoding.indexedSize + IDCoding.size))
            }
            if found < id { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}

/// Writes and reads the runs' tables. Of the writer's connection.
final class IDRunTable {
    private let database: Database
    private let readSlot: Statement
    private let writeSlot: Statement

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        readSlot = try database.prepare("SELECT ids FROM id_slots WHERE slot = ?")
        writeSlot = try database.prepare("INSERT OR REPLACE INTO id_slots (slot, ids) VALUES (?, ?)")
    }

    func load() throws -> [IDRun] {
        var runs: [IDRun] = []
        try database.forEachRow("SELECT run, last, ids, slots, until, filter FROM id_runs ORDER BY run") { row in
            guard let filter = IDFilter(bytes: row.bytes(5)) else {
                throw SQLiteError(code: .damaged, operation: "id_runs", message: "run \(row.integer(0)) has no filter")
            }
            runs.append(
                IDRun(
                    number: row.integer(0), last: row.integer(1), count: Int(row.integer(2)),
                    slots: Int(row.integer(3)), untilMs: row.integer(4), filter: filter))
        }
        return runs
    }

    func sequence(of id: EventID, in run: IDRun) throws(SQLiteError) -> Int64? {
        try readSlot.bind(1, IDRun.row(run: run.number, slot: IDRun.slot(of: id, slots: run.slots)))
        defer { readSlot.reset() }
        guard try readSlot.step() else { return nil }
        return unsafe readSlot.withBytes(0) { unsafe IDRun.sequence(of: id, in: $0) }
    }

    /// Writes ids, which are sorted and fill whole slots, to the slots of a run that is being made.
    func write(_ ids: [IndexedID], run: Int64, slots: Int) throws(SQLiteError) {
        var start = 0
        var bytes: [UInt8] = []
        while start < ids.count {
            let slot = IDRun.slot(of: ids[start].id, slots: slots)
            bytes.removeAll(keepingCapacity: true)
            while start < ids.count, IDRun.slot(of: ids[start].id, slots: slots) == slot {
                IDCoding.append(ids[start].id, to: &bytes)
                IDCoding.append(UInt64(bitPattern: ids[start].sequence), to: &bytes)
                start += 1
            }
            try writeSlot.bind(1, IDRun.row(run: run, slot: slot))
            try writeSlot.bind(2, bytes)
            try writeSlot.run()
        }
    }

    /// Makes a run whose slots are written part of the index.
    func register(_ run: IDRun) throws(SQLiteError) {
        try database.execute(
            "INSERT INTO id_runs (run, last, ids, slots, until, filter) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .integer(run.number), .integer(run.last), .integer(run.count), .integer(run.slots),
                .integer(run.untilMs), .blob(run.filter.bytes),
            ])
    }

    func drop(_ run: IDRun) throws(SQLiteError) {
        try database.execute("DELETE FROM id_runs WHERE run = ?", [.integer(run.number)])
        try database.execute(
            "DELETE FROM id_slots WHERE slot >= ? AND slot < ?",
            [.integer(run.rows.lowerBound), .integer(run.rows.upperBound)])
    }
}
