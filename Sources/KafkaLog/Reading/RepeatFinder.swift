internal import Events
internal import Synchronization

/// Tells which records are repeats: events that stand earlier in the same partition, received at most a window before. What
/// is a repeat depends on the partition alone, so that every reader of every instance finds the same, as long as there is
/// room for the window's ids.
///
/// A reader hands over a partition's records in order. Where the ids before a record are not known, they are to be read
/// first (`begin`, then `learn`).
final class RepeatFinder: Sendable {
    enum Verdict: Equatable {
        case isNew, isRepeat
        /// Records since then are to be learnt before it can be told.
        case isOpen(sinceMs: Int64)
    }

    private struct Table {
        var ids: RepeatTable
        var usedAt: UInt64
    }

    private struct State {
        var tables: [Int32: [Table]] = [:]
        var judged: [Int32: JudgedOffsets] = [:]
        var uses: UInt64 = 0
        var appended = 0
    }

    let windowMs: Int64
    private let state = Mutex(State())

    /// Ids of one table.
    static let maximumIDs = 200_000
    /// Ids of all tables.
    private static let maximumTotal = 1_000_000
    /// Of one partition.
    private static let maximumTables = 4

    init(window: Duration) {
        windowMs = window.wholeMilliseconds
    }

    /// Judges the record at `offset`, or remembers how it was judged.
    /// - Parameters:
    ///   - place: what the reader had read up to: between it and the offset there is no record.
    ///   - settles: judge by what is known, even where that is not all.
    func judge(
        _ partition: Int32, from place: Int64, at offset: Int64, _ id: EventID, receivedAtMs: Int64,
        settles: Bool = false
    ) -> Verdict {
        state.withLock { state in
            let known = state.judged[partition]?.isRepeat(offset)
            let sinceMs = receivedAtMs - windowMs
            if known == nil, settles { begin(partition, at: place, coveredSinceMs: .min, ifNone: true, &state) }
            guard let index = Self.table(of: partition, endingAt: place, &state) else {
                if let known { return known ? .isRepeat : .isNew }
                return .isOpen(sinceMs: sinceMs)
            }
            let table = state.tables[partition]![index].ids
            if known == nil, !settles, table.coveredSinceMs > sinceMs { return .isOpen(sinceMs: sinceMs) }
            let isRepeat = known ?? table.newestTime(of: id).map { $0 >= sinceMs } ?? false
            append(id, receivedAtMs, partition, index, offset, &state)
            if known == nil {
                state.judged[partition, default: JudgedOffsets()].insert(place..<offset + 1, isRepeat: isRepeat)
            }
            return isRepeat ? .isRepeat : .isNew
        }
    }

    /// Takes in a record before those that are to be judged.
    /// - Parameter id: nil where it has none.
    func learn(_ partition: Int32, from place: Int64, at offset: Int64, _ id: EventID?, receivedAtMs: Int64) {
        state.withLock { state in
            guard let index = Self.table(of: partition, endingAt: place, &state) else { return }
            append(id, receivedAtMs, partition, index, offset, &state)
        }
    }

    /// There is no record between the two.
    func skip(_ partition: Int32, from place: Int64, to offset: Int64) {
        state.withLock { state in
            guard let index = Self.table(of: partition, endingAt: place, &state) else { return }
            state.tables[partition]![index].ids.skip(to: offset)
        }
    }

    /// A reader is about to hand over a partition's records from a place on.
    /// - Parameter sinceMs: records before it were received before; `Int64.min` where none are asked for.
    func begin(_ partition: Int32, at place: Int64, coveredSinceMs sinceMs: Int64) {
        state.withLock { begin(partition, at: place, coveredSinceMs: sinceMs, ifNone: false, &$0) }
    }

    private func begin(
        _ partition: Int32, at place: Int64, coveredSinceMs sinceMs: Int64, ifNone: Bool, _ state: inout State
    ) {
        state.uses += 1
        var tables = state.tables[partition] ?? []
        if ifNone, tables.contains(where: { $0.ids.end == place }) { return }
        tables.removeAll { $0.ids.end == place }
        func age(_ index: Int) -> UInt64 { tables[index].usedAt }
        if tables.count >= Self.maximumTables, let oldest = tables.indices.min(by: { age($0) < age($1) }) {
            tables.remove(at: oldest)
        }
        tables.append(Table(ids: RepeatTable(begin: place, coveredSinceMs: sinceMs), usedAt: state.uses))
        state.tables[partition] = tables
    }

    /// Whether a record at a place, received since then, can be judged now.
    func isReady(_ partition: Int32, at place: Int64, sinceMs: Int64) -> Bool {
        state.withLock { state in
            if state.judged[partition]?.isRepeat(place) != nil { return true }
            guard let index = Self.table(of: partition, endingAt: place, &state) else { return false }
            return state.tables[partition]![index].ids.coveredSinceMs <= sinceMs
        }
    }

    /// The one that knows most, of those that end there.
    private static func table(of partition: Int32, endingAt place: Int64, _ state: inout State) -> Int? {
        guard let tables = state.tables[partition] else { return nil }
        let ending = tables.indices.filter { tables[$0].ids.end == place }
        guard let index = ending.min(by: { tables[$0].ids.coveredSinceMs < tables[$1].ids.coveredSinceMs }) else {
            return nil
        }
        state.uses += 1
        state.tables[partition]![index].usedAt = state.uses
        return index
    }

    private func append(
        _ id: EventID?, _ atMs: Int64, _ partition: Int32, _ index: Int, _ offset: Int64, _ state: inout State
    ) {
        state.tables[partition]![index].ids.append(
            id, atMs: atMs, at: offset, windowMs: windowMs, limit: Self.maximumIDs)
        state.appended += 1
        if state.appended % 1024 == 0 { Self.makeRoom(&state) }
    }

    /// Ends tables that nobody reads on from, the longest unused first, then shortens the largest.
    private static func makeRoom(_ state: inout State) {
        var total = state.tables.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.ids.count } }
        while total > maximumTotal {
            let all = state.tables.flatMap { partition, tables in tables.indices.map { (partition, $0) } }
            func used(_ place: (Int32, Int)) -> UInt64 { state.tables[place.0]![place.1].usedAt }
            func size(_ place: (Int32, Int)) -> Int { state.tables[place.0]![place.1].ids.count }
            if let unused = all.filter({ used($0) + 1_000_000 < state.uses }).min(by: { used($0) < used($1) }) {
                total -= size(unused)
                state.tables[unused.0]!.remove(at: unused.1)
            } else if let largest = all.max(by: { size($0) < size($1) }) {
                total -= size(largest) - size(largest) / 2
                state.tables[largest.0]![largest.1].ids.truncate(to: size(largest) / 2)
            }
        }
    }
}
