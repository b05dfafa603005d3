internal import Logging
internal import SQLite

/// Opens `events.db` only when it can be believed: the write-ahead log is walked before SQLite sees it, what was
/// acknowledged is compared with what is there, and damage is copied aside before anything else touches it.
final class LogOpening: Sendable {
    let options: EventLogOptions
    let mark: HeadMark
    let path: String
    private let folder: String
    /// Held for as long as anybody may write.
    private let lock: InstanceLock

    init(folder: String, options: EventLogOptions) throws(LogOpenError) {
        self.folder = folder
        self.options = options
        lock = try InstanceLock(folder: folder, files: options.files)
        mark = try HeadMark(path: "\(folder)/head", files: options.files)
        path = "\(folder)/events.db"
    }

    /// The next sequence as far as anybody outside the file knows it.
    private var expectedNext: Int64 {
        max(mark.read() ?? 1, options.expectedHead?.offsets.first ?? 1)
    }

    /// - Throws: `damaged` unless loss is accepted.
    func open() throws(LogOpenError) -> LogFile {
        let file = try openSound()
        do throws(SQLiteError) {
            // What the write-ahead log holds goes to new places before anything is added to it. So at most one commit is
            // ever unsure, which is what tells a torn tail from damage.
            try file.database.checkpoint(.truncate)
        } catch {
            throw Self.openError(error, path)
        }
        return file
    }

    private func openSound() throws(LogOpenError) -> LogFile {
        let expectedNext = expectedNext
        if let damage = try damageBeforeOpening() {
            try report(damage, expectedNext: expectedNext)
            options.logger.error("log_loss_accepted", damage.reason)
        }
        var file: LogFile
        do {
            try Database.rewriteWriteAheadLog(of: path, vfs: options.files.vfs)
            file = try openFile()
        } catch let error as SQLiteError where error.code == .damaged {
            try report(LogDamage(reason: "SQLite cannot read it: \(error.message)"), expectedNext: expectedNext)
            try salvage(expectedNext: expectedNext)
            file = try reopenFile()
        } catch {
            throw Self.openError(error, path)
        }
        let found = try damage(of: file, expectedNext: expectedNext)
        guard let first = found.first else { return file }
        if !options.acceptLoss { file.database.keepWriteAheadLogOnClose() }
        try report(first, expectedNext: expectedNext)
        try accept(found, &file, expectedNext: expectedNext)
        return file
    }

    private func openFile() throws -> LogFile {
        try LogFile(path: path, options: options)
    }

    private func reopenFile() throws(LogOpenError) -> LogFile {
        do {
            return try openFile()
        } catch {
            throw Self.openError(error, path)
        }
    }

    static func openError(_ error: any Error, _ path: String) -> LogOpenError {
        switch error {
        case let error as LogOpenError: error
        case let error as SQLiteError where error.code == .newerSchema:
            LogOpenError(.newerSchema, "\(path): \(error.message)")
        case let error as SQLiteError where error.code == .full:
            LogOpenError(.diskFull, "\(path): the disk is full: nothing can be opened for writing; make room")
        case let error as SQLiteError where error.code == .damaged: LogOpenError(.damaged, "\(path): \(error.message)")
        default: LogOpenError(.inaccessible, "\(path): \(error)")
        }
    }

    // MARK: Finding damage

    private func damageBeforeOpening() throws(LogOpenError) -> LogDamage? {
        if !options.files.exists(path) {
            return expectedNext > 1 ? LogDamage(reason: "the file is missing") : nil
        }
        guard
            case .damaged(let frame, let commits) = try WriteAheadLogCheck.verdict(
                path: path + "-wal", databasePageSize: LogFile.pageSize, files: options.files)
        else { return nil }
        return LogDamage(
            reason: "its write-ahead log is damaged at frame \(frame), with \(commits) commits from there on")
    }

    /// What a look at the ends tells; with loss accepted, a look at every record.
    private func damage(of file: LogFile, expectedNext: Int64) throws(LogOpenError) -> [LogDamage] {
        do {
            return try LogInspection(file: file, expectedNext: expectedNext, files: options.files).damage(
                everyRecord: options.acceptLoss)
        } catch let error as SQLiteError where error.code == .damaged {
            return [LogDamage(reason: "SQLite cannot read it: \(error.message)", isStructural: true)]
        } catch {
            throw Self.openError(error, path)
        }
    }

    // MARK: Reporting and accepting

    /// Copies the files aside, and throws unless loss is accepted.
    private func report(_ damage: LogDamage, expectedNext: Int64) throws(LogOpenError) {
        let copy = try DamagedCopy.make(folder: folder, files: options.files)
        guard !options.acceptLoss else { return }
        var damage = damage
        if damage.range == nil, let next = copy?.readableNext, next < expectedNext {
            damage.range = next..<expectedNext
        }
        let range =
            switch damage.range {
            case .some(let range) where range.count == 1: "the record \(range.lowerBound) is lost: "
            case .some(let range): "the records \(range.lowerBound) to \(range.upperBound - 1) are lost: "
            case nil: copy?.readableNext.map { "records from \($0) on may be lost: " } ?? ""
            }
        let kept = copy.map { "the files as they are were copied to \($0.folder); " } ?? ""
        throw LogOpenError(
            .damaged,
            "\(path): \(range)\(damage.reason). Nothing was started; \(kept)"
                + "to go on with what can be read, start once with `run --accept-loss`")
    }

    private func accept(_ damage: [LogDamage], _ file: inout LogFile, expectedNext: Int64) throws(LogOpenError) {
        for loss in damage {
            options.logger.error("log_loss_accepted", loss.reason, ["range": .string(loss.rangeText)])
        }
        do {
            if damage.contains(where: \.isStructural) {
                file.database.keepWriteAheadLogOnClose()
                try salvage(expectedNext: expectedNext)
            } else {
                for case let loss in damage {
                    guard let range = loss.range else { continue }
                    let lost = LossRange(first: range.lowerBound, last: range.upperBound - 1, reason: loss.reason)
                    try file.giveUp(lost, nowMs: options.now())
                }
            }
            file = try openFile()
        } catch {
            throw Self.openError(error, path)
        }
    }

    private func salvage(expectedNext: Int64) throws(LogOpenError) {
        do {
            try LogSalvage(path: path, expectedNext: expectedNext, options: options).run()
        } catch {
            throw Self.openError(error, path)
        }
    }
}

/// Something that is not as it was acknowledged.
struct LogDamage: Equatable {
    /// The sequences concerned, where they are known.
    var range: Range<Int64>?
    var reason: String
    /// The file's own structure is broken, so that it has to be written anew.
    var isStructural = false

    init(range: Range<Int64>? = nil, reason: String, isStructural: Bool = false) {
        self.range = range
        self.reason = reason
        self.isStructural = isStructural
    }

    var rangeText: String { range.map { "\($0.lowerBound)-\($0.upperBound - 1)" } ?? "unknown" }
}
