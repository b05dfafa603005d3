import Delivery
import EventLog
import Targets
import Testing

@testable import KafkaDelivery

/// A partition of a target whose owner works on while somebody looks: what the owner writes, in order, and what it commits
/// from time to time.
private struct WorkingOwner {
    enum State: Hashable { case unread, onItsWay, open, dead, finished }

    struct Written {
        var record: LaterRecord
        var isDeadTopic: Bool
    }

    struct Commit {
        var position: Int64
        var holes: [Int64]
        var counters: TargetCounters
        var stamp: RecordStamp
        /// Records that were written before it.
        var written: Int
    }

    private(set) var states: [State]
    private(set) var position: Int64 = 0
    private(set) var counters = TargetCounters()
    private(set) var records: [Written] = []
    private(set) var commits: [Commit] = []
    private var stamp = RecordStamp(epoch: 1, number: 0)
    private var random: SplitMix64

    init(events: Int, seed: UInt64) {
        states = Array(repeating: .unread, count: events)
        random = SplitMix64(seed: seed)
        commit()
    }

    mutating func step() {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: read()
        case 9: commit()
        default: settle()
        }
    }

    mutating func commit() {
        commits.append(
            Commit(
                position: position,
                holes: states.indices.filter { states[$0] == .onItsWay }.map(Int64.init), counters: counters,
                stamp: stamp, written: records.count))
    }

    private mutating func read() {
        guard position < states.count else { return }
        if Bool.random(using: &random) {
            states[Int(position)] = .onItsWay
        } else {
            states[Int(position)] = .finished
            counters.filtered += 1
        }
        position += 1
    }

    private mutating func settle() {
        let candidates = states.indices.filter { [.onItsWay, .open, .dead].contains(states[$0]) }
        guard let index = candidates.randomElement(using: &random) else { return }
        let choice = Int.random(in: 0..<4, using: &random)
        switch (states[index], choice) {
        case (.onItsWay, 0): end(index, \.delivered)
        case (.onItsWay, 1), (.open, 0): open(index, wasDead: false)
        case (.onItsWay, _):
            write(index, .buried, isDeadTopic: true)
            counters.dead += 1
            states[index] = .dead
        case (.open, 1):
            write(index, .closed(.delivered))
            end(index, \.delivered)
        case (.open, 2):
            write(index, .closed(.optedOut))
            counters.refused[.optedOut] += 1
            end(index, \.filtered)
        case (.open, _):
            write(index, .buried, isDeadTopic: true)
            write(index, .closed(.dead))
            counters.dead += 1
            states[index] = .dead
        case (.dead, 0):
            write(index, .unburied(.discarded), isDeadTopic: true)
            counters.dead -= 1
            end(index, \.discarded)
        case (.dead, 1):
            open(index, wasDead: true)
            counters.dead -= 1
            write(index, .unburied(.requeued), isDeadTopic: true)
        default: break
        }
    }

    private mutating func open(_ index: Int, wasDead: Bool) {
        write(index, .opened(wasDead: wasDead))
        states[index] = .open
    }

    private mutating func end(_ index: Int, _ counter: WritableKeyPath<TargetCounters, Int64>) {
        counters[keyPath: counter] += 1
        states[index] = .finished
    }

    private mutating func write(_ index: Int, _ change: LaterRecord.Change, isDeadTopic: Bool = false) {
        stamp.number += 1
        let record = LaterRecord(stamp, RecordPlace(partition: 0, offset: Int64(index)), change)
        records.append(Written(record: record, isDeadTopic: isDeadTopic))
    }
}

/// The generator of the engine's own jitter would do; a test needs the same numbers each time.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// What the view makes of a commit and of the records it has read, each topic up to a place of its own.
private func accounted(
    _ commit: WorkingOwner.Commit, _ records: [WorkingOwner.Written]
) -> (accounts: PartitionAccounts, open: Int64) {
    var mirror = OwnerMirror()
    var open: Set<Int64> = []
    for written in records {
        let record = written.record
        guard mirror.isNewest(record.stamp, record.place, isDead: written.isDeadTopic) else { continue }
        if record.stamp > commit.stamp { mirror.later.insert(record) }
        switch record.change {
        case .opened: open.insert(record.place.offset)
        case .closed: open.remove(record.place.offset)
        case .buried, .unburied: break
        }
    }
    let accounts = PartitionAccounts(
        position: commit.position, holes: commit.holes, counters: commit.counters, later: mirror.later, isSystem: false)
    return (accounts, Int64(open.filter { $0 < commit.position }.count))
}

@Suite("A target's accounts while its owner works on") struct PartitionAccountsTests {
    @Test(
        "every event before the position is in exactly one place, whatever was read after whichever commit",
        arguments: 0..<200)
    func balance(seed: Int) {
        var owner = WorkingOwner(events: 40, seed: UInt64(seed))
        for _ in 0..<300 { owner.step() }
        for commit in owner.commits {
            for end in stride(from: commit.written, through: owner.records.count, by: 3) {
                let (accounts, open) = accounted(commit, Array(owner.records[..<end]))
                let sum = accounts.counters.finished + Int64(accounts.holes.count) + open
                #expect(sum == accounts.position, "seed \(seed), commit at \(commit.written), records to \(end)")
            }
            // Why open events were not taken any more is told by their records, from whichever commit on.
            let accounts = accounted(commit, owner.records).accounts
            if commit.position == owner.position { #expect(accounts.counters.refused == owner.counters.refused) }
        }
    }

    @Test("records that are written again because an acknowledgement was late change nothing", arguments: 0..<50)
    func repeats(seed: Int) {
        var owner = WorkingOwner(events: 40, seed: UInt64(seed))
        for _ in 0..<300 { owner.step() }
        for commit in owner.commits {
            let once = accounted(commit, owner.records)
            // From the first record that the commit does not include, in order, once more, and broken off half-way.
            let again = owner.records[commit.written...]
            let twice = accounted(commit, owner.records + again.prefix(again.count / 2))
            #expect(twice.accounts == once.accounts)
            #expect(twice.open == once.open)
        }
    }

    @Test("an open row that is taken back is a hole again")
    func takenBack() {
        let place = RecordPlace(partition: 0, offset: 2)
        let accounts = PartitionAccounts(
            position: 3, holes: [2], counters: TargetCounters(),
            later: [
                LaterRecord(RecordStamp(epoch: 1, number: 1), place, .opened(wasDead: false)),
                LaterRecord(RecordStamp(epoch: 2, number: 1), place, .closed(.mended)),
            ], isSystem: false)
        #expect(accounts.holes == [2])
        #expect(accounts.counters == TargetCounters())
    }

    @Test("events of Gatehouse's own are counted apart")
    func systemEvents() {
        let place = RecordPlace(partition: 0, offset: 0)
        let accounts = PartitionAccounts(
            position: 1, holes: [0], counters: TargetCounters(),
            later: [LaterRecord(RecordStamp(epoch: 1, number: 1), place, .buried)], isSystem: true)
        #expect(accounts.counters.system == 1)
        #expect(accounts.counters.dead == 0)
        #expect(accounts.holes.isEmpty)
    }
}
