package import Delivery
internal import JSON

/// What is committed beside the offset of one partition of the log: how the deliveries of one target stand there. Whoever
/// sums it over the partitions has the target's accounts.
package struct CommitMetadata: Sendable, Hashable {
    /// Where the target began in this partition.
    package var start: Int64
    /// When the target was first seen, milliseconds since 1970 UTC.
    package var createdAtMs: Int64
    /// The effects of every record of the retry and dead-letter topics up to this one are in the counters.
    package var stamp: RecordStamp
    package var counters: TargetCounters
    /// Offsets before the committed one that are neither finished nor in the open set, rising.
    package var holes: [Int64]

    package init(
        start: Int64, createdAtMs: Int64, stamp: RecordStamp = .none, counters: TargetCounters = TargetCounters(),
        holes: [Int64] = []
    ) {
        self.start = start
        self.createdAtMs = createdAtMs
        self.stamp = stamp
        self.counters = counters
        self.holes = holes
    }

    /// Brokers take 4 096 bytes (`offset.metadata.max.bytes`).
    package static let maximumBytes = 3500
    /// More than a text of that size can mean by good will.
    static let maximumHoles = 65_536

    private static let counts: [(name: StaticString, value: any Sendable & WritableKeyPath<TargetCounters, Int64>)] = [
        ("d", \.delivered), ("f", \.filtered), ("x", \.dead), ("c", \.discarded), ("e", \.expired), ("k", \.skipped),
        ("y", \.system),
    ]

    /// - Parameter position: the committed offset.
    /// - Returns: nil when it is longer than brokers take.
    package func encoded(position: Int64) -> String? {
        guard holes.count <= Self.maximumHoles else { return nil }
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        json.member("v", 1)
        json.member("s", start)
        json.member("t", createdAtMs)
        json.member("r", stamp)
        for count in Self.counts where counters[keyPath: count.value] != 0 {
            json.member(count.name, counters[keyPath: count.value])
        }
        if counters.refused != RefusedCounts() { json.member("q", counters.refused.text) }
        if !holes.isEmpty { json.member("h", OffsetRuns.encode(holes, before: position)) }
        json.endObject()
        guard json.bytes.count <= Self.maximumBytes else { return nil }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// - Parameter position: the committed offset.
    package init(_ text: String, position: Int64, _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(Array(text.utf8))
        let version = try fields.integer("v")
        guard version == 1 else {
            throw StateRecordError("it is of version \(version): a newer Gatehouse has written it")
        }
        start = try fields.integer("s")
        createdAtMs = try fields.integer("t")
        stamp = fields.stamp("r")
        counters = TargetCounters()
        for count in Self.counts { counters[keyPath: count.value] = fields.optionalInteger(count.name) ?? 0 }
        counters.refused = RefusedCounts(fields.optionalText("q") ?? "")
        holes = []
        if let text = fields.optionalText("h") {
            guard let decoded = OffsetRuns.decode(text, before: position, maximum: Self.maximumHoles) else {
                throw fields.missing("h")
            }
            holes = decoded
        }
    }
}

/// Rising offsets as text: runs `distance` or `distance-length`, with commas, in base 36. The first distance is down from
/// the position, the others up from the end of the run before.
enum OffsetRuns {
    static func encode(_ offsets: [Int64], before position: Int64) -> String {
        var text = ""
        var end: Int64?
        var index = 0
        while index < offsets.count {
            let first = offsets[index]
            var length: Int64 = 1
            while index + 1 < offsets.count, offsets[index + 1] == first + length {
                index += 1
                length += 1
            }
            index += 1
            if !text.isEmpty { text += "," }
            text += String(end.map { first - $0 } ?? position - first, radix: 36)
            if length > 1 { text += "-" + String(length, radix: 36) }
            end = first + length
        }
        return text
    }

    /// Nil when it is no such text, or means more offsets than `maximum`, or others than such before the position.
    static func decode(_ text: String, before position: Int64, maximum: Int) -> [Int64]? {
        var offsets: [Int64] = []
        var end: Int64?
        for run in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = run.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let distance = Int64(parts[0], radix: 36), distance >= (end == nil ? 1 : 0),
                distance <= position, let length = parts.count == 1 ? 1 : Int64(parts[1], radix: 36),
                length >= 1, Int64(offsets.count) + length <= Int64(maximum)
            else { return nil }
            let first = end.map { $0 + distance } ?? position - distance
            guard first >= 0, first + length <= position else { return nil }
            offsets.append(contentsOf: first..<first + length)
            end = first + length
        }
        return offsets
    }
}
