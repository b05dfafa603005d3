internal import Delivery
internal import EventLog
internal import Kafka
internal import KafkaLog

/// What the view knows of one target, or of one replay of it, beside the rows in its store.
struct OwnerMirror {
    /// Records that may not be in the accounts yet: a record may stand in its topic more than once.
    var later: Set<LaterRecord> = []
    /// Open events at or behind the position, by place: they count as not read, and get a row when the position passes them.
    var ahead: [RecordPlace: RetryRecord.Open] = [:]
    /// The newest stamps that were read, of records that may come again.
    private var retryStamps: [RecordPlace: RecordStamp] = [:]
    private var deadStamps: [RecordPlace: RecordStamp] = [:]

    /// Places whose stamps are remembered while much is read at once.
    private static let maximumStamps = 500_000

    /// Whether the record is the newest of its place in its topic so far. One that was not acknowledged in time is written
    /// again, with all that came after it: for a while an older one stands behind it.
    mutating func isNewest(_ stamp: RecordStamp, _ place: RecordPlace, isDead: Bool) -> Bool {
        func take(_ stamps: inout [RecordPlace: RecordStamp]) -> Bool {
            if let known = stamps[place], known > stamp { return false }
            if stamps.count >= Self.maximumStamps { stamps.removeAll() }
            stamps[place] = stamp
            return true
        }
        return isDead ? take(&deadStamps) : take(&retryStamps)
    }

    /// Lets go of records up to the stamps of the commits: they do not come again.
    mutating func settle(_ committed: (Int32) -> RecordStamp) {
        later = later.filter { $0.stamp > committed($0.place.partition) }
        retryStamps = retryStamps.filter { $0.value > committed($0.key.partition) }
        deadStamps = deadStamps.filter { $0.value > committed($0.key.partition) }
    }
}

/// One target's state as it stands in Kafka.
struct TargetMirror {
    struct Commit {
        var position: Int64
        var metadata: CommitMetadata
    }

    var record: TargetRecord?
    /// By partition of the log.
    var commits: [Int32: Commit] = [:]
    var own = OwnerMirror()
    var replays: [Int64: OwnerMirror] = [:]

    func stamp(of partition: Int32) -> RecordStamp { commits[partition]?.metadata.stamp ?? .none }

    /// Open events that the position has passed since.
    mutating func passed() -> [RetryRecord.Open] {
        let passed = own.ahead.filter { commits[$0.key.partition].map { $0.position } ?? 0 > $0.key.offset }
        for place in passed.keys { own.ahead[place] = nil }
        return Array(passed.values)
    }

    /// When the first instance took it up; nil when none has.
    var createdAtMs: Int64? { commits.values.map(\.metadata.createdAtMs).min() }

    /// - Parameter count: of the log's partitions.
    func mirrored(_ name: String, _ layout: LogLayout) -> MirroredTarget {
        var start = LogPosition(offsets: Array(repeating: 0, count: layout.count))
        var cursor = TargetCursor(position: start)
        var (beforeStart, systemBeforeStart): (Int64, Int64) = (0, 0)
        let later = Dictionary(grouping: own.later, by: \.place.partition)
        for (partition, commit) in commits {
            let isSystem = layout.isSystem(partition)
            let accounts = PartitionAccounts(
                position: commit.position, holes: commit.metadata.holes, counters: commit.metadata.counters,
                later: later[partition] ?? [], isSystem: isSystem)
            start.offsets[Int(partition)] = commit.metadata.start
            cursor.position.offsets[Int(partition)] = commit.position
            cursor.holes += accounts.holes.sorted().map { RecordPlace(partition: partition, offset: $0) }
            cursor.counters.add(accounts.counters)
            if isSystem { systemBeforeStart += commit.metadata.start } else { beforeStart += commit.metadata.start }
        }
        cursor.isPaused = record?.isPaused ?? false
        cursor.disabledReason = record?.disabledReason
        var target = MirroredTarget(
            name: name, type: record?.type ?? "", destination: record?.destination ?? "",
            createdAtMs: createdAtMs ?? record?.atMs ?? 0, start: start, beforeStart: beforeStart,
            systemBeforeStart: systemBeforeStart, cursor: cursor)
        target.isRemoved = record?.isRemoved ?? false
        return target
    }
}

extension TargetCounters {
    mutating func add(_ other: TargetCounters) {
        delivered += other.delivered
        filtered += other.filtered
        refused.add(other.refused)
        dead += other.dead
        discarded += other.discarded
        expired += other.expired
        system += other.system
        skipped += other.skipped
    }
}

extension RetryRecord.Open {
    /// The row of it.
    func operation(_ routeSet: ([String]) -> RouteSet) -> StateOperation {
        .open(
            OpenEntry(kept: record, routes: routeSet(routes)), payload: payload, nextAtMs: record.nextAtMs)
    }
}
