package import Delivery
package import EventLog
package import KafkaLog

/// The account of a shard: each partition has counters of its own.
package struct ShardAccount: Account, Sendable {
    package private(set) var commits: [Int32: ShardLedger.Commit]
    private var holes: [Int32: Set<Int64>]
    private let layout: LogLayout

    package init(_ commits: [Int32: ShardLedger.Commit], _ layout: LogLayout) {
        self.commits = commits
        self.layout = layout
        holes = commits.mapValues { Set($0.metadata.holes) }
    }

    func position(of partition: Int32) -> Int64? { commits[partition]?.position }
    func stamp(of partition: Int32) -> RecordStamp { commits[partition]?.metadata.stamp ?? .none }
    func isHole(_ place: RecordPlace) -> Bool { holes[place.partition]?.contains(place.offset) ?? false }
    mutating func fill(_ hole: RecordPlace) { holes[hole.partition]?.remove(hole.offset) }

    mutating func count(_ place: RecordPlace, _ known: KnownState, by amount: Int64) {
        let isSystem = layout.isSystem(place.partition)
        commits[place.partition]?.metadata.counters.count(known, isSystem: isSystem, by: amount)
    }

    /// As the engine takes it.
    package var partitions: [Int32: RestoredShard.Partition] {
        commits.reduce(into: [:]) { result, commit in
            result[commit.key] = RestoredShard.Partition(
                position: commit.value.position, holes: (holes[commit.key] ?? []).sorted(),
                counters: commit.value.metadata.counters)
        }
    }
}

/// The account of a replay: one for the whole log.
struct ReplayAccount: Account {
    var cursor: TargetCursor
    private let committed: RecordStamp
    private var holes: Set<RecordPlace>

    init(_ record: ReplayCursorRecord) {
        cursor = record.cursor
        committed = record.stamp
        holes = Set(record.cursor.holes)
    }

    func position(of partition: Int32) -> Int64? {
        cursor.position.offsets.indices.contains(Int(partition)) ? cursor.position.offsets[Int(partition)] : nil
    }

    func stamp(of partition: Int32) -> RecordStamp { committed }
    func isHole(_ place: RecordPlace) -> Bool { holes.contains(place) }

    mutating func fill(_ hole: RecordPlace) {
        holes.remove(hole)
        cursor.holes.removeAll { $0 == hole }
    }

    mutating func count(_ place: RecordPlace, _ known: KnownState, by amount: Int64) {
        cursor.counters.count(known, isSystem: false, by: amount)
    }
}

/// A replay as it stands, for whoever goes on with it.
package struct RestoredReplay: Sendable {
    package var number: Int64
    package var cursor: TargetCursor
    package var open: [RestoredShard.Open]
    /// With their texts; their route sets are of no store.
    package var dead: [DeadLetter]
    /// As in `RestoredShard`.
    package var ahead: [RecordPlace: KnownState]
}

extension ShardLedger {
    /// - Parameter commits: of every partition of the shard.
    package func restored(
        shard: Int, _ commits: [Int32: Commit], _ layout: LogLayout
    ) -> (shard: RestoredShard, restoration: Restoration) {
        var account = ShardAccount(commits, layout)
        let restoration = settle(&account)
        let shard = RestoredShard(
            shard: shard, partitions: account.partitions, open: restoration.open.compactMap(\.restored),
            dead: restoration.dead.compactMap(\.letter), ahead: restoration.ahead,
            createdAtMs: commits.values.map(\.metadata.createdAtMs).min() ?? 0)
        return (shard, restoration)
    }

    package func restored(replay number: Int64, _ record: ReplayCursorRecord) -> (RestoredReplay, Restoration) {
        var account = ReplayAccount(record)
        let restoration = settle(&account)
        let replay = RestoredReplay(
            number: number, cursor: account.cursor, open: restoration.open.compactMap(\.restored),
            dead: restoration.dead.compactMap(\.letter), ahead: restoration.ahead)
        return (replay, restoration)
    }
}

extension RetryRecord {
    var restored: RestoredShard.Open? {
        guard case .open(let open) = content else { return nil }
        return RestoredShard.Open(record: open.record, routes: open.routes, payload: open.payload)
    }
}

extension DeadRecord {
    var letter: DeadLetter? {
        guard case .letter(let letter) = content else { return nil }
        return letter
    }
}
