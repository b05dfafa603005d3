internal import Delivery
internal import EventLog
internal import Events
internal import Kafka
internal import KafkaLog
internal import Synchronization
internal import Targets

/// Turns what the engine commits for one target into records, in the engine's order. Confined to its owner's lock.
struct StateScribe: Sendable {
    private let target: String
    private let instance: String
    private let layout: LogLayout
    private let topics: StateTopics
    /// Which configurations of targets are in the control topic already.
    private let versions: KnownVersions
    /// What names the batches of this run.
    private let run: String

    private var open = KeyTable()
    private var dead = KeyTable()
    private var batches: [ObjectIdentifier: String] = [:]
    private var lastBatch = 0
    private(set) var stamp = RecordStamp.none

    init(target: String, instance: String, run: String, _ layout: LogLayout, _ versions: KnownVersions) {
        self.target = target
        self.instance = instance
        self.run = run
        self.layout = layout
        topics = StateTopics(prefix: layout.prefix)
        self.versions = versions
    }

    /// Begins an epoch beyond everything that was written before.
    mutating func begin(epoch: Int64) {
        if epoch > stamp.epoch { stamp = RecordStamp(epoch: epoch, number: 0) }
    }

    private mutating func next() -> RecordStamp {
        stamp.number += 1
        return stamp
    }

    // MARK: keys

    mutating func restore(_ restoration: Restoration) {
        for record in restoration.open { open.take(record.key, record.place) }
        for record in restoration.dead { dead.take(record.key, record.place) }
    }

    /// - Parameters:
    ///   - belongs: whether a partition of the log is of a shard that is given up.
    ///   - replays: whether the replays go with them.
    mutating func forget(replays: Bool, where belongs: (Int32) -> Bool) {
        open.forget(replays: replays, where: belongs)
        dead.forget(replays: replays, where: belongs)
    }

    // MARK: writing

    /// - Parameter isOwned: whether a shard is this instance's.
    mutating func batch(_ kept: KeptChange, isOwned: (Int) -> Bool) -> JournalBatch {
        var page = Page(kept: kept)
        for (index, operation) in kept.change.operations.enumerated() {
            let place = operation.place
            let shard = kept.replay == nil ? layout.shard(of: place.partition) : 0
            guard isOwned(shard) else { continue }
            page.shard = shard
            page.place = place
            page.batch.operations += 1
            write(operation, at: index, &page)
        }
        if let replay = kept.replay {
            if isOwned(0) { write(replay, kept.change.cursor, &page) }
        } else {
            page.batch.commits = kept.partitions.filter { isOwned(layout.shard(of: $0.key)) }
        }
        page.batch.stamp = stamp
        batches.removeAll()
        return page.batch
    }

    /// A change on its way.
    private struct Page {
        let kept: KeptChange
        var batch = JournalBatch(stamp: .none)
        /// Of the keys whose last record does not go first.
        var steps: [StateKey: Int] = [:]
        var shard = 0
        var place = RecordPlace(partition: 0, offset: 0)

        init(kept: KeptChange) { self.kept = kept }
    }

    private mutating func write(_ operation: StateOperation, at index: Int, _ page: inout Page) {
        let replay = page.kept.replay
        let owner = KeyTable.Owner(replay: replay, place: operation.place)
        switch operation {
        case .open(let entry, let payload, let nextAtMs):
            addOpen(RetryRecord.Open(entry.kept(nextAtMs), payload: payload), open.key(entry.id, owner), &page)
        case .postpone(let entry, let nextAtMs):
            // Without its text the record before stays: it is sound, and only its tries are fewer.
            guard let payload = page.kept.payloads[entry.place] else { return }
            addOpen(RetryRecord.Open(entry.kept(nextAtMs), payload: payload), open.key(entry.id, owner), &page)
        case .close:
            guard let key = open.remove(owner) else { return }
            add(RetryRecord.Content.ended(page.kept.change.ending(of: owner.place, after: index)), key, &page)
        case .bury(let letter): bury(letter, owner, &page)
        case .requeue(let entry, let nextAtMs):
            guard let payload = page.kept.payloads[entry.place] else { return }
            let key = open.key(entry.id, owner)
            let was = dead.remove(owner) ?? StateKey(entry.id, replay: replay)
            addOpen(RetryRecord.Open(entry.kept(nextAtMs), wasDead: true, payload: payload), key, &page)
            add(DeadRecord.Content.ended(.requeued), was, after: key, &page)
        case .discard:
            guard let key = dead.remove(owner) else { return }
            add(DeadRecord.Content.ended(.discarded), key, &page)
        case .trim:
            guard let key = dead.remove(owner) else { return }
            add(DeadRecord.Content.ended(.trimmed), key, &page)
        case .record(let entry): record(entry, &page)
        }
    }

    private mutating func bury(_ letter: DeadLetter, _ owner: KeyTable.Owner, _ page: inout Page) {
        var letter = letter
        if case .openRow = letter.payload { letter.payload = .text(page.kept.payloads[letter.place] ?? []) }
        let wasOpen = open.remove(owner)
        let key = dead.key(letter.id, owner)
        add(DeadRecord.Content.letter(letter), key, &page)
        if let wasOpen { add(RetryRecord.Content.ended(.dead), wasOpen, after: key, &page) }
    }

    private mutating func addOpen(_ open: RetryRecord.Open, _ key: StateKey, _ page: inout Page) {
        add(RetryRecord.Content.open(open), key, &page)
    }

    private mutating func add(
        _ content: RetryRecord.Content, _ key: StateKey, after: StateKey? = nil, _ page: inout Page
    ) {
        let record = RetryRecord(key, next(), page.place, content)
        add(record.encoded(topic: topics.retry(target), partition: Int32(page.shard), layout), key, after, &page)
    }

    private mutating func add(
        _ content: DeadRecord.Content, _ key: StateKey, after: StateKey? = nil, _ page: inout Page
    ) {
        let record = DeadRecord(key, next(), page.place, content)
        add(record.encoded(topic: topics.dead(target), partition: Int32(page.shard), layout), key, after, &page)
    }

    /// Two topics keep no order between them: where one record is to be there before another, the other one waits.
    private func add(_ record: KafkaRecord, _ key: StateKey, _ after: StateKey?, _ page: inout Page) {
        var step = max(page.steps[key] ?? 0, after.flatMap { page.steps[$0] } ?? 0)
        if after != nil { step += 1 }
        if step > 0 {
            page.steps[key] = step
            if let after { page.steps[after] = step }
        }
        page.batch.items.append(
            JournalBatch.Item(
                record: record, step: step, shard: page.shard,
                guarding: page.kept.replay == nil ? page.place.partition : nil))
    }

    // MARK: history

    private mutating func record(_ entry: HistoryEntry, _ page: inout Page) {
        var request: AttemptRecord.Request?
        var name: String?
        if let batch = entry.batch {
            let known = batches[ObjectIdentifier(batch)]
            if known == nil { request = AttemptRecord.Request(batch.exchange, members: batch.places) }
            name = known ?? nameBatch(batch)
        } else if let exchange = entry.exchange {
            request = AttemptRecord.Request(exchange)
        }
        if let version = (entry.batch?.exchange ?? entry.exchange)?.version { write(version, &page) }
        let record = AttemptRecord(
            entry, target: target, replay: page.kept.replay, instance: instance, batch: name, request: request)
        var item = JournalBatch.Item(
            record: record.encoded(topic: topics.attempts, layout), shard: page.shard, isHistory: true)
        if let request {
            var shorter = record
            shorter.request = request.bare
            item.shorter = shorter.encoded(topic: topics.attempts, layout)
        }
        page.batch.items.append(item)
    }

    private mutating func nameBatch(_ batch: RequestedBatch) -> String {
        lastBatch += 1
        let name = "\(run)-\(lastBatch)"
        batches[ObjectIdentifier(batch)] = name
        return name
    }

    private func write(_ version: TargetVersion, _ page: inout Page) {
        guard versions.insert(version.hash) else { return }
        let record = KafkaRecord(
            topic: topics.cursors, partition: 0, key: Array("\(ControlKey.version(version.hash))".utf8),
            value: version.source)
        page.batch.items.append(JournalBatch.Item(record: record, isHistory: true))
    }

    // MARK: replays

    private func write(_ replay: Int64, _ cursor: TargetCursor, _ page: inout Page) {
        let value = ReplayCursorRecord(cursor: cursor, stamp: stamp)
        let key = ControlKey.replayCursor(target: target, number: replay)
        let record = KafkaRecord(
            topic: topics.cursors, partition: 0, key: Array("\(key)".utf8), value: value.encoded(layout))
        // It says that the others are kept.
        let step = (page.batch.items.map(\.step).max() ?? -1) + 1
        page.batch.items.append(JournalBatch.Item(record: record, step: step, shard: 0))
    }

    // MARK: repairs

    /// What an owner before did not come to write.
    mutating func batch(_ repairs: [Restoration.Repair], _ shard: Int) -> JournalBatch {
        var batch = JournalBatch(stamp: stamp)
        for repair in repairs {
            let record: KafkaRecord
            switch repair {
            // With the stamp it had: what it says happened once.
            case .rewrite(let retry):
                record = retry.encoded(topic: topics.retry(target), partition: Int32(shard), layout)
            case .rewriteDead(let dead):
                record = dead.encoded(topic: topics.dead(target), partition: Int32(shard), layout)
            case .close(let key, let place):
                record = RetryRecord(key, next(), place, .ended(.mended)).encoded(
                    topic: topics.retry(target), partition: Int32(shard), layout)
            case .closeDead(let key, let place):
                record = DeadRecord(key, next(), place, .ended(.mended)).encoded(
                    topic: topics.dead(target), partition: Int32(shard), layout)
            }
            batch.items.append(JournalBatch.Item(record: record, shard: shard))
        }
        batch.stamp = stamp
        return batch
    }
}

/// Configurations of targets whose text is in the control topic.
final class KnownVersions: Sendable {
    private let hashes = Mutex<Set<String>>([])

    /// - Returns: whether it was not known.
    func insert(_ hash: String) -> Bool { hashes.withLock { $0.insert(hash).inserted } }
}

extension OpenEntry {
    /// - Parameter nextAtMs: the wall clock.
    fileprivate func kept(_ nextAtMs: Int64) -> RestoredTarget.OpenRecord {
        RestoredTarget.OpenRecord(
            keptAt: place, id: id, type: type, source: source, receivedAtMs: receivedAtMs, routes: routes, tries: tries,
            counted: counted, firstTriedAtMs: firstTried.wallMs, nextAtMs: nextAtMs, reason: reason, size: size,
            key: key, requeuedAtMs: requeuedAtMs)
    }
}

extension TargetChange {
    /// How the event of a place ended that left the open set by the operation of this index. Where nothing is told of it,
    /// its text was removed.
    fileprivate func ending(of place: RecordPlace, after index: Int) -> RecordEnding {
        for operation in operations[(index + 1)...] {
            guard case .record(let entry) = operation, entry.place == place else { continue }
            if let ending = RecordEnding(entry) { return ending }
        }
        return .discarded
    }
}
