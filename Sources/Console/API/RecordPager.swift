internal import Delivery
internal import EventLog
internal import Events
internal import JSON
internal import Rules

/// Pages of an instance's records, forward or back, each of bounded work: a page may hold fewer items than asked for, even
/// none, and yet have a next one.
struct RecordPager: Sendable {
    let log: any LogReader & EventIndex
    let store: DeliveryStore

    /// Records looked at for one page.
    static let scanning = 20_000
    /// Bytes of events in one page; one event is given however large it is.
    static let pageBytes = 4 << 20
    /// Records of one step.
    private static let stepRecords = 500
    private static let stepBytes = 1 << 20

    // MARK: events

    func events(_ filter: EventFilter, isNewestFirst: Bool, from cursor: String?, limit: Int) throws -> RecordPage {
        let position = try cursor.map { text throws(APIProblem) in
            guard let position = LogPosition(text) else { throw .query("the cursor is not one of ours") }
            return position
        }
        do {
            return isNewestFirst
                ? try newest(filter, before: position, limit)
                : try oldest(filter, from: position ?? filter.sinceMs.map(log.position) ?? log.beginning, limit)
        } catch let failure as LogFailure where failure.code == .expired {
            throw APIProblem.cursorExpired
        } catch let failure as LogFailure where failure.code == .unknownPosition {
            throw APIProblem.query("the cursor is not one of this instance's")
        }
    }

    private func newest(_ filter: EventFilter, before position: LogPosition?, _ limit: Int) throws -> RecordPage {
        let page = try log.newest(
            filter, before: position, limit: limit, scanning: Self.scanning, maximumBytes: Self.pageBytes)
        return RecordPage(lines: page.records.map(\.payload), next: page.next?.description)
    }

    private func oldest(_ filter: EventFilter, from start: LogPosition, _ limit: Int) throws -> RecordPage {
        let page = try following(filter, from: start, limit)
        return RecordPage(lines: page.lines, next: page.position == log.head ? nil : page.position.description)
    }

    /// Events from a position on, and the position after what was looked at.
    func following(
        _ filter: EventFilter, from start: LogPosition, _ limit: Int
    ) throws -> (lines: [[UInt8]], position: LogPosition) {
        var lines: [[UInt8]] = []
        var position = start
        var bytes = 0
        var scanned = 0
        while scanned < Self.scanning, lines.count < limit, bytes < Self.pageBytes {
            let batch = try log.readPatiently(
                from: position, maximumRecords: Self.stepRecords, maximumBytes: Self.stepBytes)
            guard batch.next != position else { break }
            var looked = 0
            // A page that is full inside a batch goes on behind the last record it looked at.
            var behind = position
            for record in batch.records where lines.count < limit && bytes < Self.pageBytes {
                looked += 1
                behind.offsets[Int(record.place.partition)] = record.place.offset + 1
                guard filter.matches(record) else { continue }
                lines.append(record.payload)
                bytes += record.payload.count
            }
            scanned += max(looked, 1)
            position = looked < batch.records.count ? behind : batch.next
        }
        return (lines, position)
    }

    // MARK: deliveries and refusals

    func deliveries(
        _ filter: DeliveryFilter, _ condition: EventCondition?, targets: Set<String>?, isNewestFirst: Bool,
        from cursor: String?, limit: Int
    ) throws -> RecordPage {
        let page =
            isNewestFirst
            ? try store.deliveries(filter, before: cursor, limit: limit)
            : try store.deliveries(filter, after: cursor, limit: limit)
        return RecordPage(lines: try lines(page.rows, condition, targets), next: page.next)
    }

    private func lines(
        _ rows: [DeliveryRow], _ condition: EventCondition?, _ targets: Set<String>?
    ) throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for row in rows where targets?.contains(row.target) ?? true {
            if let condition, try !condition.takes(log.lookup(row.event)) { continue }
            lines.append(Self.line { row.appendJSON(to: &$0) })
        }
        return lines
    }

    func refusals(
        source: String?, sinceMs: Int64?, isNewestFirst: Bool, from cursor: String?, limit: Int
    ) throws -> RecordPage {
        let page =
            isNewestFirst
            ? try store.refusals(source: source, sinceMs: sinceMs, before: cursor, limit: limit)
            : try store.refusals(source: source, sinceMs: sinceMs, after: cursor, limit: limit)
        return RecordPage(lines: page.entries.map { entry in Self.line { entry.appendJSON(to: &$0) } }, next: page.next)
    }

    static func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }
}
