import EventLog
import Events
import Targets
import Testing

@testable import Delivery

/// Where shards are kept, as a `StateKeeper` keeps them: what happens to single events is kept at once, where the deliveries
/// stand a little later, so that after a crash the one may be ahead of the other.
struct Shelf {
    struct Commit {
        var partition: Int32
        var content: RestoredShard.Partition
        /// Steps whose effects are in it.
        var step: Int
    }

    private struct Known {
        var step: Int
        var state: KnownState
    }

    let shards: Int
    private var committed: [Int32: Commit]
    /// What is known of single events, by and by.
    private var known: [RecordPlace: [Known]] = [:]
    private var open: [RecordPlace: (entry: OpenEntry, nextAtMs: Int64, payload: [UInt8])] = [:]
    private(set) var dead: [RecordPlace: DeadLetter] = [:]
    private var step = 0

    init(partitions: Int, shards: Int) {
        self.shards = shards
        committed = Dictionary(
            uniqueKeysWithValues: (0..<Int32(partitions)).map {
                ($0, Commit(partition: $0, content: RestoredShard.Partition(position: 0), step: 0))
            })
    }

    func shard(of partition: Int32) -> Int { Int(partition) % shards }

    func partitions(of shard: Int) -> Set<Int32> { Set(committed.keys.filter { self.shard(of: $0) == shard }) }

    // MARK: keeping

    /// Keeps what happened to single events of shards that are owned still.
    /// - Returns: where the deliveries stand, to be committed later or, after a crash, never.
    mutating func keep(_ change: KeptChange, owned: Set<Int>) -> [Commit] {
        for (index, operation) in change.change.operations.enumerated()
        where owned.contains(shard(of: operation.place.partition)) {
            step += 1
            apply(operation, change.payloads)
            // How an open event ended is in the history, which tells of it next.
            guard case .close(let place) = operation else { continue }
            var ending = KnownState.discarded
            if case .record(let entry)? = change.change.operations.dropFirst(index + 1).first, entry.place == place {
                ending = KnownState(entry.state, entry.reason.flatMap(FilteredReason.init(rawValue:)))
            }
            known[place, default: []].append(Known(step: step, state: ending))
        }
        return change.partitions.filter { owned.contains(shard(of: $0.key)) }.map {
            Commit(partition: $0.key, content: $0.value, step: step)
        }
    }

    private mutating func apply(_ operation: StateOperation, _ payloads: [RecordPlace: [UInt8]]) {
        let place = operation.place
        switch operation {
        case .open(let entry, let payload, let nextAtMs):
            open[place] = (entry, nextAtMs, payload)
            known[place, default: []].append(Known(step: step, state: .pending))
        case .postpone(let entry, let nextAtMs):
            #expect(open[place] != nil, "\(place)")
            #expect(payloads[place] == open[place]?.payload)
            open[place] = (entry, nextAtMs, open[place]?.payload ?? [])
        case .close: #expect(open.removeValue(forKey: place) != nil, "\(place)")
        case .bury(let letter):
            let hadRow = open.removeValue(forKey: place) != nil
            if case .openRow = letter.payload { #expect(hadRow && payloads[place] != nil) }
            #expect(dead[place] == nil)
            dead[place] = letter
            dead[place]?.payload = .text(payloads[place] ?? [])
            known[place, default: []].append(Known(step: step, state: .dead))
        case .requeue(let entry, let nextAtMs):
            #expect(dead.removeValue(forKey: place) != nil && payloads[place] != nil)
            open[place] = (entry, nextAtMs, payloads[place] ?? [])
            known[place, default: []].append(Known(step: step, state: .pending))
        case .discard:
            #expect(dead.removeValue(forKey: place) != nil)
            known[place, default: []].append(Known(step: step, state: .discarded))
        case .trim: dead[place] = nil
        case .record: break
        }
    }

    mutating func commit(_ commit: Commit) {
        #expect(commit.content.position >= committed[commit.partition]?.content.position ?? 0)
        committed[commit.partition] = commit
    }

    // MARK: giving

    func restore(_ shard: Int) -> RestoredShard {
        var restored = RestoredShard(shard: shard, partitions: [:], createdAtMs: 0)
        for partition in partitions(of: shard) {
            guard let commit = committed[partition] else { continue }
            restored.partitions[partition] = present(commit)
            for (place, states) in known
            where place.partition == partition && place.offset >= commit.content.position {
                restored.ahead[place] = states.last?.state
            }
        }
        for (place, (entry, nextAtMs, payload)) in open where self.shard(of: place.partition) == shard {
            let record = RestoredTarget.OpenRecord(
                place: place, id: entry.id, type: entry.type, source: entry.source, receivedAtMs: entry.receivedAtMs,
                routes: entry.routes, tries: entry.tries, counted: entry.counted,
                firstTriedAtMs: entry.firstTried.wallMs, nextAtMs: nextAtMs, reason: entry.reason, size: payload.count,
                key: entry.key, requeuedAtMs: entry.requeuedAtMs)
            restored.open.append(RestoredShard.Open(record: record, routes: entry.routes.names, payload: payload))
        }
        restored.dead = dead.values.filter { self.shard(of: $0.place.partition) == shard }
        return restored
    }

    /// A partition with what has happened to single events since it was committed.
    private func present(_ commit: Commit) -> RestoredShard.Partition {
        var content = commit.content
        for (place, states) in known where place.partition == commit.partition && place.offset < content.position {
            guard let now = states.last, now.step > commit.step else { continue }
            let then = states.last { $0.step <= commit.step }?.state
            if then == nil {
                #expect(content.holes.contains(place.offset), "\(place) was neither open nor on its way")
                content.holes.removeAll { $0 == place.offset }
            }
            if let then { content.counters.count(then, isSystem: false, by: -1) }
            content.counters.count(now.state, isSystem: false)
        }
        return content
    }

    /// Whether an event would not be sent again.
    func isFinished(_ place: RecordPlace) -> Bool {
        guard let commit = committed[place.partition], open[place] == nil else { return false }
        if known[place] != nil { return true }
        return place.offset < commit.content.position && !commit.content.holes.contains(place.offset)
    }

    func counters(_ partition: Int32) -> TargetCounters {
        committed[partition].map { present($0).counters } ?? TargetCounters()
    }

    func position(_ partition: Int32) -> Int64 { committed[partition]?.content.position ?? 0 }
}
