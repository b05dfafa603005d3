package import Events
internal import Glibc
internal import SQLite

/// The files of a stopped instance, read and never written: what commands use while nothing runs. To be opened by the
/// owner of the folder.
package final class SQLiteEventArchive: EmbeddedLogReader {
    package let reading: LogReading

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

    package func statistics() -> LogStatistics {
        var statistics = reading.state.statistics
        let bounds = reading.state.bounds
        statistics.lost = bounds.lost(in: 0..<bounds.next)
        return statistics
    }

    /// Always fails: the files are open for reading.
    @discardableResult
    package func erase(_ id: EventID) throws(LogFailure) -> Bool { throw Self.readOnly }

    /// Always fails: the files are open for reading.
    @discardableResult
    package func eraseQuarantined(key: String) throws(LogFailure) -> Bool { throw Self.readOnly }

    private static let readOnly = LogFailure(
        .unavailable, "no instance is running and the log is open for reading only; start one to remove events")
}
