package import Events

/// What reads `events.db`, whether it also writes it or not: all reading is the `LogReading`'s.
package protocol EmbeddedLogReader: LogReader, EventIndex {
    var reading: LogReading { get }
}

extension EmbeddedLogReader {
    package func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        try reading.read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
    }

    package var head: LogPosition { reading.head }
    package var beginning: LogPosition { reading.beginning }

    package func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { try reading.position(at: timeMs) }
    package func count(from: LogPosition, to: LogPosition) -> Int64 { reading.count(from: from, to: to) }

    package func lookup(_ id: EventID) throws(LogFailure) -> LogRecord? { try reading.lookup(id) }

    package func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord] {
        try reading.list(filter, newest: limit)
    }

    package func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage {
        try reading.newest(
            filter, before: position, limit: limit, scanning: scanning, maximumBytes: maximumBytes)
    }

    package func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord] { try reading.find(person) }

    package func quarantined(
        source: String?, sinceMs: Int64?, newest limit: Int
    ) throws(LogFailure) -> [QuarantinedElement] {
        try reading.quarantined(source: source, sinceMs: sinceMs, newest: limit)
    }

    package func quarantinedElement(key: String) throws(LogFailure) -> QuarantinedElement? {
        try reading.quarantinedElement(key: key)
    }

    package func quarantined(containing bytes: [UInt8]) throws(LogFailure) -> [QuarantinedElement] {
        try reading.quarantined(containing: bytes)
    }
}
