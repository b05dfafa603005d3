internal import EventLog
internal import Events
internal import JSON
internal import Kafka
internal import Synchronization

/// Finds events in a log that can only be read in order: by going back through it, for as long as that is bearable.
final class KafkaIndex: Sendable {
    private let parts: ReadingParts
    private let topics: TopicAdministration
    private let ranges: RangeReader

    /// Receiving clocks differ a little.
    private static let clockStepMs: Int64 = 600_000
    private static let patience = Duration.seconds(60)
    private static let patienceOfPage = Duration.seconds(5)

    init(_ parts: ReadingParts, _ topics: TopicAdministration) {
        self.parts = parts
        self.topics = topics
        ranges = RangeReader(parts.kafka)
    }

    func close() { ranges.close() }

    /// Before the first record received at a time or later, in all partitions there are.
    func offsets(at timeMs: Int64) throws(LogFailure) -> [Int32: Int64] {
        let partitions = topics.partitions
        do throws(KafkaFailure) {
            let found = try parts.admin.offsets(
                at: max(0, timeMs), of: partitions.map { parts.layout.topicPartition($0) })
            var offsets: [Int32: Int64] = [:]
            for partition in partitions { offsets[partition] = found[parts.layout.topicPartition(partition)] }
            return offsets
        } catch {
            throw LogFailure(.unavailable, "the log cannot be asked for a time: \(error.message)")
        }
    }

    // MARK: listing

    func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord] {
        try all(filter, limit: limit, what: "these events").reversed()
    }

    func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage {
        var page = try begin(filter, before: position)
        let deadline = ContinuousClock.now + Self.patienceOfPage
        var found: [LogRecord] = []
        var bytes = 0
        var looked = 0
        while found.count < limit, bytes < maximumBytes, looked < max(scanning, 1), ContinuousClock.now < deadline {
            guard let record = try page.scan.next() else { break }
            looked += 1
            guard filter.matches(record) else { continue }
            found.append(record)
            bytes += record.payload.count
        }
        for (partition, offset) in page.scan.positions { page.end.offsets[Int(partition)] = offset }
        return EventPage(records: found, next: page.scan.isAtEnd ? nil : page.end)
    }

    /// Everything that matches, newest first, an event that stands in the log twice once.
    private func all(_ filter: EventFilter, limit: Int, what: String) throws(LogFailure) -> [LogRecord] {
        var scan = try begin(filter, before: nil).scan
        let deadline = ContinuousClock.now + Self.patience
        var found: [LogRecord] = []
        var ids: Set<EventID> = []
        var looked = 0
        while found.count < limit, let record = try scan.next() {
            looked += 1
            if filter.matches(record), ids.insert(record.id).inserted { found.append(record) }
            guard ContinuousClock.now < deadline else {
                throw LogFailure(
                    .unavailable,
                    "in 60 s only the newest \(looked) events of the log could be gone through for \(what): narrow it "
                        + "by a time or a type")
            }
        }
        return found
    }

    /// - Parameter position: nil: the end.
    private func begin(
        _ filter: EventFilter, before position: LogPosition?
    ) throws(LogFailure) -> (scan: BackwardScan, end: LogPosition) {
        let (beginning, head) = parts.ends.both
        var end = position ?? LogPosition(offsets: head)
        guard end.offsets.count == head.count else {
            throw LogFailure(.unknownPosition, "the position \(end) is of another log")
        }
        for index in head.indices { end.offsets[index] = min(max(end.offsets[index], 0), head[index]) }
        let since = try filter.sinceMs.map { time throws(LogFailure) in try offsets(at: time - Self.clockStepMs) }
        let until = try filter.untilMs.map { time throws(LogFailure) in try offsets(at: time + Self.clockStepMs) }
        var bounds: [Int32: Range<Int64>] = [:]
        for partition in topics.partitions where isLookedAt(partition, filter) {
            let index = Int(partition)
            let oldest = max(beginning[index], since?[partition] ?? 0)
            let newest = min(end.offsets[index], until?[partition] ?? .max)
            if oldest < newest { bounds[partition] = oldest..<newest }
        }
        return (BackwardScan(parts, ranges, bounds), end)
    }

    private func isLookedAt(_ partition: Int32, _ filter: EventFilter) -> Bool {
        let type = parts.layout.type(of: partition)
        if type.isSystem, !filter.includesSystem { return false }
        return filter.types.map { $0.contains(type.rawValue) } ?? true
    }

    // MARK: by what they are

    func lookup(_ id: EventID) throws(LogFailure) -> LogRecord? {
        var filter = EventFilter()
        filter.includesSystem = true
        filter.predicate = { $0.id == id }
        return try all(filter, limit: 1, what: "the event \(id.hex)").first
    }

    func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord] {
        let parser = Mutex(JSONParser())
        var filter = EventFilter()
        filter.predicate = { record in
            parser.withLock { parser in
                (try? EventView(parsing: record.payload, with: parser)).map { person.isMeant(by: $0) } ?? false
            }
        }
        return try all(filter, limit: .max, what: "a person's events").reversed()
    }

    // MARK: quarantine

    /// - Parameter sinceMs: records received before may be left out.
    func forEachQuarantined(
        sinceMs: Int64?, _ body: (QuarantinedElement) -> Void
    ) throws(LogFailure) {
        let topic = StateTopics(prefix: parts.layout.prefix).quarantine
        guard topics.isPresent(topic) else { return }
        let place = TopicPartition(topic: topic, partition: 0)
        do throws(KafkaFailure) {
            guard let ends = try parts.admin.ends(of: [place])[place] else { return }
            let start = try sinceMs.map { time throws(KafkaFailure) in
                try parts.admin.offsets(at: max(0, time - Self.clockStepMs), of: [place])[place] ?? ends.low
            }
            let first = max(ends.low, start ?? ends.low)
            guard first < ends.high else { return }
            try ranges.read([place: first..<ends.high]) { message in
                if let element = QuarantineCodec.decode(message) { body(element) }
            }
        } catch {
            throw LogFailure(.unavailable, "the quarantine cannot be read: \(error.message)")
        }
    }
}

extension PersonKey {
    fileprivate func isMeant(by event: EventView) -> Bool {
        switch self {
        case .visitorID(let id): event.attribute("subject") == "visitor/" + String(decoding: id, as: UTF8.self)
        case .returningID(let id): event.text(.visitorReturningID) == String(decoding: id, as: UTF8.self)
        case .email(let address):
            event.text(.visitorEmail).map { Self.lowercased(Array($0.utf8)) == Self.lowercased(address) } ?? false
        }
    }

    private static func lowercased(_ text: [UInt8]) -> [UInt8] {
        text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}
