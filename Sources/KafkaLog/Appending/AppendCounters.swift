internal import EventLog
internal import Events

/// What the log counts since it was opened.
struct AppendCounters: Sendable {
    private(set) var statistics = LogStatistics()

    /// Upper bounds of the times to an acknowledgement, in microseconds, as the embedded log has them.
    private static let bounds: [Int64] = [250, 500, 1000, 2000, 5000, 10_000, 25_000, 100_000, 1_000_000]

    init() {
        let bounds: [Int64?] = Self.bounds + [nil]
        statistics.commitMicroseconds = bounds.map { LogStatistics.CommitTimes(atMost: $0, count: 0) }
    }

    /// An item became durable.
    mutating func accepted(_ item: LogItem) {
        switch item {
        case .event(let record) where LogRecord.isSystem(record.type): statistics.system += 1
        case .event(let record):
            statistics.sources[record.source, default: .init()].accepted += 1
            statistics.sources[record.source]?.lastAcceptedMs = record.receivedAtMs
        case .quarantined(let element): statistics.sources[element.source, default: .init()].quarantined += 1
        }
    }

    /// An element that comes again is counted once, a system event not at all.
    mutating func duplicate(_ item: LogItem) {
        guard case .event(let record) = item, !LogRecord.isSystem(record.type) else { return }
        statistics.sources[record.source, default: .init()].duplicates += 1
    }

    mutating func answered(after nanoseconds: Int64) {
        let microseconds = nanoseconds / 1000
        statistics.commits += 1
        statistics.totalCommitMicroseconds += microseconds
        let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
        statistics.commitMicroseconds[bucket].count += 1
    }
}
