package import Events
internal import Synchronization

/// A log in memory, of several partitions, that passes the same conformance suite as the durable ones: for tests and
/// simulations. Its order is Kafka's: by key within a partition, none between partitions.
package final class MemoryEventLog: EventLog, EventIndex {
    private struct Partition {
        var first: Int64 = 0
        var records: [LogRecord] = []
        var people: [[PersonKey]] = []

        var end: Int64 { first + Int64(records.count) }
    }

    private struct Held {
        let batch: AppendBatch
        let completion: @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    }

    private typealias Results = [Result<[AppendOutcome], LogFailure>]

    private struct Content {
        var partitions: [Partition]
        var places: [EventID: RecordPlace] = [:]
        var quarantine: [QuarantinedElement] = []
        var statistics = LogStatistics()
        var callbacks: [@Sendable () -> Void] = []
        var lowestUnfinished: (@Sendable () -> LogPosition)?
        var failure: LogFailure?
        var isHolding = false
        var held: [Held] = []
    }

    private let content: Mutex<Content>

    package init(partitions: Int = 3) {
        content = Mutex(Content(partitions: Array(repeating: Partition(), count: partitions)))
    }

    // MARK: EventLog

    package func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) {
        let isHeld = content.withLock { content in
            if content.isHolding { content.held.append(Held(batch: batch, completion: completion)) }
            return content.isHolding
        }
        if !isHeld { commit([Held(batch: batch, completion: completion)]) }
    }

    /// One commit for all of them: they succeed or fail together.
    private func commit(_ held: [Held]) {
        guard !held.isEmpty else { return }
        let (results, callbacks) = content.withLock { content -> (Results, [@Sendable () -> Void]) in
            if let failure = content.failure {
                return (held.map { _ in .failure(failure) }, [])
            }
            content.statistics.commits += 1
            return (held.map { .success(Self.write($0.batch, &content)) }, content.callbacks)
        }
        for (held, result) in zip(held, results) { held.completion(result) }
        for callback in callbacks { callback() }
    }

    private static func write(_ batch: AppendBatch, _ content: inout Content) -> [AppendOutcome] {
        for element in batch.quarantined where !content.quarantine.contains(where: { $0.key == element.key }) {
            content.quarantine.append(element)
            content.statistics.sources[element.source, default: LogStatistics.Source()].quarantined += 1
        }
        return batch.records.map { record in
            precondition(!record.payload.isEmpty, "an empty payload stands for an erased record")
            let isSystem = LogRecord.isSystem(record.type)
            guard content.places[record.id] == nil else {
                if !isSystem { content.statistics.sources[record.source, default: .init()].duplicates += 1 }
                return .duplicate
            }
            if isSystem {
                content.statistics.system += 1
            } else {
                content.statistics.sources[record.source, default: .init()].accepted += 1
                content.statistics.sources[record.source]?.lastAcceptedMs = record.receivedAtMs
            }
            return .appended(place(record, &content))
        }
    }

    private static func place(_ record: NewRecord, _ content: inout Content) -> RecordPlace {
        let hash = record.partitionKey.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let partition = Int(hash % UInt32(content.partitions.count))
        let place = RecordPlace(partition: Int32(partition), offset: content.partitions[partition].end)
        content.partitions[partition].records.append(
            LogRecord(
                place: place, id: record.id, type: record.type, receivedAtMs: record.receivedAtMs,
                source: record.source, verifiedBy: record.verifiedBy, payload: record.payload))
        content.partitions[partition].people.append(people(record))
        content.places[record.id] = place
        content.statistics.bytes += Int64(record.payload.count)
        return place
    }

    private static func people(_ record: NewRecord) -> [PersonKey] {
        [
            record.visitorID.map { .visitorID($0) }, record.returningID.map { .returningID($0) },
            record.email.map { .email(lowered($0)) },
        ].compactMap { $0 }
    }

    private static func lowered(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    package func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        let partitions = content.withLock { $0.partitions }
        guard position.offsets.count == partitions.count else {
            throw LogFailure(.unknownPosition, "the position \(position) is of another log")
        }
        var next = position
        var records: [LogRecord] = []
        var bytes = 0
        for (index, partition) in partitions.enumerated() where position.offsets[index] != LogPosition.unread {
            guard position.offsets[index] >= partition.first else {
                throw LogFailure(.expired, "records before \(partition.first) of partition \(index) were removed")
            }
            guard position.offsets[index] <= partition.end else {
                throw LogFailure(.unknownPosition, "\(position.offsets[index]) is beyond the end, \(partition.end)")
            }
            while next.offsets[index] < partition.end, records.count < maximumRecords {
                let record = partition.records[Int(next.offsets[index] - partition.first)]
                if !records.isEmpty, bytes + record.payload.count > maximumBytes { break }
                bytes += record.payload.count
                records.append(record)
                next.offsets[index] += 1
            }
        }
        return LogBatch(records: records, next: next)
    }

    package var head: LogPosition { content.withLock { LogPosition(offsets: $0.partitions.map(\.end)) } }
    package var beginning: LogPosition { content.withLock { LogPosition(offsets: $0.partitions.map(\.first)) } }

    package func position(at timeMs: Int64) throws(LogFailure) -> LogPosition {
        content.withLock { content in
            LogPosition(
                offsets: content.partitions.map { partition in
                    partition.records.firstIndex { $0.receivedAtMs >= timeMs }
                        .map { partition.first + Int64($0) } ?? partition.end
                })
        }
    }

    package func count(from: LogPosition, to: LogPosition) -> Int64 {
        zip(from.offsets, to.offsets).reduce(0) { sum, pair in
            let (from, to) = pair
            return from == LogPosition.unread || to == LogPosition.unread ? sum : sum + max(0, to - from)
        }
    }

    package func onAppend(_ callback: @escaping @Sendable () -> Void) {
        content.withLock { $0.callbacks.append(callback) }
    }

    package func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition) {
        content.withLock { $0.lowestUnfinished = lowestUnfinished }
    }

    package func statistics() -> LogStatistics { content.withLock { $0.statistics } }

    // MARK: What a test may do to it

    /// Every append fails so from now on; nil ends it.
    package func fail(with failure: LogFailure?) {
        content.withLock { $0.failure = failure }
    }

    /// Appends wait from now on, as if for one commit.
    package func hold() {
        content.withLock { $0.isHolding = true }
    }

    /// Commits what was held, all of it together.
    package func release() {
        let held = content.withLock { content in
            defer { content.held = [] }
            content.isHolding = false
            return content.held
        }
        commit(held)
    }

    /// Appends a record again, as another instance might have, told as a repeat.
    package func repeatRecord(_ id: EventID) {
        content.withLock { content in
            guard let place = content.places[id] else { return }
            let partition = Int(place.partition)
            var record = content.partitions[partition].records[Int(place.offset - content.partitions[partition].first)]
            record.place.offset = content.partitions[partition].end
            record.isRepeat = true
            content.partitions[partition].records.append(record)
            content.partitions[partition].people.append([])
        }
    }

    /// Removes records received before `timeMs`, as far as they are finished. Their ids stay known.
    package func expire(beforeMs timeMs: Int64) {
        guard let limit = content.withLock({ $0.lowestUnfinished })?() else { return }
        content.withLock { content in
            for index in content.partitions.indices {
                let partition = content.partitions[index]
                let count = partition.records.prefix {
                    $0.receivedAtMs < timeMs && limit.isPast($0.place)
                }.count
                content.partitions[index].records.removeFirst(count)
                content.partitions[index].people.removeFirst(count)
                content.partitions[index].first += Int64(count)
            }
        }
    }

    // MARK: EventIndex

    package func lookup(_ id: EventID) throws(LogFailure) -> LogRecord? {
        content.withLock { content in
            guard let place = content.places[id] else { return nil }
            let partition = content.partitions[Int(place.partition)]
            guard place.offset >= partition.first else { return nil }
            return partition.records[Int(place.offset - partition.first)]
        }
    }

    package func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord] {
        let all = content.withLock { $0.partitions.flatMap(\.records) }
        return Array(all.filter(filter.matches).sorted { $0.receivedAtMs < $1.receivedAtMs }.suffix(limit))
    }

    package func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage {
        let end = position ?? head
        let older = content.withLock { $0.partitions.flatMap(\.records) }.filter { end.isPast($0.place) }
        let looked = older.sorted { $0.receivedAtMs < $1.receivedAtMs }.suffix(max(scanning, 1)).reversed()
        var found: [LogRecord] = []
        var next = end
        var bytes = 0
        var count = 0
        for record in looked where found.count < limit && bytes < maximumBytes {
            count += 1
            let partition = Int(record.place.partition)
            next.offsets[partition] = min(record.place.offset, next.offsets[partition])
            guard filter.matches(record) else { continue }
            found.append(record)
            bytes += record.payload.count
        }
        return EventPage(records: found, next: count < older.count ? next : nil)
    }

    package func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord] {
        var person = person
        if case .email(let bytes) = person { person = .email(Self.lowered(bytes)) }
        return content.withLock { content in
            content.partitions.flatMap { partition in
                zip(partition.records, partition.people).compactMap { $1.contains(person) && !$0.isErased ? $0 : nil }
            }
        }
    }

    @discardableResult
    package func erase(_ id: EventID) throws(LogFailure) -> Bool {
        content.withLock { content in
            guard let place = content.places[id] else { return false }
            let index = Int(place.partition)
            let offset = Int(place.offset - content.partitions[index].first)
            guard offset >= 0, !content.partitions[index].records[offset].isErased else { return false }
            content.partitions[index].records[offset].payload = []
            content.partitions[index].people[offset] = []
            return true
        }
    }

    package func quarantined(
        source: String?, sinceMs: Int64?, newest limit: Int
    ) throws(LogFailure) -> [QuarantinedElement] {
        let all = content.withLock { $0.quarantine }
        let wanted = all.filter { (source ?? $0.source) == $0.source && $0.receivedAtMs >= (sinceMs ?? .min) }
        return wanted.suffix(limit).map(\.withoutBytes)
    }

    package func quarantinedElement(key: String) throws(LogFailure) -> QuarantinedElement? {
        content.withLock { $0.quarantine.first { $0.key == key } }
    }

    package func quarantined(containing bytes: [UInt8]) throws(LogFailure) -> [QuarantinedElement] {
        guard !bytes.isEmpty else { return [] }
        return content.withLock { $0.quarantine }.filter { ($0.bytes ?? []).contains(bytes) }.map(\.withoutBytes)
    }

    @discardableResult
    package func eraseQuarantined(key: String) throws(LogFailure) -> Bool {
        content.withLock { content in
            let count = content.quarantine.count
            content.quarantine.removeAll { $0.key == key }
            return content.quarantine.count < count
        }
    }
}

extension QuarantinedElement {
    fileprivate var withoutBytes: QuarantinedElement {
        var copy = self
        copy.bytes = nil
        return copy
    }
}
