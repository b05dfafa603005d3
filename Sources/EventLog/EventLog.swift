/// Reading a log of events: positions are opaque vectors, and there is no total order.
package protocol LogReader: AnyObject, Sendable {
    /// Reads on from a position, in order within each partition; partitions that the position leaves out are not read,
    /// and stay left out. Empty at the end.
    /// - Parameters:
    ///   - maximumRecords: at most; the log may give fewer.
    ///   - maximumBytes: of payload, except that one record is given however large it is.
    /// - Throws: `expired` below `beginning`, `unknownPosition` beyond `head`, `damaged` naming the record, when it is
    ///   the first that would be given: what is sound before it is given first.
    func read(from position: LogPosition, maximumRecords: Int, maximumBytes: Int) throws(LogFailure) -> LogBatch
    /// Beyond the last durable record.
    var head: LogPosition { get }
    /// Before the oldest record that is kept.
    var beginning: LogPosition { get }
    /// Before the oldest record received at `timeMs` or later; `head` when there is none. As exact as the receiving
    /// clock was steady.
    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition
    /// Records between two positions, exactly, those that were lost among them; 0 when `to` is not beyond `from`, and of
    /// a partition that either of them leaves out.
    func count(from: LogPosition, to: LogPosition) -> Int64
    /// One record; nil when it is not there any more.
    func record(at place: RecordPlace) throws(LogFailure) -> LogRecord?
}

extension LogReader {
    package func record(at place: RecordPlace) throws(LogFailure) -> LogRecord? {
        var position = LogPosition.none(count: head.offsets.count)
        position.offsets[Int(place.partition)] = place.offset
        do throws(LogFailure) {
            while !position.isPast(place) {
                let batch = try read(from: position, maximumRecords: 1, maximumBytes: 1)
                if let found = batch.records.first(where: { $0.place == place }) { return found }
                guard batch.next != position else { return nil }
                position = batch.next
            }
            return nil
        } catch {
            guard error.code == .expired else { throw error }
            return nil
        }
    }
}

/// A durable log of events that recognises repeats.
package protocol EventLog: LogReader {
    /// Appends a batch. The completion is called once, from a thread of the log's that it must not block (or, for what
    /// is refused at once, from the caller's before this returns): with one outcome a record, in order, when all of them
    /// are durable, and with a failure when that is not certain; then some of them may have been kept, and sent again
    /// they are duplicates. A duplicate waits for the commit of what it repeats and shares its fate.
    func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void)
    /// Calls back after records have become readable, from a thread of the log's that must not be blocked. There may be
    /// one call for many records.
    func onAppend(_ callback: @escaping @Sendable () -> Void)
    /// Lets retention remove what lies below the position the closure gives, which is asked for from a thread of the
    /// log's and must answer at once. Until this is called nothing is removed.
    func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition)
    func statistics() -> LogStatistics
    /// Of one record's payload, in bytes: a larger one would be refused however often it came.
    var maximumPayloadBytes: Int { get }
}

extension EventLog {
    package var maximumPayloadBytes: Int { .max }
}

/// What a log counts. Counters are since the log's creation and survive a kill.
package struct LogStatistics: Sendable, Equatable {
    /// Of one source.
    package struct Source: Sendable, Equatable {
        package var accepted: Int64 = 0
        package var duplicates: Int64 = 0
        package var quarantined: Int64 = 0
        /// `receivedAtMs` of the last accepted event.
        package var lastAcceptedMs: Int64?

        package init() {}
    }

    /// Commits that took no longer than a bound, and longer than the bound before.
    package struct CommitTimes: Sendable, Equatable {
        /// Microseconds, sync included; nil for the last, which has no bound.
        package var atMost: Int64?
        package var count: Int64

        package init(atMost: Int64?, count: Int64) {
            self.atMost = atMost
            self.count = count
        }
    }

    /// By name. `system.…` events are in none.
    package var sources: [String: Source] = [:]
    /// Accepted events of no known source: they were lost together with the commit that counted them.
    package private(set) var unattributed: Int64 = 0
    /// `system.…` events appended.
    package var system: Int64 = 0
    /// Records given up by `acceptLoss`, or erased by nobody and unreadable.
    package var lost: Int64 = 0
    /// Space in use.
    package var bytes: Int64 = 0
    /// Space that may be used; nil without a bound.
    package var maximumBytes: Int64?
    package var walBytes: Int64 = 0
    /// Batches that wait to be committed.
    package var queuedBatches: Int = 0
    package var commits: Int64 = 0
    /// How long commits took, by rising bounds.
    package var commitMicroseconds: [CommitTimes] = []
    package var totalCommitMicroseconds: Int64 = 0
    /// Why nothing can be appended at present; nil when it can.
    package var unavailable: LogFailure?
    /// What was found damaged, for people.
    package var damage: [String] = []

    package init() {}

    package var accepted: Int64 { sources.values.reduce(unattributed) { $0 + $1.accepted } }
    package var duplicates: Int64 { sources.values.reduce(0) { $0 + $1.duplicates } }
    package var quarantined: Int64 { sources.values.reduce(0) { $0 + $1.quarantined } }

    /// Every event was given a place of its own, so that these tell how many there were.
    package mutating func attribute(_ places: Int64) {
        unattributed = 0
        unattributed = max(0, places - accepted - system)
    }
}
