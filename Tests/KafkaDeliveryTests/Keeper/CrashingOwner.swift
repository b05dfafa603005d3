import EventLog
import Events
import Kafka
import KafkaLog
import Targets
import Testing

@testable import Delivery
@testable import KafkaDelivery

/// What Kafka holds of one shard of a target: it survives its owners.
struct KeptShard {
    static let layout = LogLayout(prefix: "gatehouse", partitions: 1)
    /// Two of the log's partitions, one of them of the product's own events.
    static let partitions: [Int32] = [
        layout.index(.visitorSignin, shard: 0), layout.index(.systemDeadLetter, shard: 0),
    ]

    var retry: [KafkaMessage] = []
    var dead: [KafkaMessage] = []
    var commits: [Int32: ShardLedger.Commit] = [:]

    init() {
        for partition in Self.partitions {
            commits[partition] = ShardLedger.Commit(position: 0, metadata: CommitMetadata(start: 0, createdAtMs: 1))
        }
    }

    mutating func append(_ record: KafkaRecord) {
        let isRetry = record.topic.contains(".retry.")
        let message = KafkaMessage(
            topic: record.topic, partition: 0, offset: Int64(isRetry ? retry.count : dead.count), key: record.key,
            value: record.value, headers: record.headers)
        if isRetry { retry.append(message) } else if record.topic.contains(".dead.") { dead.append(message) }
    }

    /// As the broker's cleaner does, with records that every commit includes.
    mutating func compact() throws {
        let decoder = StateDecoder(Self.layout)
        let bound = commits.values.map(\.metadata.stamp).min() ?? .none
        func compacted(
            _ messages: [KafkaMessage], _ stamp: (KafkaMessage) throws -> RecordStamp
        ) rethrows -> [KafkaMessage] {
            var last: [[UInt8]: Int] = [:]
            for (index, message) in messages.enumerated() { last[message.key ?? []] = index }
            return try messages.enumerated().filter { index, message in
                try last[message.key ?? []] == index || stamp(message) > bound
            }.map(\.element)
        }
        retry = try compacted(retry) { try decoder.retry($0).stamp }
        dead = try compacted(dead) { try decoder.dead($0).stamp }
    }

    func ledger() throws -> ShardLedger {
        let decoder = StateDecoder(Self.layout)
        var ledger = ShardLedger()
        for message in retry { ledger.take(try decoder.retry(message)) }
        for message in dead { ledger.take(try decoder.dead(message)) }
        return ledger
    }
}

/// An engine with its keeper, as far as the keeping goes: events are read, fail, die and are delivered at random, and what
/// is kept of that reaches Kafka at random, until it crashes.
struct CrashingOwner {
    enum EventState: Hashable { case unread, hole, open, dead, delivered, filtered, refused, discarded, trimmed }

    /// By partition, by offset: what the owner knows. Beyond the position: what is known ahead.
    private(set) var states: [Int32: [EventState]]
    private(set) var positions: [Int32: Int64]
    private(set) var counters: [Int32: TargetCounters]
    private var operations: [StateOperation] = []
    private var payloads: [RecordPlace: [UInt8]] = [:]
    private var scribe: StateScribe
    private var journal = StateJournal()
    private var ledger = CommittedShards()
    private var underWay: [(id: StateJournal.ItemID, record: KafkaRecord)] = []
    private var committing: StateJournal.Commit?
    private var nowMs: Int64 = 0

    /// Takes the shard up.
    /// - Parameter last: the owner before, which knows how events ended that are in no topic any more.
    init(_ kept: KeptShard, after last: CrashingOwner? = nil) throws {
        let layout = KeptShard.layout
        let ledger = try kept.ledger()
        let (shard, restoration) = ledger.restored(shard: 0, kept.commits, layout)
        states = [:]
        positions = shard.partitions.mapValues(\.position)
        counters = shard.partitions.mapValues(\.counters)
        scribe = StateScribe(target: "crm", instance: "i", run: "i-1", layout, KnownVersions())
        scribe.begin(
            epoch: max(
                last?.scribe.stamp.epoch ?? 0, ledger.lastEpoch,
                kept.commits.values.map(\.metadata.stamp.epoch).max() ?? 0) + 1)
        scribe.restore(restoration)
        var batch = scribe.batch(restoration.repairs, 0)
        batch.commits = shard.partitions
        journal.append(batch)
        var choice = try CommitChoice(
            shard: 0, layout, committed: [:], backup: [:], start: [:], nowMs: 1, StateDecoder(layout))
        choice.commits = kept.commits
        self.ledger.take(choice, shard, shard: 0, stamp: scribe.stamp)
        for partition in KeptShard.partitions { states[partition] = Array(repeating: .unread, count: 1000) }
        for (partition, kept) in shard.partitions {
            for offset in 0..<Int(kept.position) {
                states[partition]?[offset] = last?.states[partition]?[offset] ?? .unread
            }
            for hole in kept.holes { states[partition]?[Int(hole)] = .hole }
        }
        for open in shard.open { set(open.record.place, .open) }
        for letter in shard.dead { set(letter.place, .dead) }
        for (place, state) in shard.ahead {
            switch state.state {
            case .delivered: set(place, .delivered)
            case .discarded: set(place, .discarded)
            case .filtered: set(place, state.refusal == nil ? .filtered : .refused)
            case .dead where self[place] != .dead: set(place, .trimmed)
            case .dead, .pending, .expired: break
            }
        }
        for (place, state) in shard.ahead where state == .pending { #expect(self[place] == .open) }
    }

    subscript(place: RecordPlace) -> EventState { states[place.partition]![Int(place.offset)] }
    private mutating func set(_ place: RecordPlace, _ state: EventState) {
        states[place.partition]![Int(place.offset)] = state
    }

    private func isPast(_ place: RecordPlace) -> Bool { positions[place.partition]! > place.offset }

    private mutating func count(_ place: RecordPlace, _ state: EventState, by amount: Int64) {
        guard isPast(place) else { return }
        if KeptShard.layout.isSystem(place.partition) {
            if state != .hole, state != .open, state != .unread { counters[place.partition]!.system += amount }
            return
        }
        switch state {
        case .delivered: counters[place.partition]!.delivered += amount
        case .filtered: counters[place.partition]!.filtered += amount
        case .refused: counters[place.partition]!.count(.refused(.optedOut), isSystem: false, by: amount)
        case .dead, .trimmed: counters[place.partition]!.dead += amount
        case .discarded: counters[place.partition]!.discarded += amount
        case .hole, .open, .unread: break
        }
    }

    private mutating func move(_ place: RecordPlace, to state: EventState) {
        count(place, self[place], by: -1)
        set(place, state)
        count(place, state, by: 1)
    }

    // MARK: the engine's doing

    mutating func work(_ random: inout SeededRandom) {
        let partition = KeptShard.partitions.randomElement(using: &random)!
        let known = states[partition]!.indices.prefix(Int(positions[partition]!) + 3)
        let unfinished = known.filter { [.hole, .open, .dead].contains(states[partition]![$0]) }
        if unfinished.isEmpty || random.chance(1, in: 2) {
            read(partition, &random)
        } else {
            go(on: RecordPlace(partition: partition, offset: Int64(unfinished.randomElement(using: &random)!)), &random)
        }
    }

    private mutating func read(_ partition: Int32, _ random: inout SeededRandom) {
        let place = RecordPlace(partition: partition, offset: positions[partition]!)
        positions[partition]! += 1
        guard self[place] == .unread else { return count(place, self[place], by: 1) }
        set(place, .hole)
        switch Int.random(in: 0...4, using: &random) {
        case 0: move(place, to: .filtered)
        case 1: end(place, .delivered)
        case 2: open(place)
        case 3: bury(place)
        default: break
        }
    }

    private mutating func go(on place: RecordPlace, _ random: inout SeededRandom) {
        switch (self[place], Int.random(in: 0...4, using: &random)) {
        case (.hole, 0), (.hole, 1): end(place, .delivered)
        case (.hole, 2): open(place)
        case (.hole, _): bury(place)
        case (.open, 0):
            payloads[place] = [2]
            operations.append(.postpone(entry(place), nextAtMs: 9))
        case (.open, 1), (.open, 2):
            operations.append(.close(place))
            end(place, .delivered)
        case (.open, 3):
            operations.append(.close(place))
            end(place, .refused)
        case (.open, _): bury(place)
        case (.dead, 0), (.dead, 1):
            payloads[place] = [3]
            operations.append(.requeue(entry(place), nextAtMs: 4))
            move(place, to: .open)
        case (.dead, 2):
            operations.append(.discard(place))
            move(place, to: .discarded)
        case (.dead, _):
            operations.append(.trim(place))
            move(place, to: .trimmed)
        default: break
        }
    }

    private func id(_ place: RecordPlace) -> EventID {
        // Every seventh event is in the log twice.
        EventID(high: UInt64(place.partition), low: UInt64(place.offset % 7 == 6 ? place.offset - 1 : place.offset))
    }

    private func type(_ place: RecordPlace) -> String { KeptShard.layout.type(of: place.partition).rawValue }

    private func entry(_ place: RecordPlace) -> OpenEntry {
        OpenEntry(
            place: place, id: id(place), type: type(place), source: "s", receivedAtMs: 1,
            routes: RouteSet(id: 0, names: ["r"]), tries: 1, counted: 1,
            firstTried: Moment(monotonicMs: 0, wallMs: 5), dueMs: 0, reason: "http_500")
    }

    private mutating func end(_ place: RecordPlace, _ state: EventState) {
        move(place, to: state)
        var entry = HistoryEntry(
            place: place, id: id(place), type: type(place), source: "s", receivedAtMs: 1,
            state: state == .refused ? .filtered : .delivered, attempts: 1, atMs: 2, durationMs: 3,
            routes: RouteSet(id: 0, names: []))
        if state == .refused { entry.reason = FilteredReason.optedOut.rawValue }
        operations.append(.record(entry))
    }

    private mutating func open(_ place: RecordPlace) {
        operations.append(.open(entry(place), payload: [1], nextAtMs: 7))
        move(place, to: .open)
    }

    private mutating func bury(_ place: RecordPlace) {
        let wasOpen = self[place] == .open
        if wasOpen { payloads[place] = [4] }
        operations.append(
            .bury(
                DeadLetter(
                    place: place, id: id(place), type: type(place), source: "s", receivedAtMs: 1, routes: nil, atMs: 6,
                    reason: "http_400", attempts: 1, message: "", response: [],
                    payload: wasOpen ? .openRow : .text([4]))))
        move(place, to: .dead)
    }

    /// What has changed is given to the keeper.
    mutating func commit() {
        var partitions: [Int32: RestoredShard.Partition] = [:]
        for partition in KeptShard.partitions {
            partitions[partition] = RestoredShard.Partition(
                position: positions[partition]!,
                holes: (0..<positions[partition]!).filter { states[partition]![Int($0)] == .hole },
                counters: counters[partition]!)
        }
        let change = TargetChange(
            cursor: TargetCursor(position: .none(count: KeptShard.layout.count)), operations: operations)
        journal.append(
            scribe.batch(
                KeptChange(target: "crm", change: change, partitions: partitions, payloads: payloads),
                isOwned: { _ in true }))
        operations = []
        payloads = [:]
    }

    // MARK: the keeper's doing

    /// One step of what is under way.
    mutating func keep(_ kept: inout KeptShard, _ random: inout SeededRandom) {
        nowMs += 20
        switch Int.random(in: 0...3, using: &random) {
        case 0: underWay += journal.takeRecords(nowMs).map { ($0.id, $0.record) }
        case 1, 2: acknowledge(&kept, &random)
        default: commit(&kept, &random)
        }
    }

    private mutating func acknowledge(_ kept: inout KeptShard, _ random: inout SeededRandom) {
        guard !underWay.isEmpty else { return }
        // Of one topic in order; between topics there is no order.
        let topics = Set(underWay.map(\.record.topic)).sorted()
        let topic = topics.randomElement(using: &random)!
        let (id, record) = underWay.remove(at: underWay.firstIndex { $0.record.topic == topic }!)
        let isTaken = !random.chance(1, in: 10)
        if isTaken || random.chance(1, in: 2) { kept.append(record) }
        if isTaken { journal.kept(id) } else { journal.failed(id, isForGood: false, nowMs) }
    }

    private mutating func commit(_ kept: inout KeptShard, _ random: inout SeededRandom) {
        if committing == nil { committing = journal.takeCommit(nowMs, isUrgent: true) }
        guard let commit = committing, random.chance(1, in: 2) else { return }
        committing = nil
        let isTaken = !random.chance(1, in: 5)
        if isTaken || random.chance(1, in: 3) { write(commit, &kept) }
        if isTaken { ledger.committed(commit, KeptShard.layout) }
        journal.commitEnded(isKept: isTaken, nowMs)
    }

    private func write(_ commit: StateJournal.Commit, _ kept: inout KeptShard) {
        let decoder = StateDecoder(KeptShard.layout)
        for (place, offset) in ledger.commits(commit, KeptShard.layout) {
            guard let index = KeptShard.layout.index(topic: place.topic, partition: 0), let text = offset.metadata,
                let metadata = try? CommitMetadata(text, position: offset.offset, decoder)
            else { continue }
            kept.commits[index] = ShardLedger.Commit(position: offset.offset, metadata: metadata)
        }
    }

    /// It crashes: of what was under way, some still arrives.
    mutating func crash(_ kept: inout KeptShard, _ random: inout SeededRandom) {
        var stopped: Set<String> = []
        for (_, record) in underWay where !stopped.contains(record.topic) {
            if random.chance(1, in: 4) { stopped.insert(record.topic) } else { kept.append(record) }
        }
        if let committing, random.chance(1, in: 2) { write(committing, &kept) }
    }

    /// Everything reaches Kafka.
    mutating func finish(_ kept: inout KeptShard) {
        while !journal.isEmpty {
            nowMs += 10_000
            underWay += journal.takeRecords(nowMs).map { ($0.id, $0.record) }
            for (id, record) in underWay {
                kept.append(record)
                journal.kept(id)
            }
            underWay = []
            guard let commit = committing ?? journal.takeCommit(nowMs, isUrgent: true) else { continue }
            committing = nil
            write(commit, &kept)
            ledger.committed(commit, KeptShard.layout)
            journal.commitEnded(isKept: true, nowMs)
        }
    }
}
