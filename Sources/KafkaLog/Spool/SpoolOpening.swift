internal import EventLog
internal import Glibc
internal import Logging
internal import SQLite

/// Opens the spool's file only when it can be believed: its write-ahead log is walked before SQLite sees it, and the rows
/// are counted.
struct SpoolOpening: Sendable {
    let folder: String
    let lanes: Lanes
    let logger: Logger
    /// Opens a damaged spool with what is left of it.
    let acceptsLoss: Bool
    /// Called before each commit, so that a test can make it fail.
    var beforeCommit: (@Sendable () throws(SQLiteError) -> Void)?

    var path: String { "\(folder)/spool.db" }

    /// Files beyond this size are not read through at the start: each row is checked when it is read.
    private static let readThrough: Int64 = 256 << 20

    /// - Throws: `damaged` unless loss is accepted.
    func open() throws(LogOpenError) -> SpoolFile {
        if case .damaged(let frame, let commits) = try WriteAheadLogCheck.verdict(
            path: path + "-wal", databasePageSize: SpoolFile.pageSize)
        {
            try report("its write-ahead log is damaged at frame \(frame), with \(commits) commits from there on")
        }
        do {
            try Database.rewriteWriteAheadLog(of: path)
            var file = try SpoolFile(path: path)
            if let damage = try file.damage(upTo: Self.readThrough) {
                file.database.keepWriteAheadLogOnClose()
                try report(damage)
                file = try rescued(file)
            }
            try file.assignLanes(lanes)
            try file.database.checkpoint(.truncate)
            return file
        } catch let error as LogOpenError {
            throw error
        } catch let error as SQLiteError where error.code == .damaged {
            try report("SQLite cannot read it: \(error.message)")
            return try fresh()
        } catch let error as SQLiteError where error.code == .full {
            throw LogOpenError(.diskFull, "\(path): the disk is full: make room")
        } catch let error as SQLiteError where error.code == .newerSchema {
            throw LogOpenError(.newerSchema, "\(path): \(error.message)")
        } catch {
            throw LogOpenError(.inaccessible, "\(path): \(error)")
        }
    }

    // MARK: Damage

    private func report(_ reason: String) throws(LogOpenError) {
        guard acceptsLoss else {
            throw LogOpenError(
                .damaged,
                "\(path): events that were acknowledged and had not reached Kafka may be lost: \(reason). Nothing was "
                    + "started and the files are as they were; copy them aside if you want to look at them, then start "
                    + "once with `run --accept-loss` to go on with what can be read")
        }
        logger.error("spool_loss_accepted", reason, ["file": .string(path)])
    }

    /// Moves the damaged file aside and begins a new one with the rows of it that can be read.
    private func rescued(_ damaged: SpoolFile) throws -> SpoolFile {
        var entries: [SpoolEntry] = []
        for (lane, rows) in (try? damaged.lanes()) ?? [:] {
            var next = rows.first
            while let page = try? damaged.load(lane: lane, from: next, limit: 256, maximumBytes: 8 << 20).items,
                let last = page.last
            {
                for row in page {
                    if let item = row.item {
                        entries.append(SpoolEntry(token: UInt64(row.sequence), lane: lane, item: item))
                    }
                }
                next = last.sequence + 1
            }
        }
        entries.sort { $0.token < $1.token }
        let file = try fresh()
        try file.begin()
        for entry in entries { _ = try file.add(entry) }
        try file.commit()
        return file
    }

    /// The files as they are are kept beside the new one.
    private func fresh() throws(LogOpenError) -> SpoolFile {
        let name = "\(path).damaged"
        for suffix in ["-wal", "-shm", ""] where unsafe access(path + suffix, F_OK) == 0 {
            guard unsafe rename(path + suffix, name + suffix) == 0 else {
                throw LogOpenError(.inaccessible, "\(path)\(suffix): cannot be moved aside")
            }
        }
        do {
            return try SpoolFile(path: path)
        } catch {
            throw LogOpenError(.inaccessible, "\(path): \(error)")
        }
    }
}
