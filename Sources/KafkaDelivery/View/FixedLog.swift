internal import EventLog

/// A log as it was at one moment: what has come since is beyond its end.
final class FixedLog: LogReader {
    let head: LogPosition
    private let log: any LogReader

    init(_ log: any LogReader, head: LogPosition) {
        self.log = log
        self.head = head
    }

    var beginning: LogPosition { log.beginning }

    func read(from position: LogPosition, maximumRecords: Int, maximumBytes: Int) throws(LogFailure) -> LogBatch {
        try log.read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
    }

    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { try log.position(at: timeMs).lowest(head) }

    func count(from: LogPosition, to: LogPosition) -> Int64 { log.count(from: from, to: to) }
}
