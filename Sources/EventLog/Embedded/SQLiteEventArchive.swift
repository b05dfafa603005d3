package import Events
internal import Glibc
internal import SQLite

/// The files of a stopped instance, read and never written: what commands use while nothing runs. To be opened by the
/// owner of the folder.
package final class SQLiteEventArchive: LogReader, EventIndex {
    private let reading: LogReading

    /// - Throws: `inaccessible` when there is no log in the folder, `damaged` when its write-ahead log is.
    package static func openReadOnly(folder: String) throws(LogOpenError) -> SQLiteEventArchive {
        let path = "\(folder)/events.db"
        guard unsafe access(path, F_OK) == 0 else {
            throw LogOpenError(.inaccessible, "\(path): there is no log here; is `data:` the folder that was used?")
        }
        if case .damaged(let frame, let commits) = try WriteAheadLogCheck.verdict(
            path: path + "-wal", databasePageSize: LogFile.pageSize)
        {
            throw LogOpenError(
                .damaged,
                "\(path): its write-ahead log is damaged at frame \(frame), with \(commits) commits from there on; "
                    + "`run` tells what is lost and how to go on")
        }
        do {
            return try SQLiteEventArchive(path: path)
        } catch {
            throw LogOpening.openError(error, path)
        }
    }

    private init(path: String) throws {
        let database = try Database(path: path, mode: .readOnly)
        _ = try database.schemaVersion(newest: LogSchema.migrations.count)
        let content = try LogContent(database)
        let state = LogState(
            bounds: LogState.Bounds(beginning: content.beginning, next: content.next, losses: content.losses))
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        state.update {
            $0.sources = content.sources
            $0.system = content.system
            $0.attribute(content.next - 1)
            $0.bytes = (pages - free) * Int64(LogFile.pageSize)
        }
        reading = LogReading(
            pool: ReaderPool(path: path, maximum: 2), state: state, personHash: PersonHash(key: content.personKey))
    }

    package func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        try reading.read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
    }

    package var head: LogPosition { reading.head }
    package var beginning: LogPosition { reading.beginning }
    package func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { try reading.position(at: timeMs) }
    package func count(from: LogPosition, to: LogPosition) -> Int64 { reading.count(from: from, to: to) }

    package func statistics() -> LogStatistics {
        var statistics = reading.state.statistics
        let bounds = reading.state.bounds
        statistics.lost = bounds.lost(in: 0..<bounds.next)
        return statistics
    }

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

    /// Always fails: the files are open for reading.
    @discardableResult
    package func erase(_ id: EventID) throws(LogFailure) -> Bool { throw Self.readOnly }

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

    /// Always fails: the files are open for reading.
    @discardableResult
    package func eraseQuarantined(key: String) throws(LogFailure) -> Bool { throw Self.readOnly }

    private static let readOnly = LogFailure(
        .unavailable, "no instance is running and the log is open for reading only; start one to remove events")
}
