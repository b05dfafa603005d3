internal import Events
internal import SQLite

/// Reading `events.db`, of a running instance or of a stopped one.
package final class LogReading: Sendable {
    let pool: ReaderPool
    let state: LogState
    let personHash: PersonHash

    init(pool: ReaderPool, state: LogState, personHash: PersonHash) {
        self.pool = pool
        self.state = state
        self.personHash = personHash
    }

    var head: LogPosition { Self.position(state.bounds.next) }
    var beginning: LogPosition { Self.position(state.bounds.beginning) }

    static func position(_ sequence: Int64) -> LogPosition { LogPosition(offsets: [sequence]) }

    /// The sequence a position stands for.
    private func sequence(_ position: LogPosition) throws(LogFailure) -> Int64 {
        guard position.offsets.count == 1 else {
            throw LogFailure(.unknownPosition, "the position \(position) is of another log")
        }
        return position.offsets[0]
    }

    // MARK: In order

    func read(from position: LogPosition, maximumRecords: Int, maximumBytes: Int) throws(LogFailure) -> LogBatch {
        let first = try sequence(position)
        guard first != LogPosition.unread else { return LogBatch(records: [], next: position) }
        let bounds = state.bounds
        guard first >= bounds.beginning else { throw Self.expired(first, bounds) }
        guard first <= bounds.next else {
            throw LogFailure(.unknownPosition, "the position \(first) is beyond the end, \(bounds.next)")
        }
        guard first < bounds.next, maximumRecords > 0 else { return LogBatch(records: [], next: position) }
        var run = RecordRun(expected: first, bounds: bounds)
        let stop = try pool.withConnection { connection in
            run.records.reserveCapacity(min(maximumRecords, LogConnection.maximumRows, Int(bounds.next - first)))
            return try connection.forEachRecord(
                from: first, below: bounds.next, maximumRows: maximumRecords, maximumBytes: maximumBytes
            ) { run.take($0) }
        }
        run.finish(stop)
        if run.records.isEmpty, let problem = run.problem {
            // Retention may have overtaken the reading.
            let now = state.bounds
            throw first < now.beginning ? Self.expired(first, now) : LogFailure(.damaged, problem)
        }
        return LogBatch(records: run.records, next: Self.position(run.expected))
    }

    private static func expired(_ first: Int64, _ bounds: LogState.Bounds) -> LogFailure {
        LogFailure(.expired, "the records \(first) to \(bounds.beginning - 1) were removed by retention")
    }

    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition {
        let bounds = state.bounds
        let found = try pool.withConnection { connection in
            var low = bounds.beginning
            var high = bounds.next
            while low < high {
                let middle = low + (high - low) / 2
                guard let record = try connection.received(atOrAfter: middle), record.sequence < high,
                    record.atMs < timeMs
                else {
                    high = middle
                    continue
                }
                low = record.sequence + 1
            }
            return low
        }
        return Self.position(found)
    }

    func count(from: LogPosition, to: LogPosition) -> Int64 {
        guard from.offsets.count == 1, to.offsets.count == 1, from.offsets[0] != LogPosition.unread else { return 0 }
        return max(0, to.offsets[0] - from.offsets[0])
    }

    // MARK: By what they are

    /// Receiving clocks may have been set back a little.
    private static let clockStepMs: Int64 = 600_000

    func lookup(_ id: EventID) throws(LogFailure) -> LogRecord? {
        guard let sequence = try sequence(of: id) else { return nil }
        return try record(sequence)
    }

    /// Nil for an id that is unknown, or whose record is no longer kept.
    func sequence(of id: EventID) throws(LogFailure) -> Int64? {
        let found = try pool.withConnection { try $0.sequence(of: id) }
        guard let found, found >= state.bounds.beginning else { return nil }
        return found
    }

    private func record(_ sequence: Int64) throws(LogFailure) -> LogRecord? {
        var found: LogRecord?
        let stop = try pool.withConnection { connection in
            try connection.forEachRecord(
                from: sequence, below: sequence + 1, maximumRows: 1, maximumBytes: .max
            ) {
                found = $0
                return true
            }
        }
        if case .damaged(_, let reason) = stop {
            throw LogFailure(.damaged, "the record \(sequence) \(reason)")
        }
        return found
    }

    func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord] {
        let bounds = state.bounds
        let oldest = try oldest(filter, bounds)
        return try scan(filter, down: bounds.next, to: oldest, limit: limit, maximumBytes: .max).records.reversed()
    }

    func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage {
        let bounds = state.bounds
        let oldest = try oldest(filter, bounds)
        var end = min(try position.map(sequence) ?? bounds.next, bounds.next)
        if let until = filter.untilMs { end = min(end, try self.position(at: until + Self.clockStepMs).offsets[0]) }
        let lowest = max(oldest, end - Int64(max(scanning, 1)))
        let found = try scan(filter, down: end, to: lowest, limit: limit, maximumBytes: maximumBytes)
        return EventPage(records: found.records, next: found.end > oldest ? Self.position(found.end) : nil)
    }

    /// The first sequence that may match.
    private func oldest(_ filter: EventFilter, _ bounds: LogState.Bounds) throws(LogFailure) -> Int64 {
        guard let since = filter.sinceMs else { return bounds.beginning }
        return try position(at: since - Self.clockStepMs).offsets[0]
    }

    /// The newest records below `end` that match, newest first, and the sequence down to which was looked.
    private func scan(
        _ filter: EventFilter, down end: Int64, to lowest: Int64, limit: Int, maximumBytes: Int
    ) throws(LogFailure) -> (records: [LogRecord], end: Int64) {
        var found: [LogRecord] = []
        var bytes = 0
        var end = end
        while end > lowest, found.count < limit, bytes < maximumBytes {
            let start = max(lowest, end - Int64(LogConnection.maximumRows))
            var next = start
            let stop = try pool.withConnection { connection in
                try connection.forEachRecord(
                    from: start, below: end, descending: true, maximumRows: LogConnection.maximumRows,
                    maximumBytes: LogConnection.maximumBytes
                ) { record in
                    next = record.place.offset
                    guard filter.matches(record) else { return true }
                    found.append(record)
                    bytes += record.payload.count
                    return found.count < limit && bytes < maximumBytes
                }
            }
            switch stop {
            case .limit: end = next
            case .end: end = start
            case .damaged(let sequence, let reason):
                throw LogFailure(.damaged, "the record \(sequence) \(reason)")
            }
        }
        return (found, end)
    }

    func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord] {
        let hash = personHash.hash(person)
        var sequences: [Int64] = []
        var first: Int64? = 0
        while let start = first {
            first = try pool.withConnection { try $0.people(hash, from: start, into: &sequences) }
        }
        var records: [LogRecord] = []
        let beginning = state.bounds.beginning
        for sequence in sequences where sequence >= beginning {
            if let record = try record(sequence), !record.isErased { records.append(record) }
        }
        return records
    }

    // MARK: Quarantine

    private static let quarantineColumns = "key, source, position, received_at, reason, size, sha256"

    func quarantined(source: String?, sinceMs: Int64?, newest limit: Int) throws(LogFailure) -> [QuarantinedElement] {
        let found = try pool.withConnection { connection in
            var elements: [QuarantinedElement] = []
            try connection.database.forEachRow(
                """
                SELECT \(Self.quarantineColumns), NULL FROM quarantine
                WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR received_at >= ?2) ORDER BY entry DESC LIMIT ?3
                """, [.text(source), .integer(sinceMs), .integer(min(limit, 100_000))]
            ) { elements.append(QuarantinedElement(row: $0)) }
            return elements
        }
        return found.reversed()
    }

    func quarantinedElement(key: String) throws(LogFailure) -> QuarantinedElement? {
        try pool.withConnection { connection in
            var element: QuarantinedElement?
            try connection.database.forEachRow(
                "SELECT \(Self.quarantineColumns), bytes FROM quarantine WHERE key = ?", [.text(key)]
            ) { element = QuarantinedElement(row: $0) }
            return element
        }
    }

    func quarantined(containing bytes: [UInt8]) throws(LogFailure) -> [QuarantinedElement] {
        guard !bytes.isEmpty else { return [] }
        return try pool.withConnection { connection in
            var elements: [QuarantinedElement] = []
            try connection.database.forEachRow(
                "SELECT \(Self.quarantineColumns), NULL FROM quarantine WHERE instr(bytes, ?) > 0 ORDER BY entry",
                [.blob(bytes)]
            ) { elements.append(QuarantinedElement(row: $0)) }
            return elements
        }
    }
}

/// Records that are read in order: without a gap, but for what was given up.
private struct RecordRun {
    var records: [LogRecord] = []
    /// The sequence that comes next.
    private(set) var expected: Int64
    /// Why it does not go on.
    private(set) var problem: String?
    private let bounds: LogState.Bounds

    init(expected: Int64, bounds: LogState.Bounds) {
        self.expected = expected
        self.bounds = bounds
    }

    /// False when the record cannot be taken.
    mutating func take(_ record: LogRecord) -> Bool {
        guard reach(record.place.offset) else { return false }
        records.append(record)
        expected += 1
        return true
    }

    mutating func finish(_ stop: LogConnection.Stop) {
        switch stop {
        case .limit: break
        case .end: _ = reach(bounds.next)
        case .damaged(let sequence, let reason):
            if reach(sequence) { problem = "the record \(sequence) \(reason)" }
        }
    }

    private mutating func reach(_ sequence: Int64) -> Bool {
        guard expected < sequence else { return true }
        guard bounds.areLost(expected..<sequence) else {
            problem = "the records \(expected) to \(sequence - 1) are missing"
            return false
        }
        expected = sequence
        return true
    }
}

extension QuarantinedElement {
    /// Of the columns key, source, position, received_at, reason, size, sha256, and bytes or null.
    fileprivate init(row: borrowing Statement) {
        self.init(
            source: row.text(1) ?? "", index: Int(row.integer(2)), receivedAtMs: row.integer(3),
            reason: row.text(4) ?? "", bytes: row.isNull(7) ? nil : row.bytes(7), size: Int(row.integer(5)),
            sha256: row.text(6) ?? "", key: row.text(0) ?? "")
    }
}
