internal import EventLog

/// Records of one partition that were read ahead.
struct PartitionBuffer {
    struct Held {
        let record: LogRecord
        /// Counted over all partitions of a reader.
        let arrival: UInt64

        var cost: Int { record.payload.count + 256 }
    }

    /// Between them every record is here.
    private(set) var start: Int64
    private(set) var end: Int64
    /// Somebody has got the records before it.
    private(set) var consumed: Int64
    private(set) var wantedAt: ContinuousClock.Instant
    /// Why it does not go on.
    var failure: LogFailure?
    private var held: [Held] = []
    private var first = 0

    init(at offset: Int64) {
        start = offset
        end = offset
        consumed = offset
        wantedAt = .now
    }

    /// Records here, and how many bytes they take.
    private(set) var count = 0
    private(set) var bytes = 0
    var hasUnread: Bool { count > 0 && consumed < end }

    /// - Returns: false for a record that is not the next one.
    mutating func append(_ record: LogRecord, arrival: UInt64) -> Bool {
        guard record.place.offset >= end else { return false }
        let new = Held(record: record, arrival: arrival)
        held.append(new)
        count += 1
        bytes += new.cost
        end = record.place.offset + 1
        return true
    }

    /// There is nothing more before this offset.
    mutating func reach(_ offset: Int64) {
        end = max(end, offset)
    }

    /// Where the first record at or beyond an offset stands.
    func index(of offset: Int64) -> Int {
        var (low, high) = (first, held.count)
        while low < high {
            let middle = (low + high) / 2
            if held[middle].record.place.offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Nil beyond the last.
    func record(at index: Int) -> Held? { index < held.count ? held[index] : nil }

    mutating func want(at now: ContinuousClock.Instant) { wantedAt = now }

    mutating func consume(before offset: Int64) { consumed = max(consumed, min(offset, end)) }

    /// Lets go of what somebody has got.
    mutating func dropConsumed() {
        guard start < consumed else { return }
        let kept = index(of: consumed)
        for position in first..<kept { bytes -= held[position].cost }
        count -= kept - first
        first = kept
        start = consumed
        guard first * 2 > held.count else { return }
        held.removeFirst(first)
        first = 0
    }
}
