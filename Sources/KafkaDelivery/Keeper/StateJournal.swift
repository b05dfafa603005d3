internal import Delivery
internal import EventLog
internal import Kafka

/// What of a target's state is on its way into Kafka: what waits, what was sent, what is acknowledged, what may be committed.
/// A value without clock or network.
///
/// Records go out in order. When one is not taken, nothing more goes out until all that are under way have ended; then
/// everything that is not yet part of a commit goes out again, in order. So the last record of a key is always the right
/// one; that one may have been written before does no harm, because records carry stamps.
struct StateJournal: Sendable {
    struct ItemID: Sendable, Hashable {
        var batch: Int
        var item: Int
    }

    typealias Commit = JournalCommits.Commit

    private enum Standing: Sendable {
        case waiting, sent, kept
        /// Nobody needs it any more, but it is under way.
        case abandoned
    }

    private struct Batch: Sendable {
        var content: JournalBatch
        var standing: [Standing]
        /// Items before it are not waiting.
        var next = 0
        /// Items before it are kept.
        private var kept = 0

        init(_ content: JournalBatch) {
            self.content = content
            standing = Array(repeating: .waiting, count: content.items.count)
        }

        mutating func isKept() -> Bool {
            while kept < standing.count, standing[kept] == .kept { kept += 1 }
            return kept == standing.count
        }

        mutating func rewind() {
            next = 0
            kept = 0
        }
    }

    private var batches: [Batch] = []
    /// The number of the first of them.
    private var first = 0
    /// Batches before it have nothing waiting.
    private var sending = 0
    private var underWay = 0
    /// Nothing goes out until everything under way has ended, and then until this moment.
    private var isStalled = false
    private var retryAtMs: Int64 = 0
    private var failures = 0

    /// Of batches that are kept.
    private var commits = JournalCommits()
    /// Records that Kafka will not take, by what they are about: the commits of their partitions are put off.
    private var refused: [[UInt8]: Int32] = [:]

    private(set) var operations = 0

    /// Records under way at once.
    static let window = 4096

    /// Everything is kept and committed.
    var isEmpty: Bool { batches.isEmpty && commits.isEmpty(but: held) }

    /// Partitions whose commits are put off.
    private var held: Set<Int32> { Set(refused.values) }

    mutating func append(_ batch: JournalBatch) {
        operations += batch.operations
        batches.append(Batch(batch))
        collect()
    }

    // MARK: records

    /// The next records to be sent, in order.
    mutating func takeRecords(_ nowMs: Int64) -> [(id: ItemID, record: KafkaRecord)] {
        if isStalled {
            guard underWay == 0, nowMs >= retryAtMs else { return [] }
            isStalled = false
            rewind()
        }
        var records: [(ItemID, KafkaRecord)] = []
        while sending < batches.count {
            while let item = nextWaiting(batches[sending]) {
                guard underWay < Self.window else { return records }
                guard isDue(item, batches[sending]) else { return records }
                batches[sending].standing[item] = .sent
                batches[sending].next = item + 1
                underWay += 1
                records.append(
                    (ItemID(batch: first + sending, item: item), batches[sending].content.items[item].record))
            }
            sending += 1
        }
        return records
    }

    private func nextWaiting(_ batch: Batch) -> Int? {
        batch.standing[batch.next...].firstIndex { $0 == .waiting }
    }

    private func isDue(_ item: Int, _ batch: Batch) -> Bool {
        let step = batch.content.items[item].step
        guard step > 0 else { return true }
        return batch.content.items.indices.prefix(item).allSatisfy {
            batch.content.items[$0].step >= step || batch.standing[$0] == .kept
        }
    }

    /// What is not part of a commit goes out again, except history that is kept.
    private mutating func rewind() {
        for index in batches.indices {
            batches[index].rewind()
            for item in batches[index].standing.indices where batches[index].standing[item] == .kept {
                let content = batches[index].content.items[item]
                if !content.isHistory, content.shard != nil, !isRefused(content) {
                    batches[index].standing[item] = .waiting
                }
            }
        }
        sending = 0
    }

    private func isRefused(_ item: JournalBatch.Item) -> Bool {
        !refused.isEmpty && refused[Self.subject(of: item.record)] != nil
    }

    private static func subject(of record: KafkaRecord) -> [UInt8] {
        Array(record.topic.utf8) + [0] + (record.key ?? [])
    }

    /// A record is acknowledged.
    mutating func kept(_ id: ItemID) {
        underWay -= 1
        guard let index = index(of: id) else { return }
        batches[index].standing[id.item] = .kept
        failures = 0
        if !refused.isEmpty { refused[Self.subject(of: batches[index].content.items[id.item].record)] = nil }
        collect()
    }

    /// What a failure leads to.
    enum Verdict: Sendable, Hashable {
        /// It goes out again later, with all that came after it.
        case again
        /// A record of history goes out again shorter, or is given up.
        case shortened, dropped
        /// Kafka will not take it: until it takes a later one about the same event the partition's commits are put off.
        case held
        /// Nobody needs it any more.
        case nothing
    }

    /// A record was not taken.
    /// - Parameter isForGood: because of what it is; it would not be taken later either.
    @discardableResult
    mutating func failed(_ id: ItemID, isForGood: Bool, _ nowMs: Int64) -> Verdict {
        underWay -= 1
        guard let index = index(of: id), batches[index].standing[id.item] == .sent else {
            if let index = index(of: id) { batches[index].standing[id.item] = .kept }
            collect()
            return .nothing
        }
        let item = batches[index].content.items[id.item]
        if isForGood {
            let verdict = giveUp(item, id, index)
            collect()
            return verdict
        }
        batches[index].standing[id.item] = .waiting
        stall(nowMs)
        return .again
    }

    private mutating func giveUp(_ item: JournalBatch.Item, _ id: ItemID, _ index: Int) -> Verdict {
        if item.isHistory, let shorter = item.shorter {
            batches[index].content.items[id.item].record = shorter
            batches[index].content.items[id.item].shorter = nil
            batches[index].standing[id.item] = .waiting
            batches[index].next = min(batches[index].next, id.item)
            sending = min(sending, index)
            return .shortened
        }
        batches[index].standing[id.item] = .kept
        guard let partition = item.guarding else { return .dropped }
        refused[Self.subject(of: item.record)] = partition
        return .held
    }

    private mutating func stall(_ nowMs: Int64) {
        if !isStalled {
            failures += 1
            retryAtMs = nowMs + JournalCommits.delayMs(failures)
        }
        isStalled = true
    }

    private func index(of id: ItemID) -> Int? {
        let index = id.batch - first
        return batches.indices.contains(index) ? index : nil
    }

    /// Takes the batches that are kept, as far as all before them are.
    private mutating func collect() {
        var count = 0
        while count < batches.count, batches[count].isKept() {
            let content = batches[count].content
            commits.add(content.commits, content.stamp)
            operations -= content.operations
            count += 1
        }
        guard count > 0 else { return }
        batches.removeFirst(count)
        first += count
        sending = max(0, sending - count)
    }

    // MARK: commits

    /// - Parameter isUrgent: whether somebody waits for it.
    mutating func takeCommit(_ nowMs: Int64, isUrgent: Bool) -> Commit? {
        commits.take(nowMs, isUrgent: isUrgent, but: held)
    }

    mutating func commitEnded(isKept: Bool, _ nowMs: Int64) { commits.ended(isKept: isKept, nowMs) }

    // MARK: shards

    /// Forgets everything of shards that are another's now.
    /// - Parameter belongs: whether a partition of the log is of one of them.
    mutating func drop(_ shards: Set<Int>, _ belongs: (Int32) -> Bool) {
        for index in batches.indices {
            for item in batches[index].standing.indices {
                guard let shard = batches[index].content.items[item].shard, shards.contains(shard) else { continue }
                switch batches[index].standing[item] {
                case .waiting: batches[index].standing[item] = .kept
                case .sent: batches[index].standing[item] = .abandoned
                case .kept, .abandoned: break
                }
                batches[index].content.items[item].shard = nil
            }
            batches[index].content.commits = batches[index].content.commits.filter { !belongs($0.key) }
        }
        commits.drop(belongs)
        refused = refused.filter { !belongs($0.value) }
        collect()
    }

    /// Whether nothing of these shards is left to be kept.
    func isSettled(_ shards: Set<Int>, _ belongs: (Int32) -> Bool) -> Bool {
        guard !commits.concerns(belongs, but: held) else { return false }
        return batches.allSatisfy { batch in
            !batch.content.commits.keys.contains(where: belongs)
                && zip(batch.content.items, batch.standing).allSatisfy { item, standing in
                    standing == .kept || item.shard.map { !shards.contains($0) } ?? true
                }
        }
    }

    /// When something is to be done although nothing comes; nil: never.
    func dueMs(_ nowMs: Int64) -> Int64? {
        let again = isStalled && underWay == 0 ? retryAtMs : nil
        return [again, commits.dueMs(but: held)].compactMap { $0 }.min().map { max($0, nowMs) }
    }
}
