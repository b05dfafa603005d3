package import Delivery
package import EventLog
internal import Targets

/// Makes out how a shard of a target stands from what is kept of it: the commits of its partitions, and the records of the
/// retry and dead-letter topics, however often they were written. Each topic's are taken in the topic's order.
///
/// Every record of a shard carries the stamp of its owner's doing. Of each event the newest stamp says where it is now, and
/// the newest up to the stamp of its partition's commit where it was when the counters were committed. So the account is
/// exact, whenever the owner ended.
package struct ShardLedger: Sendable {
    /// What was committed for one partition of the log.
    package struct Commit: Sendable, Hashable {
        package var position: Int64
        package var metadata: CommitMetadata

        package init(position: Int64, metadata: CommitMetadata) {
            self.position = position
            self.metadata = metadata
        }
    }

    /// What a record says of its event.
    private struct Mark: Sendable {
        var stamp: RecordStamp
        var before: KnownState
        var after: KnownState
    }

    /// One event.
    private struct Entry: Sendable {
        /// The newest of each topic.
        var retry: RetryRecord?
        var dead: DeadRecord?
        var marks: [Mark] = []

        /// - Parameter bound: records after it do not count.
        /// - Returns: nil when nothing is known of it.
        func state(upTo bound: RecordStamp) -> KnownState? {
            if let last = marks.filter({ $0.stamp <= bound }).max(by: { $0.stamp < $1.stamp }) { return last.after }
            return marks.min { $0.stamp < $1.stamp }?.before
        }

        var state: KnownState? { marks.max { $0.stamp < $1.stamp }?.after }
    }

    private var entries: [RecordPlace: Entry] = [:]
    private var retryOrder = KeyOrder()
    private var deadOrder = KeyOrder()
    /// The greatest epoch of any record.
    package private(set) var lastEpoch: Int64 = 0

    package init() {}

    package mutating func take(_ record: RetryRecord) {
        lastEpoch = max(lastEpoch, record.stamp.epoch)
        retryOrder.take(record.key, record.stamp, record.place)
        switch record.content {
        case .open(let open): mark(record.place, record.stamp, before: open.wasDead ? .dead : .pending, after: .pending)
        case .ended(let ending): mark(record.place, record.stamp, before: .pending, after: ending.state)
        }
        if let known = entries[record.place]?.retry, known.stamp > record.stamp { return }
        entries[record.place, default: Entry()].retry = record
    }

    package mutating func take(_ record: DeadRecord) {
        lastEpoch = max(lastEpoch, record.stamp.epoch)
        deadOrder.take(record.key, record.stamp, record.place)
        switch record.content {
        case .letter: mark(record.place, record.stamp, before: .pending, after: .dead)
        case .ended(let ending): mark(record.place, record.stamp, before: .dead, after: ending.state)
        }
        if let known = entries[record.place]?.dead, known.stamp > record.stamp { return }
        entries[record.place, default: Entry()].dead = record
    }

    private mutating func mark(
        _ place: RecordPlace, _ stamp: RecordStamp, before: KnownState, after: KnownState?
    ) {
        guard let after else { return }
        entries[place, default: Entry()].marks.append(Mark(stamp: stamp, before: before, after: after))
    }
}

/// Whether the newest record of a key is the last one of its topic.
private struct KeyOrder: Sendable {
    private var newest: [StateKey: (stamp: RecordStamp, place: RecordPlace)] = [:]
    private var late: Set<StateKey> = []

    mutating func take(_ key: StateKey, _ stamp: RecordStamp, _ place: RecordPlace) {
        if let known = newest[key], known.stamp > stamp {
            late.insert(key)
        } else {
            newest[key] = (stamp, place)
            late.remove(key)
        }
    }

    /// The places whose record has an older one of its key behind it.
    var disordered: [RecordPlace] { late.compactMap { newest[$0]?.place } }
}

/// What was made out.
package struct Restoration: Sendable {
    package var open: [RetryRecord] = []
    /// Each has a letter with its text.
    package var dead: [DeadRecord] = []
    package var ahead: [RecordPlace: KnownState] = [:]
    /// What an owner before did not come to write, in order: to be written before anything is committed.
    package var repairs: [Repair] = []

    /// What is to be mended.
    package enum Repair: Sendable {
        /// An older record of its key was written again behind it: the cleaner would keep the wrong one.
        case rewrite(RetryRecord)
        case rewriteDead(DeadRecord)
        /// The event has left the open set, or the dead letters: its record is to go.
        case close(StateKey, RecordPlace)
        case closeDead(StateKey, RecordPlace)
    }
}

/// Positions, holes and counters on their way from a commit to what they are by now.
protocol Account {
    /// Nil for a partition that the account is not about.
    func position(of partition: Int32) -> Int64?
    func stamp(of partition: Int32) -> RecordStamp
    func isHole(_ place: RecordPlace) -> Bool
    mutating func fill(_ hole: RecordPlace)
    mutating func count(_ place: RecordPlace, _ known: KnownState, by amount: Int64)
}

extension ShardLedger {
    /// Brings an account up to date.
    func settle(_ account: inout some Account) -> Restoration {
        var result = Restoration()
        result.repairs += retryOrder.disordered.compactMap { entries[$0]?.retry.map(Restoration.Repair.rewrite) }
        result.repairs += deadOrder.disordered.compactMap { entries[$0]?.dead.map(Restoration.Repair.rewriteDead) }
        for (place, entry) in entries.sorted(by: { Self.isBefore($0.key, $1.key) }) {
            guard let position = account.position(of: place.partition) else { continue }
            let state = entry.state
            if let state {
                if place.offset >= position {
                    result.ahead[place] = state
                } else {
                    count(place, state, before: entry.state(upTo: account.stamp(of: place.partition)), &account)
                }
            }
            list(place, entry, state, &result)
        }
        return result
    }

    /// An event before the position.
    private func count(
        _ place: RecordPlace, _ state: KnownState, before: KnownState?, _ account: inout some Account
    ) {
        if account.isHole(place) {
            account.fill(place)
        } else if let before {
            account.count(place, before, by: -1)
        }
        account.count(place, state, by: 1)
    }

    private func list(_ place: RecordPlace, _ entry: Entry, _ state: KnownState?, _ result: inout Restoration) {
        if let retry = entry.retry, case .open = retry.content {
            if state == .pending { result.open.append(retry) } else { result.repairs.append(.close(retry.key, place)) }
        }
        if let dead = entry.dead, case .letter = dead.content {
            if state == .dead { result.dead.append(dead) } else { result.repairs.append(.closeDead(dead.key, place)) }
        }
    }

    private static func isBefore(_ one: RecordPlace, _ other: RecordPlace) -> Bool {
        (one.partition, one.offset) < (other.partition, other.offset)
    }
}

extension RecordEnding {
    /// What the event is then; nil where the record says nothing of it.
    var state: KnownState? {
        switch self {
        case .delivered: .delivered
        case .filtered: .filtered
        case .noConsent, .noKey, .optedOut, .notEnabled: FilteredReason(rawValue: rawValue).map { .refused($0) }
        case .dead, .trimmed: .dead
        case .discarded: .discarded
        case .expired: .expired
        case .requeued, .mended: nil
        }
    }

    /// Nil for an event that has not ended.
    init?(_ entry: HistoryEntry) {
        guard entry.state != .pending else { return nil }
        let refusal = entry.state == .filtered ? entry.reason.flatMap(FilteredReason.init(rawValue:)) : nil
        self.init(rawValue: refusal?.rawValue ?? entry.state.name)
    }
}
